// SPDX-License-Identifier: Apache-2.0
// Civil time arithmetic on top of cctz. Thread: any.
#include "control/history/calendar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <limits>

#include "config/startup_error.hpp"
#include "config/time_zone.hpp"
#include "config/values.hpp"

namespace wiretally {
namespace {

using Seconds = cctz::time_point<cctz::seconds>;

constexpr std::array<std::string_view, 7> kWeekdays = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
constexpr std::int64_t kFarFuture = std::numeric_limits<std::int64_t>::max() / 2;

Seconds at(std::int64_t utc_s) {
  return Seconds(cctz::seconds(utc_s));
}

std::int64_t utc(Seconds time) {
  return time.time_since_epoch().count();
}

cctz::time_zone load_zone(const std::string& name) {
  try {
    return parse_time_zone(name);
  } catch (const ValueError& error) {
    throw StartupError(ExitCode::kUsage, error.what());
  }
}

cctz::weekday load_weekday(std::string_view name) {
  const auto found = std::find(kWeekdays.begin(), kWeekdays.end(), name);
  const auto index = found == kWeekdays.end() ? 0 : found - kWeekdays.begin();
  return static_cast<cctz::weekday>(index);
}

// The instant of a change of the offset; none where only the zone's abbreviation changes.
std::int64_t instant_of(const cctz::time_zone& zone,
                        const cctz::time_zone::civil_transition& change) {
  using Lookup = cctz::time_zone::civil_lookup;
  const Lookup before = zone.lookup(change.from);
  if (before.kind == Lookup::SKIPPED) return utc(before.trans);
  const Lookup after = zone.lookup(change.to);
  return after.kind == Lookup::REPEATED ? utc(after.trans) : kFarFuture;
}

std::string date_text(const cctz::civil_day& day) {
  return fmt::format("{:04}-{:02}-{:02}", day.year(), day.month(), day.day());
}

std::string clock_text(const cctz::civil_second& time) {
  return fmt::format("{:02}:{:02}", time.hour(), time.minute());
}

}  // namespace

Calendar::Calendar(const std::string& zone, std::string_view week_starts)
    : zone_(load_zone(zone)), week_starts_(load_weekday(week_starts)) {}

Period Calendar::period(Level level, std::int64_t utc_s) const {
  const cctz::civil_second now = local(utc_s);
  switch (level) {
    case Level::kMinute:
      return within_hour(utc_s, 60);
    case Level::kFiveMinutes:
      return within_hour(utc_s, 300);
    case Level::kHour:
      return within_hour(utc_s, 3600);
    case Level::kDay: {
      const cctz::civil_day day(now);
      return {start_of(cctz::civil_second(day)), start_of(cctz::civil_second(day + 1))};
    }
    case Level::kWeek: {
      const cctz::civil_day first = cctz::prev_weekday(cctz::civil_day(now) + 1, week_starts_);
      return {start_of(cctz::civil_second(first)), start_of(cctz::civil_second(first + 7))};
    }
    case Level::kMonth: {
      const cctz::civil_month month(now);
      return {start_of(cctz::civil_second(month)), start_of(cctz::civil_second(month + 1))};
    }
    case Level::kYear: {
      const cctz::civil_year year(now);
      return {start_of(cctz::civil_second(year)), start_of(cctz::civil_second(year + 1))};
    }
    case Level::kTotal:
      break;
  }
  return {0, kFarFuture};
}

// A stretch of local time that divides the hour, cut where the offset changes inside it.
Period Calendar::within_hour(std::int64_t utc_s, std::int64_t length_s) const {
  const std::int64_t offset = zone_.lookup(at(utc_s)).offset;
  const std::int64_t local_s = utc_s + offset;
  std::int64_t into = local_s % length_s;
  if (into < 0) into += length_s;
  Period period{utc_s - into, utc_s - into + length_s};
  cctz::time_zone::civil_transition change;
  if (zone_.prev_transition(at(utc_s + 1), &change)) {
    const std::int64_t instant = instant_of(zone_, change);
    if (instant <= utc_s) period.start = std::max(period.start, instant);
  }
  if (zone_.next_transition(at(utc_s), &change)) {
    const std::int64_t instant = instant_of(zone_, change);
    if (instant > utc_s) period.end = std::min(period.end, instant);
  }
  return period;
}

// The first instant of a day; where midnight is left out, the instant of the change.
std::int64_t Calendar::start_of(const cctz::civil_second& local) const {
  return utc(cctz::convert(local, zone_));
}

cctz::civil_second Calendar::local(std::int64_t utc_s) const {
  return cctz::convert(at(utc_s), zone_);
}

bool Calendar::shown_twice(std::int64_t utc_s) const {
  return zone_.lookup(local(utc_s)).kind == cctz::time_zone::civil_lookup::REPEATED;
}

std::string Calendar::label(Level level, const Period& period) const {
  const cctz::civil_second from = local(period.start);
  switch (level) {
    case Level::kMinute:
    case Level::kFiveMinutes:
    case Level::kHour: {
      // The end as the clock of this period would show it.
      const std::string until = clock_text(from + (period.end - period.start));
      const std::string text =
          fmt::format("{} {}-{}", date_text(cctz::civil_day(from)), clock_text(from), until);
      if (!shown_twice(period.start)) return text;
      return fmt::format("{} {}", text, zone_.lookup(at(period.start)).abbr);
    }
    case Level::kDay:
      return date_text(cctz::civil_day(from));
    case Level::kWeek:
      return fmt::format("{} - {}", date_text(cctz::civil_day(from)),
                         date_text(cctz::civil_day(local(period.end)) - 1));
    case Level::kMonth:
      return fmt::format("{:04}-{:02}", from.year(), from.month());
    case Level::kYear:
      return fmt::format("{:04}", from.year());
    case Level::kTotal:
      break;
  }
  return "total";
}

std::int64_t Calendar::parse(const std::string& text) const {
  int year = 0;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  char between = ' ';
  int used = 0;
  const int length = static_cast<int>(text.size());
  const auto whole = [&](int fields, int wanted) { return fields == wanted && used == length; };
  const char* const s = text.c_str();
  const bool read = whole(std::sscanf(s, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &year, &month, &day,
                                      &between, &hour, &minute, &second, &used),
                          7) ||
                    (second = 0, whole(std::sscanf(s, "%4d-%2d-%2d%c%2d:%2d%n", &year, &month, &day,
                                                   &between, &hour, &minute, &used),
                                       6)) ||
                    (hour = minute = 0, between = ' ',
                     whole(std::sscanf(s, "%4d-%2d-%2d%n", &year, &month, &day, &used), 3)) ||
                    (day = 1, whole(std::sscanf(s, "%4d-%2d%n", &year, &month, &used), 2)) ||
                    (month = 1, whole(std::sscanf(s, "%4d%n", &year, &used), 1));
  const cctz::civil_second time(year, month, day, hour, minute, second);
  const bool normal = time.month() == month && time.day() == day && time.hour() == hour &&
                      time.minute() == minute && time.second() == second;
  if (!read || !normal || year < 1970 || (between != ' ' && between != 'T')) {
    throw ValueError(fmt::format(
        "{} is no time; write a date as 2026-11-25, with a time of day as \"2026-11-25 10:00\"",
        quoted(text)));
  }
  return start_of(time);
}

}  // namespace wiretally
