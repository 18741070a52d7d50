// SPDX-License-Identifier: Apache-2.0
// What an octet of an Ethernet frame is, given what a program has already found on its path, and
// which of its bits a flow key (with attributes) does not know. Thread: any (pure functions).
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

namespace wiretally {

// Bits known to have a value: of `size` octets at `at` of the frame, or behind the IPv4 header that
// starts at `base` if `behind_ipv4`.
struct FieldPlace {
  unsigned at = 0;
  unsigned size = 0;
  std::uint32_t mask = 0xffffffff;
  bool behind_ipv4 = false;
  friend bool operator<(const FieldPlace& a, const FieldPlace& b) {
    return std::tie(a.at, a.size, a.mask, a.behind_ipv4) <
           std::tie(b.at, b.size, b.mask, b.behind_ipv4);
  }
  friend bool operator==(const FieldPlace&, const FieldPlace&) = default;
};

// Equalities found on the way. kLength: a type field was at most 1500.
struct PathFacts {
  std::map<FieldPlace, std::uint32_t> equal;
  std::map<unsigned, bool> is_length;  // by offset of the type field
};

enum class OctetKind : std::uint8_t { kKnown, kUnknown, kFragment, kArpAddress, kTransport };

struct OctetFact {
  OctetKind kind = OctetKind::kUnknown;
  std::uint8_t unknown = 0xff;  // bits
  const char* what = "payload";
};

// The octet at `at` of the frame.
OctetFact fact_of_octet(const PathFacts& path, unsigned at);
// The octet `at` behind the IPv4 header that starts at `header`.
OctetFact fact_behind_ipv4(const PathFacts& path, unsigned header, unsigned at);

}  // namespace wiretally
