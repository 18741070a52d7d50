// SPDX-License-Identifier: Apache-2.0
// The only source of time. Live, meter time is the machine's monotonic clock plus the difference to
// UTC at start: it never jumps, so a step of the wall clock makes no negative duration; a record's
// times are turned into today's UTC when it is made. On a recording, meter time is the packets'
// own. Thread: any.
#pragma once

#include <ctime>

#include "dataplane/packet/packet_view.hpp"

namespace wiretally {

class MeterClock {
 public:
  MeterClock() : anchor_(read(CLOCK_REALTIME) - read(CLOCK_MONOTONIC)) {}

  // Meter time now; about 25 ns.
  [[nodiscard]] TimeNs now() const { return read(CLOCK_MONOTONIC) + anchor_; }
  // A stamp of the machine's monotonic clock (bpf_ktime_get_ns) as meter time.
  [[nodiscard]] TimeNs of_monotonic(TimeNs stamp) const { return stamp + anchor_; }
  // What the wall clock has stepped or drifted since start; to be added to meter time to give UTC.
  [[nodiscard]] TimeNs utc_step() const { return read(CLOCK_REALTIME) - now(); }

 private:
  static TimeNs read(clockid_t id) {
    timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * kNsPerSecond + t.tv_nsec;
  }
  TimeNs anchor_;
};

}  // namespace wiretally
