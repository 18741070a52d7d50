// SPDX-License-Identifier: Apache-2.0
// When dumps are due and when counts begin anew, as IPFM has it: in UTC, counted from 1970, so that
// neither the start of the meter nor the time zone moves them. Thread: any (a value). Times:
// seconds since the Unix epoch.
#pragma once

#include <cstdint>

#include "config/config.hpp"

namespace wiretally {

class DumpSchedule {
 public:
  // `config` has passed the checks of config/cross_checks.cpp.
  explicit DumpSchedule(const DumpConfig& config);

  // The first dump after `time`: the end of the period that `time` is in.
  [[nodiscard]] std::int64_t next(std::int64_t time) const;
  // Do counts begin anew at a time from `first` to `last`? Where those are the same, the time of a
  // dump: after it?
  [[nodiscard]] bool clears_within(std::int64_t first, std::int64_t last) const;
  [[nodiscard]] std::int64_t every() const { return every_; }
  // All dumps are at whole multiples of this.
  [[nodiscard]] std::int64_t grid() const;

 private:
  std::int64_t every_;
  std::int64_t after_;
  std::int64_t clear_every_ = 0;  // 0: never
  std::int64_t clear_after_ = 0;
};

}  // namespace wiretally
