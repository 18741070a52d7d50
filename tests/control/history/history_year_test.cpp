// SPDX-License-Identifier: Apache-2.0
// A year in local time, with both changes, a leap day, and a wall clock that steps back by an hour
// and forward by a day: what was fed in is in every level, once.
#include <gtest/gtest.h>

#include <random>

#include "control/history/history_writer.hpp"
#include "tests/control/history/history_folder.hpp"

namespace wiretally {
namespace {

const Series kLan{SeriesKind::kMonitor, "lan", ""};

class HistoryYear : public testing::TestWithParam<const char*> {};

TEST_P(HistoryYear, sums_are_what_was_fed_in_at_every_level) {
  const HistoryFolder folder;
  HistoryConfig config;
  config.path = folder.database();
  config.timezone = GetParam();
  config.keep_minute = config.keep_five_minutes = config.keep_hour = std::chrono::hours(24 * 1000);
  HistoryWriter history(config, [](const std::string& line) { ADD_FAILURE() << line; });
  constexpr unsigned kSeed = 20281;
  std::mt19937 random(kSeed);
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);

  constexpr std::int64_t kYearStart = 1830297600;  // 2028-01-01 00:00 UTC, a leap year
  constexpr std::int64_t kMinutes = 366 * 24 * 60;
  Volume fed;
  std::int64_t step = 0;
  for (std::int64_t minute = 0; minute < kMinutes; minute += 7) {
    if (minute == 100'002) step -= 3600;   // back by an hour
    if (minute == 300'006) step += 86400;  // forward by a day
    const std::int64_t wall = kYearStart + step + minute * 60 + 30;
    const Volume volume{1 + random() % 1000, random() % 1'000'000, random() % 1'000'000};
    const Volume in{volume.packets / 2, volume.octets / 3, volume.l2_octets / 4};
    fed += volume;
    const SeriesSample samples[] = {{kLan, {volume, in, volume - in}}};
    history.add(wall, samples);
    if (minute % 1001 == 0) history.flush(wall, minute * 60);
  }
  history.finish(kYearStart + step + kMinutes * 60, kMinutes * 60);

  const HistoryReader reader(folder.database());
  const Calendar calendar(config.timezone, config.week_starts);
  for (std::size_t l = 0; l < kLevels; ++l) {
    const auto level = static_cast<Level>(l);
    EXPECT_EQ(sum_of(reader, level, kLan), fed) << kLevelNames[l];
    for (const HistoryRow& row : reader.rows(level, kLan, 0, INT64_MAX)) {
      ASSERT_EQ(calendar.period(level, row.start).start, row.start) << kLevelNames[l];
      ASSERT_EQ(row.volume.in.octets + row.volume.out.octets, row.volume.total.octets);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Zones, HistoryYear, testing::Values("Europe/Paris", "Australia/Sydney"), [](const auto& zone) {
      return std::string(zone.param).substr(std::string(zone.param).find('/') + 1);
    });

}  // namespace
}  // namespace wiretally
