// SPDX-License-Identifier: Apache-2.0
// When a flow ends, and why (RFC 5102 flowEndReason). Pure functions of a flow's state and time:
// the cache asks, a test gives it any clock. Timeouts are nanoseconds of meter time. Thread:
// control.
#pragma once

#include "config/config.hpp"
#include "control/merge/flow_record.hpp"

namespace wiretally {

class Lifecycle {
 public:
  explicit Lifecycle(const TimeoutsConfig& timeouts);

  // How long a flow of this protocol, having seen these TCP flags, may be silent.
  [[nodiscard]] TimeNs idle_timeout(const FlowKey& key, std::uint16_t tcp_flags) const;
  // Idle, or end of flow if a FIN or RST went by before the silence.
  [[nodiscard]] static FlowEndReason idle_reason(const FlowKey& key, std::uint16_t tcp_flags);
  // When a flow that began at `first` is cut for the first time: between half and all of the active
  // timeout later, spread by `spread` (any well-mixed number that stays with the flow), so that
  // flows that began together do not all leave together. Later cuts follow every active().
  [[nodiscard]] TimeNs first_cut(TimeNs first, std::uint32_t spread) const;
  [[nodiscard]] TimeNs active() const { return active_; }

 private:
  TimeNs active_;
  TimeNs idle_;
  TimeNs tcp_;
  TimeNs tcp_fin_;
  TimeNs tcp_rst_;
  TimeNs udp_;
  TimeNs icmp_;
};

}  // namespace wiretally
