// SPDX-License-Identifier: Apache-2.0
// Whole periods since 1970. Thread: any.
#include "control/dump/dump_schedule.hpp"

#include <numeric>

#include "config/values.hpp"

namespace wiretally {
namespace {

std::int64_t in_seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

// What is left of `time` in its period; never negative, before 1970 too.
std::int64_t into_period(std::int64_t time, std::int64_t period) {
  const std::int64_t rest = time % period;
  return rest < 0 ? rest + period : rest;
}

}  // namespace

DumpSchedule::DumpSchedule(const DumpConfig& config)
    : every_(in_seconds(config.every)), after_(into_period(in_seconds(config.after), every_)) {
  if (config.clear == "never") return;
  clear_every_ = every_;
  clear_after_ = after_;
  if (config.clear == "always") return;
  clear_every_ = in_seconds(parse_duration(config.clear));
  clear_after_ = in_seconds(config.after) + in_seconds(config.clear_after);
}

std::int64_t DumpSchedule::next(std::int64_t time) const {
  return time - into_period(time - after_, every_) + every_;
}

bool DumpSchedule::clears_within(std::int64_t first, std::int64_t last) const {
  if (clear_every_ == 0) return false;
  return last - into_period(last - clear_after_, clear_every_) >= first;
}

std::int64_t DumpSchedule::grid() const {
  return std::gcd(every_, after_);
}

}  // namespace wiretally
