// SPDX-License-Identifier: Apache-2.0
// The stretch of local time that a quota is for, and what the history says of it. Thread: any.
#pragma once

#include <cstdint>
#include <string>

#include "config/config.hpp"
#include "control/history/calendar.hpp"

namespace wiretally {

// The period of `quota` that `utc_s` is in. A month that begins on a day it does not have begins on
// its last one.
Period quota_period(const QuotaConfig& quota, const Calendar& calendar, std::int64_t utc_s);

// Layer-3 octets that the history has of a monitor in a period, and since when (UTC seconds; the
// period's end if it has nothing). A file that cannot be read has nothing.
struct KnownUse {
  std::uint64_t octets = 0;
  std::int64_t since_s = 0;
};
KnownUse known_use(const std::string& history_path, const std::string& monitor,
                   const QuotaConfig& quota, const Period& period);

}  // namespace wiretally
