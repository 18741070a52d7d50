// SPDX-License-Identifier: Apache-2.0
// A source that counts by itself (the kernel program of driver ebpf) and shows the worker only the
// packets it could not count. Before each flip the worker takes over what was counted since the
// last one, so control drains one table, whoever counted. Thread: worker.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <span>

#include "dataplane/flow/flow_key.hpp"
#include "dataplane/packet/packet_view.hpp"
#include "dataplane/worker_counters.hpp"

namespace wiretally {

// A flow's sum since the last flip. A coarse row has only port, IP version, protocol and the level
// kProtocol in its key.
struct CountedFlow {
  FlowKey key;
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;     // layer 3
  std::uint64_t l2_octets = 0;  // frames without FCS
  TimeNs first = 0;             // the machine's monotonic clock
  TimeNs last = 0;
  std::uint16_t tcp_flags = 0;
  std::uint8_t tos = 0;
};

// What the source says of the same packets, counted apart from the flows.
struct CountedTotals {
  PortIndex port{};
  FrameCounter received;  // without those it shows by poll()
  std::array<MeteredCounter, kIpVersions> metered;
  std::uint64_t coarse_packets = 0;
  FrameCounter unread;  // of metered[kNone]: frames too deep to be read where they were counted
};

class CountTaker {
 public:
  virtual ~CountTaker() = default;
  virtual void take(std::span<const CountedFlow> flows) = 0;
  virtual void take(const CountedTotals& totals) = 0;
};

// hand_over(): all counts since the last call. stop_counting(): from its return on, nothing is
// counted any more and poll() comes to an end.
template <class Source>
concept CountingSource = requires(Source s, CountTaker& taker) {
  s.hand_over(taker);
  s.stop_counting();
};

}  // namespace wiretally
