// SPDX-License-Identifier: Apache-2.0
// sysUpTime for messages whose record times may count from it (IE 21, 22): 32 bits of milliseconds,
// 49.7 days. So that no wrap ever lies between a message's header and its records, the time it
// counts from moves on by 24.9 days whenever it gets too long ago, and is always at least 12.4 days
// before the message and the start of the program: a record that old still has its time. All in
// whole seconds, so that what collectors take for the boot time does not jitter. Thread: any.
#pragma once

#include <algorithm>

#include "control/merge/flow_record.hpp"

namespace wiretally {

class UptimeClock {
 public:
  // `counted_from`: record times count from it. If not, it is the start of the program and no more.
  UptimeClock(TimeNs start, bool counted_from)
      : start_s_(start / kNsPerSecond), counted_from_(counted_from) {}

  // When sysUpTime was 0 for a message of `now`, in milliseconds since the epoch.
  [[nodiscard]] std::int64_t boot_ms(TimeNs now) const {
    const std::int64_t age_s = now / kNsPerSecond - start_s_;
    if (!counted_from_) return (start_s_ + std::min<std::int64_t>(age_s, 0)) * 1000;
    // A clock that was set back before the start: the time to count from goes back as well.
    const std::int64_t steps = age_s >= 0 ? age_s / kStepS : -((-age_s + kStepS - 1) / kStepS);
    return (start_s_ - kMarginS + steps * kStepS) * 1000;
  }

 private:
  static constexpr std::int64_t kStepS = (1ll << 31) / 1000;
  static constexpr std::int64_t kMarginS = (1ll << 30) / 1000;
  std::int64_t start_s_;
  bool counted_from_;
};

}  // namespace wiretally
