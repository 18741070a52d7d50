// SPDX-License-Identifier: Apache-2.0
// Mends how net_af_packet opens its packet sockets, so that they show what arrived and nothing else
// (why and how: see the .cpp). Thread: control, at start.
#pragma once

#include <cstdint>

namespace wiretally {

// While it lives, packet sockets that join a fan-out group are mended; with one queue they join
// none.
class MendPacketSockets {
 public:
  explicit MendPacketSockets(std::uint16_t queues);
  ~MendPacketSockets();
  MendPacketSockets(const MendPacketSockets&) = delete;
  MendPacketSockets& operator=(const MendPacketSockets&) = delete;

  // Sockets mended since construction. None although the driver opened its device: this is not in
  // effect.
  [[nodiscard]] std::uint64_t mended() const;
  // Several sockets can leave out packets that this host sends only since Linux 6.2.
  [[nodiscard]] static bool kernel_can_leave_out_sent_packets(std::uint16_t queues);
};

}  // namespace wiretally
