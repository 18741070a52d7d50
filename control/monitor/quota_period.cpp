// SPDX-License-Identifier: Apache-2.0
// Periods of quotas. Thread: any.
#include "control/monitor/quota_period.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "control/history/history_reader.hpp"

namespace wiretally {
namespace {

Level level_of(const std::string& per) {
  if (per == "hour") return Level::kHour;
  if (per == "day") return Level::kDay;
  if (per == "week") return Level::kWeek;
  return per == "year" ? Level::kYear : Level::kMonth;
}

// Rows that add up to such a period, and are kept longer than it lasts.
Level parts_of(const std::string& per) {
  if (per == "hour") return Level::kMinute;
  return per == "day" ? Level::kHour : Level::kDay;
}

std::int64_t month_begins(const Calendar& calendar, const cctz::civil_month& month,
                          std::uint32_t starts) {
  const cctz::civil_day last = cctz::civil_day(month + 1) - 1;
  const int day = std::min(static_cast<int>(starts), last.day());
  return calendar.parse(fmt::format("{:04}-{:02}-{:02}", month.year(), month.month(), day));
}

}  // namespace

Period quota_period(const QuotaConfig& quota, const Calendar& calendar, std::int64_t utc_s) {
  if (quota.per != "month") return calendar.period(level_of(quota.per), utc_s);
  const cctz::civil_month month(calendar.local(utc_s));
  const std::int64_t begins = month_begins(calendar, month, quota.starts);
  if (utc_s < begins) return {month_begins(calendar, month - 1, quota.starts), begins};
  return {begins, month_begins(calendar, month + 1, quota.starts)};
}

KnownUse known_use(const std::string& history_path, const std::string& monitor,
                   const QuotaConfig& quota, const Period& period) {
  KnownUse use{0, period.end};
  if (history_path.empty()) return use;
  try {
    const HistoryReader reader(history_path);
    const Series series{SeriesKind::kMonitor, monitor, ""};
    for (const HistoryRow& row :
         reader.rows(parts_of(quota.per), series, period.start, period.end)) {
      use.octets += row.volume.total.octets;
      use.since_s = std::min(use.since_s, row.start);
    }
  } catch (const DatabaseError&) {  // the writer says what is wrong with the file
  }
  return use;
}

}  // namespace wiretally
