// SPDX-License-Identifier: Apache-2.0
// When dumps are due, and when counts begin anew. The times of the third and fourth test are those
// at which Debian's ipfm 0.11.5 dumped and cleared, fed with a packet each ten seconds.
#include "control/dump/dump_schedule.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace wiretally {
namespace {

using namespace std::chrono_literals;
using Time = std::int64_t;

constexpr Time kNow = 1'700'000'000;  // 2023-11-14 22:13:20 UTC
constexpr Time kDay = 86'400;

DumpConfig every(std::chrono::nanoseconds period, std::chrono::nanoseconds after = 0s) {
  DumpConfig config;
  config.every = period;
  config.after = after;
  return config;
}

TEST(DumpSchedule, is_counted_from_1970_in_utc) {
  EXPECT_EQ(DumpSchedule(every(24h)).next(kNow) % kDay, 0);
  EXPECT_EQ(DumpSchedule(every(24h)).next(kNow) - kNow, kDay - 80'000);
  EXPECT_EQ(DumpSchedule(every(24h, 14h)).next(kNow) % kDay, 14 * 3600);
  EXPECT_EQ(DumpSchedule(every(1h, 7min)).next(kNow), kNow + 53 * 60 + 40);
  EXPECT_EQ(DumpSchedule(every(48h)).next(kNow) % (2 * kDay), 0);
}

TEST(DumpSchedule, has_the_end_of_a_period_in_the_next) {
  const DumpSchedule schedule(every(60s));
  EXPECT_EQ(schedule.next(119), 120);
  EXPECT_EQ(schedule.next(120), 180);
  EXPECT_EQ(schedule.next(-1), 0);
  EXPECT_EQ(schedule.next(-60), 0);
  EXPECT_EQ(schedule.next(-61), -60);
}

TEST(DumpSchedule, dumps_when_ipfm_dumps) {
  EXPECT_EQ(DumpSchedule(every(60s)).next(kNow), kNow + 40);                       // 22:14:00
  EXPECT_EQ(DumpSchedule(every(60s, 7s)).next(kNow), kNow + 47);                   // 22:14:07
  EXPECT_EQ(DumpSchedule(every(90s, 7s)).next(kNow), kNow + 17);                   // 22:13:37
  EXPECT_EQ(DumpSchedule(every(90min, 1h + 5s)).next(kNow), kNow + 76 * 60 + 45);  // 23:30:05
  EXPECT_EQ(DumpSchedule(every(90min)).next(kNow), kNow + 16 * 60 + 40);           // 22:30:00
}

TEST(DumpSchedule, clears_when_ipfm_clears) {
  DumpConfig config = every(60s);
  config.clear = "3m";
  const DumpSchedule plain(config);
  EXPECT_FALSE(plain.clears_within(kNow + 40, kNow + 40));
  EXPECT_TRUE(plain.clears_within(kNow + 100, kNow + 100));  // 22:15:00
  EXPECT_FALSE(plain.clears_within(kNow + 160, kNow + 160));
  EXPECT_TRUE(plain.clears_within(kNow + 280, kNow + 280));  // 22:18:00

  config = every(60s, 7s);
  config.clear = "3m";
  config.clear_after = 60s;
  const DumpSchedule later(config);
  EXPECT_FALSE(later.clears_within(kNow + 107, kNow + 107));
  EXPECT_TRUE(later.clears_within(kNow + 167, kNow + 167));  // 22:16:07
}

TEST(DumpSchedule, clears_always_or_never) {
  DumpConfig config = every(60s, 7s);
  EXPECT_TRUE(DumpSchedule(config).clears_within(kNow + 47, kNow + 47));
  EXPECT_TRUE(DumpSchedule(config).clears_within(kNow + 107, kNow + 107));
  config.clear = "never";
  EXPECT_FALSE(DumpSchedule(config).clears_within(0, kNow));
}

TEST(DumpSchedule, clears_for_the_periods_that_were_left_out_too) {
  DumpConfig config = every(1h);
  config.clear = "1d";
  const DumpSchedule schedule(config);
  const Time noon = kNow - kNow % kDay + kDay / 2;
  EXPECT_FALSE(schedule.clears_within(noon, noon + 11 * 3600));
  EXPECT_TRUE(schedule.clears_within(noon, noon + 12 * 3600));
}

TEST(DumpSchedule, lies_on_a_grid) {
  EXPECT_EQ(DumpSchedule(every(1h)).grid(), 3600);
  EXPECT_EQ(DumpSchedule(every(1h, 5min)).grid(), 300);
  EXPECT_EQ(DumpSchedule(every(90s, 7s)).grid(), 1);
}

}  // namespace
}  // namespace wiretally
