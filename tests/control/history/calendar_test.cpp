// SPDX-License-Identifier: Apache-2.0
// Periods of local time where local time is odd: changes of the offset in both hemispheres, at
// midnight and by half an hour, leap days, weeks over a year's end.
#include "control/history/calendar.hpp"

#include <gtest/gtest.h>

#include "config/startup_error.hpp"
#include "config/values.hpp"

namespace wiretally {
namespace {

constexpr std::int64_t kHour_s = 3600;

TEST(Calendar, shows_the_hour_that_happens_twice_twice) {
  const Calendar paris("Europe/Paris", "monday");
  // 2026-10-25 03:00 CEST becomes 02:00 CET, at 01:00 UTC.
  const std::int64_t change = 1792890000;
  const Period summer = paris.period(Level::kHour, change - 1);
  const Period winter = paris.period(Level::kHour, change);
  EXPECT_EQ(summer, (Period{change - kHour_s, change}));
  EXPECT_EQ(winter, (Period{change, change + kHour_s}));
  EXPECT_EQ(paris.label(Level::kHour, summer), "2026-10-25 02:00-03:00 CEST");
  EXPECT_EQ(paris.label(Level::kHour, winter), "2026-10-25 02:00-03:00 CET");
  const Period day = paris.period(Level::kDay, change);
  EXPECT_EQ(day.end - day.start, 25 * kHour_s);
}

TEST(Calendar, has_no_row_for_the_hour_that_is_left_out) {
  const Calendar paris("Europe/Paris", "monday");
  const std::int64_t change = 1774746000;  // 2026-03-29 02:00 CET becomes 03:00 CEST
  EXPECT_EQ(paris.label(Level::kHour, paris.period(Level::kHour, change - 1)),
            "2026-03-29 01:00-02:00");
  EXPECT_EQ(paris.label(Level::kHour, paris.period(Level::kHour, change)),
            "2026-03-29 03:00-04:00");
  const Period day = paris.period(Level::kDay, change);
  EXPECT_EQ(day.end - day.start, 23 * kHour_s);
}

// Every period ends where the next one begins, in zones with all kinds of changes.
TEST(Calendar, leaves_no_gap_and_no_overlap) {
  for (const char* zone : {"Europe/Paris", "Australia/Sydney", "Australia/Lord_Howe",
                           "America/Santiago", "Asia/Kathmandu", "UTC"}) {
    const Calendar calendar(zone, "sunday");
    for (const Level level : {Level::kMinute, Level::kFiveMinutes, Level::kHour, Level::kDay,
                              Level::kWeek, Level::kMonth, Level::kYear}) {
      // Minutes of the two nights of change would be enough; three days each are taken.
      const bool fine = level <= Level::kHour;
      std::int64_t at = fine ? 1774569600 : 1767225600;  // 2026-03-27 or 2026-01-01
      const std::int64_t end = fine ? at + 11 * 24 * kHour_s : at + 3 * 366 * 24 * kHour_s;
      for (Period before = calendar.period(level, at); at < end; at = before.end) {
        const Period next = calendar.period(level, before.end);
        ASSERT_EQ(next.start, before.end) << zone << " " << kLevelNames[std::size_t(level)];
        ASSERT_GT(next.end, next.start) << zone;
        ASSERT_EQ(calendar.period(level, next.end - 1), next) << zone;
        before = next;
        at = before.start;
      }
    }
  }
}

TEST(Calendar, cuts_an_hour_where_the_offset_changes_in_it) {
  const Calendar lord_howe("Australia/Lord_Howe", "monday");
  // 2026-04-05 02:00 +11 becomes 01:30 +10:30, at 15:00 UTC the day before.
  const std::int64_t change = 1775314800;
  const Period after = lord_howe.period(Level::kHour, change + 60);
  EXPECT_EQ(after, (Period{change, change + kHour_s / 2}));
}

TEST(Calendar, begins_a_day_without_midnight_at_the_change) {
  const Calendar santiago("America/Santiago", "monday");
  // 2026-09-06 00:00 -04 becomes 01:00 -03, at 04:00 UTC.
  const std::int64_t change = 1788667200;
  const Period day = santiago.period(Level::kDay, change + 5);
  EXPECT_EQ(day.start, change);
  EXPECT_EQ(day.end - day.start, 23 * kHour_s);
  EXPECT_EQ(santiago.label(Level::kDay, day), "2026-09-06");
}

TEST(Calendar, counts_a_leap_day) {
  const Calendar utc("UTC", "monday");
  const Period february = utc.period(Level::kMonth, utc.parse("2028-02-29 12:00"));
  EXPECT_EQ(february.end - february.start, 29 * 24 * kHour_s);
  EXPECT_EQ(utc.label(Level::kMonth, february), "2028-02");
}

TEST(Calendar, begins_a_week_on_the_day_that_is_asked_for) {
  const std::int64_t tuesday = 1225195200;  // 2008-10-28 12:00 UTC
  EXPECT_EQ(Calendar("UTC", "sunday")
                .label(Level::kWeek, Calendar("UTC", "sunday").period(Level::kWeek, tuesday)),
            "2008-10-26 - 2008-11-01");
  EXPECT_EQ(Calendar("UTC", "monday")
                .label(Level::kWeek, Calendar("UTC", "monday").period(Level::kWeek, tuesday)),
            "2008-10-27 - 2008-11-02");
}

TEST(Calendar, reads_times_as_people_write_them) {
  const Calendar utc("UTC", "monday");
  EXPECT_EQ(utc.parse("2026-11-25"), 1795564800);
  EXPECT_EQ(utc.parse("2026-11-25 10:30"), 1795564800 + 37800);
  EXPECT_EQ(utc.parse("2026-11-25T10:30:05"), 1795564800 + 37805);
  EXPECT_EQ(utc.parse("2026-11"), utc.parse("2026-11-01"));
  for (const char* wrong : {"", "yesterday", "2026-13-01", "2026-02-30", "2026-11-25 24:00",
                            "2026-11-25x10:00", "2026-11-25 10", "1800"}) {
    EXPECT_THROW((void)utc.parse(wrong), ValueError) << wrong;
  }
}

TEST(Calendar, refuses_a_zone_that_there_is_not) {
  EXPECT_THROW(Calendar("Europe/Atlantis", "monday"), StartupError);
}

}  // namespace
}  // namespace wiretally
