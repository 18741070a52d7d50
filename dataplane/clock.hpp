// SPDX-License-Identifier: Apache-2.0
// The only source of time. Live, meter time is the machine's monotonic clock plus the difference to
// UTC at start: it never jumps, so a step of the wall clock makes no negative duration; a record's
// times are turned into today's UTC when it is made. On a recording, meter time is the packets'
// own. Thread: any.
#pragma once

#include <ctime>

#include "dataplane/packet/packet_view.hpp"

namespace wiretally {

inline TimeNs read_clock(clockid_t id) {
  timespec t;
  clock_gettime(id, &t);
  return t.tv_sec * kNsPerSecond + t.tv_nsec;
}

// For what lasts; about 25 ns.
inline TimeNs monotonic_ns() {
  return read_clock(CLOCK_MONOTONIC);
}
// Up to a timer interrupt (1 to 10 ms) old; about 5 ns.
inline TimeNs coarse_monotonic_ns() {
  return read_clock(CLOCK_MONOTONIC_COARSE);
}

class MeterClock {
 public:
  MeterClock() : anchor_(read_clock(CLOCK_REALTIME) - monotonic_ns()) {}

  // Meter time now; about 25 ns.
  [[nodiscard]] TimeNs now() const { return monotonic_ns() + anchor_; }
  // A stamp of the machine's monotonic clock (bpf_ktime_get_ns) as meter time.
  [[nodiscard]] TimeNs of_monotonic(TimeNs stamp) const { return stamp + anchor_; }
  // What the wall clock has stepped or drifted since start; to be added to meter time to give UTC.
  [[nodiscard]] TimeNs utc_step() const { return read_clock(CLOCK_REALTIME) - now(); }

 private:
  TimeNs anchor_;
};

}  // namespace wiretally
