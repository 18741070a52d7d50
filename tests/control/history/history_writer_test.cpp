// SPDX-License-Identifier: Apache-2.0
// What reaches the file, when it cannot be written, and after a run that did not end in order. The
// clock is the test's own.
#include "control/history/history_writer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/control/history/history_folder.hpp"

namespace wiretally {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kStart = 1795564800;  // 2026-11-25 00:00 UTC
const Series kWeb{SeriesKind::kMonitor, "web", ""};

class HistoryWriterTest : public testing::Test {
 protected:
  HistoryConfig config() {
    HistoryConfig config;
    config.path = folder_.database();
    config.timezone = "UTC";
    config.groups = 2;
    return config;
  }
  std::unique_ptr<HistoryWriter> writer() {
    return std::make_unique<HistoryWriter>(
        config(), [this](const std::string& line) { lines_.push_back(line); });
  }
  static SeriesSample sample(const Series& series, std::uint64_t octets) {
    return {series, {{1, octets, octets + 14}, {}, {}}};
  }
  static void add(HistoryWriter& writer, std::int64_t at, std::uint64_t octets) {
    const SeriesSample samples[] = {sample(kWeb, octets)};
    writer.add(at, samples);
  }
  std::uint64_t octets(Level level) {
    return sum_of(HistoryReader(folder_.database()), level, kWeb).octets;
  }

  HistoryFolder folder_;
  std::vector<std::string> lines_;
};

TEST_F(HistoryWriterTest, adds_to_every_level) {
  auto history = writer();
  add(*history, kStart, 100);
  add(*history, kStart + 59, 10);
  history->flush(kStart + 60, 60);
  add(*history, kStart + 60, 1);
  history->flush(kStart + 70, 70);
  for (std::size_t l = 0; l < kLevels; ++l) {
    EXPECT_EQ(octets(static_cast<Level>(l)), 111u) << kLevelNames[l];
  }
  const auto minutes = HistoryReader(folder_.database()).rows(Level::kMinute, kWeb, 0, INT64_MAX);
  ASSERT_EQ(minutes.size(), 2u);
  EXPECT_EQ(minutes[0].start, kStart);
  EXPECT_EQ(minutes[0].volume.total, (Volume{2, 110, 138}));
  EXPECT_EQ(history->status().flushes, 2u);
}

TEST_F(HistoryWriterTest, keeps_the_sum_of_groups_equal_to_the_monitor) {
  auto history = writer();
  for (int i = 0; i < 50; ++i) {
    std::vector<SeriesSample> samples = {sample(kWeb, 1000)};
    for (int g = 0; g < 10; ++g) {
      samples.push_back(sample({SeriesKind::kMonitor, "web", std::to_string(g)}, 100));
    }
    history->add(kStart + i * 10, samples);
  }
  history->flush(kStart + 600, 600);
  const auto groups =
      HistoryReader(folder_.database()).groups(Level::kDay, "web", kStart, kStart + 86400);
  EXPECT_EQ(groups.size(), 3u);  // two and `other`
  Volume sum;
  for (const auto& [name, volume] : groups) sum += volume.total;
  EXPECT_EQ(sum.octets, octets(Level::kDay));
  EXPECT_GT(groups.at("other").total.octets, 0u);
}

TEST_F(HistoryWriterTest, waits_for_a_locked_file_and_doubles_nothing) {
  auto history = writer();
  history->flush(kStart, 0);
  {
    Database other(folder_.database(), Database::Mode::kWrite);
    other.run("BEGIN EXCLUSIVE");
    add(*history, kStart, 100);
    history->flush(kStart + 10, 10);
    add(*history, kStart + 20, 10);
    history->flush(kStart + 30, 30);
    EXPECT_EQ(history->status().failures, 2u);
    EXPECT_THAT(history->status().trouble, HasSubstr("another program holds it"));
    other.run("COMMIT");
  }
  history->flush(kStart + 40, 40);
  EXPECT_EQ(octets(Level::kTotal), 110u);
  EXPECT_EQ(history->status().trouble, "");
  EXPECT_EQ(lines_.size(), 2u) << "one line for each change";
}

TEST_F(HistoryWriterTest, says_what_mends_a_damaged_file_and_begins_anew_once_it_is_away) {
  std::ofstream(folder_.database()) << std::string(8192, 'x');
  auto history = writer();
  add(*history, kStart, 100);
  history->flush(kStart + 10, 10);
  EXPECT_THAT(history->status().trouble, HasSubstr("move it away"));
  std::filesystem::rename(folder_.database(), folder_.database() + ".damaged");
  history->flush(kStart + 20, 20);
  EXPECT_EQ(octets(Level::kTotal), 100u);
}

TEST_F(HistoryWriterTest, makes_a_new_file_when_the_old_one_was_taken_away) {
  auto history = writer();
  add(*history, kStart, 100);
  history->flush(kStart + 10, 10);
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(folder_.database() + end);
  add(*history, kStart + 20, 10);
  history->flush(kStart + 30, 30);
  EXPECT_EQ(octets(Level::kTotal), 10u);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("was moved away or removed while it was written")));
}

TEST_F(HistoryWriterTest, remembers_which_monitors_count_the_same_packets) {
  {
    auto history = writer();
    history->note_overlaps({{"web", {"all"}}, {"all", {"web"}}});
    history->flush(kStart, 0);
  }
  auto history = writer();
  history->note_overlaps({{"all", {"dns"}}});
  history->flush(kStart + 10, 10);
  const HistoryReader reader(folder_.database());
  EXPECT_EQ(reader.overlaps("all"), (std::set<std::string>{"dns", "web"}));
  EXPECT_EQ(reader.overlaps("web"), std::set<std::string>{"all"});
  EXPECT_THAT(reader.overlaps("ssh"), IsEmpty());
}

// Each packet is in an interface's series and in those of two monitors: it is lost once.
TEST(HistoryBook, tells_of_a_loss_once_however_many_series_had_it) {
  HistoryBook book(2);
  const std::vector<Series> series = {{SeriesKind::kInterface, "eth0", ""},
                                      {SeriesKind::kInterface, "eth1", ""},
                                      {SeriesKind::kMonitor, "all", ""},
                                      {SeriesKind::kMonitor, "half", ""}};
  const auto add = [&](std::int64_t minute) {
    std::vector<SeriesSample> samples;
    for (std::size_t i = 0; i < series.size(); ++i) {
      const std::uint64_t packets = i == 2 ? 2 : 1;
      samples.push_back({series[i], {{packets, 100 * packets, 114 * packets}, {}, {}}});
    }
    book.add(kStart + minute * 60, samples);
  };
  const auto minutes = static_cast<std::int64_t>(HistoryBook::kRowsMax / series.size());
  for (std::int64_t minute = 0; minute < minutes; ++minute) add(minute);
  EXPECT_TRUE(book.lost().is_zero());
  EXPECT_EQ(book.pending().packets, 2 * HistoryBook::kRowsMax / series.size());
  for (std::int64_t minute = 0; minute < 3; ++minute) add(minutes + minute);
  EXPECT_EQ(book.lost(), (Volume{6, 600, 684}));
}

TEST_F(HistoryWriterTest, leaves_a_file_to_the_meter_that_has_it) {
  auto first = writer();
  add(*first, kStart, 5);
  first->flush(kStart + 10, 10);
  auto second = writer();
  add(*second, kStart, 7);
  second->flush(kStart + 10, 10);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("another meter writes it")));
  add(*first, kStart, 1);
  first->flush(kStart + 20, 20);
  EXPECT_EQ(octets(Level::kTotal), 6u);
  first.reset();
  second->flush(kStart + 30, 30);
  EXPECT_EQ(octets(Level::kTotal), 13u);
}

TEST_F(HistoryWriterTest, tells_of_a_run_that_was_killed_and_of_no_other) {
  {
    auto history = writer();
    add(*history, kStart, 1);
    history->flush(kStart + 10, 10);
    history->finish(kStart + 10, 10);
  }
  {
    auto history = writer();
    history->flush(kStart + 20, 20);
    EXPECT_THAT(lines_, IsEmpty());
    // Killed: the file as it is now, without an end in order.
    std::filesystem::copy(folder_.database(), folder_.database() + ".killed");
    for (const char* end : {"-wal"}) {
      std::filesystem::copy(folder_.database() + end, folder_.database() + ".killed" + end);
    }
  }
  HistoryConfig killed = config();
  killed.path += ".killed";
  HistoryWriter history(killed, [this](const std::string& line) { lines_.push_back(line); });
  history.flush(kStart + 30, 30);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("did not end in order")));
}

TEST_F(HistoryWriterTest, removes_what_is_older_than_it_is_kept) {
  HistoryConfig short_lived = config();
  short_lived.keep_minute = std::chrono::hours(1);
  HistoryWriter history(short_lived, [](const std::string&) {});
  add(history, kStart, 100);
  history.flush(kStart + 10, 10);
  add(history, kStart + 7200, 10);
  history.flush(kStart + 7210, 7210);
  EXPECT_EQ(octets(Level::kMinute), 10u);
  EXPECT_EQ(octets(Level::kHour), 110u);
}

TEST_F(HistoryWriterTest, spares_what_is_old_only_by_a_clock_that_jumped) {
  HistoryConfig short_lived = config();
  short_lived.keep_minute = std::chrono::hours(1);
  HistoryWriter history(short_lived, [](const std::string&) {});
  add(history, kStart, 100);
  history.flush(kStart + 10, 10);
  history.flush(kStart + 400 * 86400, 20);  // a year ahead, and back again
  history.flush(kStart + 7210, 7210);
  EXPECT_EQ(octets(Level::kMinute), 100u);
}

TEST_F(HistoryWriterTest, asks_for_samples_each_interval_and_each_minute) {
  auto history = writer();
  EXPECT_TRUE(history->due(kStart));
  EXPECT_FALSE(history->due(kStart + 9));
  EXPECT_TRUE(history->due(kStart + 10));
  EXPECT_TRUE(history->due(kStart + 60));
  EXPECT_TRUE(history->due(kStart - 3600)) << "a clock that went back";
}

}  // namespace
}  // namespace wiretally
