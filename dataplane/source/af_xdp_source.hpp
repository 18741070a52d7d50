// SPDX-License-Identifier: Apache-2.0
// The af_xdp driver as a worker sees it: the sockets of its queues - one, unless the interface got
// more queues than there are workers. Idle, it sleeps: shortly first, so that moderate traffic
// comes in bursts and not a wake-up a packet, then until the kernel says that something has come.
// Thread: constructed and opened by main; the rest worker.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/source/af_xdp_interface.hpp"
#include "dataplane/source/af_xdp_socket.hpp"
#include "dataplane/source/packet_source.hpp"

namespace wiretally {

class AfXdpSource {
 public:
  static constexpr TimeBase kTimeBase = TimeBase::kMachine;
  static constexpr int kIdleWaitMs = 5;  // the flip of a tick waits for it
  // A short sleep is as long as 10 Gbit/s of the smallest frames take to fill a quarter of a ring.
  static constexpr double kShortestFrameNs = 67.2;
  static constexpr unsigned kShortSleeps = 4;  // before the long wait

  // Worker `number` of `workers` on this interface: queues number, number + workers, ...
  AfXdpSource(std::shared_ptr<AfXdpInterface> interface, unsigned number, unsigned workers,
              PortIndex port);
  ~AfXdpSource();
  AfXdpSource(const AfXdpSource&) = delete;
  AfXdpSource& operator=(const AfXdpSource&) = delete;

  // Binds the queues; waits a second for one that a meter before us has not quite let go. Throws
  // StartupError that names the one it could not bind.
  void open();

  std::size_t poll(std::span<PacketView> views);
  void release() {
    for (const auto& socket : sockets_) socket->release();
  }
  [[nodiscard]] bool exhausted() const { return false; }

  // What the sockets missed, for the last time; after the last poll.
  void finish() { publish(); }

 private:
  void look_after();
  void follow_interface();
  void bind_queues(const AfXdpInterface::State& state);
  void close_sockets();
  void publish();
  void wait();

  std::shared_ptr<AfXdpInterface> interface_;
  const unsigned number_;
  const unsigned workers_;
  const PortIndex port_;
  const long short_sleep_ns_;
  std::shared_ptr<AfXdpWorkerCounters> counters_;
  std::vector<std::unique_ptr<AfXdpSocket>> sockets_;
  std::vector<pollfd> waiting_;   // one for each socket
  std::uint64_t generation_ = 0;  // of the interface, as the sockets are bound
  unsigned index_ = 0;            // of the interface they are bound to
  bool leaving_ = false;          // that one has gone: read what is left, then close
  bool binding_failed_ = false;   // some queue is not bound; tried again
  std::string last_refusal_;      // told once
  std::uint64_t taken_ = 0;       // frames
  AfXdpMissed closed_;            // by sockets that are closed
  std::size_t turn_ = 0;          // which socket is asked first
  unsigned idle_polls_ = 0;
  std::int64_t chores_due_ns_ = 0;
};

static_assert(PacketSource<AfXdpSource>);

}  // namespace wiretally
