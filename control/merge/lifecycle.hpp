// SPDX-License-Identifier: Apache-2.0
// When a flow ends, and why (RFC 5102 flowEndReason). Pure functions of a flow's state and time:
// the cache asks, a test gives it any clock. Timeouts are nanoseconds of meter time. Thread:
// control.
#pragma once

#include <array>

#include "config/config.hpp"
#include "control/merge/flow_record.hpp"

namespace wiretally {

class Lifecycle {
 public:
  explicit Lifecycle(const TimeoutsConfig& timeouts);

  // Which timeout ends a flow of this protocol, having seen these TCP flags, when it is silent; and
  // how long that is.
  [[nodiscard]] static EndCause idle_cause(const FlowKey& key, std::uint16_t tcp_flags);
  [[nodiscard]] TimeNs idle_timeout(const FlowKey& key, std::uint16_t tcp_flags) const {
    return idle_[static_cast<std::size_t>(idle_cause(key, tcp_flags))];
  }
  // When a flow that began at `first` is cut for the first time: between half and all of the active
  // timeout later, spread by `spread` (any well-mixed number that stays with the flow), so that
  // flows that began together do not all leave together. Later cuts follow every active().
  [[nodiscard]] TimeNs first_cut(TimeNs first, std::uint32_t spread) const;
  [[nodiscard]] TimeNs active() const { return active_; }
  // A flow older than this ends, whatever comes; 0: it never does.
  [[nodiscard]] TimeNs maximum_life() const { return maximum_life_; }

 private:
  static constexpr std::size_t kIdleCauses = static_cast<std::size_t>(EndCause::kIcmp) + 1;
  std::array<TimeNs, kIdleCauses> idle_;  // by EndCause
  TimeNs active_;
  TimeNs maximum_life_;
};

}  // namespace wiretally
