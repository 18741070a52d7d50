// SPDX-License-Identifier: Apache-2.0
// One receive queue of one port, and who polls it. Thread: control, at start; a worker reads its
// own list.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/packet/packet_view.hpp"
#include "dataplane/source/dpdk_gate.hpp"

namespace wiretally {

struct DpdkQueue {
  std::uint16_t ethdev = 0;  // DPDK's port number
  std::uint16_t queue = 0;
  PortIndex port{};  // Observation Point
  LinkType link_type = LinkType::kEthernet;
  bool recording = false;          // a capture file: it ends, and its packets carry their own time
  bool may_sleep = true;           // a virtual device: an idle worker may sleep between polls
  std::shared_ptr<DpdkGate> gate;  // of a port that may go and come back; else null
};

// Deals the queues out to `workers` lists, in turn, so that the queues of one port lie on different
// workers. Every queue is in exactly one list. Errors: StartupError(kUsage) when there is no queue,
// no worker, or a worker would have none.
[[nodiscard]] std::vector<std::vector<DpdkQueue>> assign_queues(
    const std::vector<DpdkQueue>& queues, std::size_t workers);

}  // namespace wiretally
