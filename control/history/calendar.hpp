// SPDX-License-Identifier: Apache-2.0
// Periods of local wall-clock time as stretches of UTC seconds, by the IANA time zone database.
// A period belongs to the offset that is in force in it: the hour that happens twice when a zone
// leaves daylight saving time is two periods, the one that is left out is none, and a day has 23,
// 24 or 25 hours. Where the offset changes within an hour (Lord Howe Island), the hour ends there.
// Thread: any. Errors: StartupError for a zone that the machine does not know.
#pragma once

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace wiretally {

enum class Level : std::uint8_t {
  kMinute,
  kFiveMinutes,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kYear,
  kTotal
};
inline constexpr std::size_t kLevels = 8;
// Names of the tables of the database and of the keys below history.keep.
inline constexpr std::array<std::string_view, kLevels> kLevelNames = {
    "minute", "five_minutes", "hour", "day", "week", "month", "year", "total"};

// UTC seconds, [start, end).
struct Period {
  std::int64_t start = 0;
  std::int64_t end = 0;
  friend bool operator==(const Period&, const Period&) = default;
};

class Calendar {
 public:
  // `zone`: "local" (TZ or /etc/localtime), "UTC", or a name such as Europe/Paris. `week_starts`:
  // a day's English name, lower case.
  Calendar(const std::string& zone, std::string_view week_starts);

  // The period of this level that `utc_s` is in.
  [[nodiscard]] Period period(Level level, std::int64_t utc_s) const;
  // As people write the beginning of a period: 2026-11-25, 19:00-20:00, ...
  // "2008-10-27 19:00-20:00", "2008-10-27", "2008-10-26 - 2008-11-01", "2008-10", "2008". An hour
  // or minute that local time shows twice has the zone's abbreviation behind it.
  [[nodiscard]] std::string label(Level level, const Period& period) const;
  // "2026-11-25", "2026-11-25 10:00", "2026-11-25T10:00:30", "2026-11" or "2026", local time.
  // Throws ValueError.
  [[nodiscard]] std::int64_t parse(const std::string& text) const;
  [[nodiscard]] cctz::civil_second local(std::int64_t utc_s) const;
  [[nodiscard]] std::string zone_name() const { return zone_.name(); }

 private:
  [[nodiscard]] Period within_hour(std::int64_t utc_s, std::int64_t length_s) const;
  [[nodiscard]] std::int64_t start_of(const cctz::civil_second& local) const;
  [[nodiscard]] bool shown_twice(std::int64_t utc_s) const;

  cctz::time_zone zone_;
  cctz::weekday week_starts_;
};

}  // namespace wiretally
