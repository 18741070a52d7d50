// SPDX-License-Identifier: Apache-2.0
// The overload rule (design.md, "Overload"): a key that finds no place in a full table is made
// coarser until it finds one: without ports, destination host only, source host only, and at last
// one row per port, IP version and protocol, which always has a place. Totals stay exact; a flood
// becomes a row that names its victim, a scan a row that names its source. Thread: worker.
#pragma once

#include "dataplane/flow/flow_key.hpp"

namespace wiretally {

// The key that `exact` becomes at `level`. VLAN stays with ports and addresses up to kNoPorts.
inline FlowKey coarsen(const FlowKey& exact, CoarseLevel level) {
  FlowKey key;
  key.port = exact.port;
  key.set_kind(exact.ip_version(), level);
  switch (level) {
    case CoarseLevel::kExact:
      return exact;
    case CoarseLevel::kNoPorts:
      key.source = exact.source;
      key.destination = exact.destination;
      key.protocol = exact.protocol;
      key.set_vlan(exact.vlan());
      break;
    case CoarseLevel::kDestinationHost:
      key.destination = exact.destination;
      break;
    case CoarseLevel::kSourceHost:
      key.source = exact.source;
      break;
    case CoarseLevel::kProtocol:
      key.protocol = exact.protocol;
      break;
  }
  return key;
}

}  // namespace wiretally
