// SPDX-License-Identifier: Apache-2.0
// A line of `monitors[].rules`: which hosts a dump counts, in the words of ipfm.conf's LOG. Thread:
// any. Errors: ValueError, with the cure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace wiretally {

// Addresses that are equal under a mask. Octets as in a flow key: IPv4 in the last four, zeros
// before them. A mask need not be one stretch of ones (IPFM's need not).
struct HostNet {
  bool any = true;  // every address of both families
  bool v6 = false;
  std::array<std::uint8_t, 16> address{};  // already masked
  std::array<std::uint8_t, 16> mask{};

  friend bool operator==(const HostNet&, const HostNet&) = default;
};

enum class HostLog : std::uint8_t { kNone, kFrom, kTo, kBoth };
enum class HostPeer : std::uint8_t { kAny, kWith, kNotWith };

// "[log] [none|from|to|both] [NET] [[not] with NET]"
struct HostRule {
  HostLog log = HostLog::kBoth;
  HostNet net;                     // of the host that is counted
  HostPeer peer = HostPeer::kAny;  // is the other end's address asked about?
  HostNet peer_net;

  friend bool operator==(const HostRule&, const HostRule&) = default;
};

// "192.0.2.1", "192.0.2.0/24", "192.0.2.0/255.255.255.0", "2001:db8::/32".
[[nodiscard]] HostNet parse_host_net(std::string_view text);
[[nodiscard]] std::string format_host_net(const HostNet& net);
[[nodiscard]] HostRule parse_host_rule(std::string_view text);
// As parse_host_rule reads it back: "from 192.0.2.0/24 not with 198.51.100.1".
[[nodiscard]] std::string format_host_rule(const HostRule& rule);

}  // namespace wiretally
