// SPDX-License-Identifier: Apache-2.0
// The overload rule (design.md, "Overload"): a key that finds no place in a full table is made
// coarser until it finds one: without ports, destination host only, source host only, and at last
// one row per port, IP version and protocol, which always has a place. Totals stay exact; a flood
// becomes a row that names its victim, a scan a row that names its source. Thread: worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/flow/flow_key.hpp"

namespace wiretally {

// The key that `exact` becomes at `level`. VLAN stays with ports and addresses up to kNoPorts.
// Masked in the pieces in which FlowHash reads a key: field by field, the hash waited for the
// stores, and a flood of random keys makes three of these a packet (a full cache took 0.9 times as
// many new flows).
inline FlowKey coarsen(const FlowKey& exact, CoarseLevel level) {
  struct Kept {
    bool source;
    bool destination;
    std::uint64_t rest;  // of the last eight octets: ports, protocol, ingress port, VLAN, kind
  };
  constexpr std::size_t kRestAt = offsetof(FlowKey, source_port);
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  constexpr std::uint64_t kProtocol = 0xff00000000;
  constexpr std::uint64_t kPortAndKind = 0xf000ff0000000000;
  constexpr std::uint64_t kVlan = 0x0fff000000000000;
  constexpr Kept kKept[kCoarseLevels] = {{true, true, kAll},
                                         {true, true, kProtocol | kPortAndKind | kVlan},
                                         {false, true, kPortAndKind},
                                         {true, false, kPortAndKind},
                                         {false, false, kProtocol | kPortAndKind}};
  const Kept& kept = kKept[static_cast<std::size_t>(level)];
  FlowKey key;
  if (kept.source) key.source = exact.source;
  if (kept.destination) key.destination = exact.destination;
  std::uint64_t rest;
  std::memcpy(&rest, reinterpret_cast<const char*>(&exact) + kRestAt, sizeof rest);
  rest &= kept.rest;
  rest += std::uint64_t{kIpVersions} * static_cast<std::uint64_t>(level) << 60;  // see set_kind()
  std::memcpy(reinterpret_cast<char*>(&key) + kRestAt, &rest, sizeof rest);
  return key;
}

}  // namespace wiretally
