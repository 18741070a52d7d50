// SPDX-License-Identifier: Apache-2.0
// Reports from a history file that the test writes: the text byte for byte, CSV, JSON, SVG.
#include "control/report/report_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/startup_error.hpp"
#include "control/history/history_store.hpp"
#include "control/report/report_chart.hpp"
#include "tests/control/history/history_folder.hpp"

namespace wiretally {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kEvening = 1225134000;  // 2008-10-27 19:00 UTC

class ReportTest : public testing::Test {
 protected:
  ReportTest() {
    HistoryStore store(folder_.database(), calendar_, 1);
    HistoryBatch batch{1, {}};
    put(batch, "input", "", kEvening, 24'210'000);
    put(batch, "output", "", kEvening + 60, 3'370'000);
    put(batch, "input", "", kEvening + 3600, 999);
    put(batch, "input", "192.0.2.1", kEvening, 20'000'000);
    put(batch, "input", "other", kEvening, 4'210'000);
    store.add(batch, kEvening);
  }
  static void put(HistoryBatch& batch, const std::string& name, const std::string& group,
                  std::int64_t at, std::uint64_t octets) {
    batch.counts[{{SeriesKind::kMonitor, name, group}, at}] = {{1, octets, octets + 14}, {}, {}};
  }
  Report report(Level level, bool groups = false) {
    ReportQuery query;
    query.level = level;
    query.to = kEvening + 3600 + 1800;
    query.groups = groups;
    return make_report(HistoryReader(folder_.database()), calendar_, query);
  }

  HistoryFolder folder_;
  Calendar calendar_{"UTC", "sunday"};
};

TEST_F(ReportTest, reads_as_trafmetux_wrote_it) {
  EXPECT_EQ(report_as_text(report(Level::kHour), {}),
            "2008-10-27 19:00-20:00: [input= 24.21 MB] [output= 3.37 MB] [total= 27.58 MB]\n"
            "2008-10-27 20:00-21:00: [input= 999 B] [output= 0 B] [total= 999 B]\n");
  EXPECT_EQ(report_as_text(report(Level::kWeek), {}),
            "2008-10-26 - 2008-11-01: [input= 24.21 MB] [output= 3.37 MB] [total= 27.58 MB]\n");
}

// Weeks in the file begin on Sunday; a report may want another day, or another midnight.
TEST_F(ReportTest, cuts_periods_as_it_is_asked_to_not_as_the_file_was_written) {
  HistoryStore store(folder_.database(), calendar_, 2);
  HistoryBatch batch{1, {}};
  put(batch, "input", "", kEvening - 86400, 5'000'000);  // Sunday, 19:00 UTC
  store.add(batch, kEvening);
  calendar_ = Calendar("UTC", "monday");
  EXPECT_EQ(report_as_text(report(Level::kWeek), {}),
            "2008-10-20 - 2008-10-26: [input= 5.00 MB] [output= 0 B] [total= 5.00 MB]\n"
            "2008-10-27 - 2008-11-02: [input= 24.21 MB] [output= 3.37 MB] [total= 27.58 MB]\n");
  calendar_ = Calendar("Asia/Kolkata", "monday");  // 19:30 UTC is 1:00 of the next day
  EXPECT_EQ(report_as_text(report(Level::kDay), {}),
            "2008-10-26: [input= 0 B] [output= 0 B] [total= 0 B]\n"
            "2008-10-27: [input= 5.00 MB] [output= 0 B] [total= 5.00 MB]\n"
            "2008-10-28: [input= 24.21 MB] [output= 3.37 MB] [total= 27.58 MB]\n");
}

// What is left of an old year is one row that begins an hour before the year of UTC.
TEST_F(ReportTest, shows_a_period_of_another_zone_as_the_nearest) {
  const HistoryFolder folder;
  const Calendar paris("Europe/Paris", "monday");
  HistoryStore store(folder.database(), paris, 1);
  HistoryBatch batch{1, {}};
  put(batch, "input", "", kEvening, 7'000'000);
  put(batch, "input", "192.0.2.1", kEvening, 6'000'000);
  store.add(batch, kEvening);
  KeepTimes keep{};
  keep[static_cast<std::size_t>(Level::kYear)] = std::chrono::hours(24 * 365 * 9);
  EXPECT_EQ(store.prune(keep, kEvening + 86400 * 365), 12);
  ReportQuery query;
  query.level = Level::kYear;
  query.to = kEvening;
  query.groups = true;
  EXPECT_EQ(report_as_text(make_report(HistoryReader(folder.database()), calendar_, query), {}),
            "2007: [input= 0 B] [total= 0 B]\n"
            "2008: [input= 7.00 MB] [total= 7.00 MB]\n"
            "    192.0.2.1  6.00 MB\n");
}

TEST_F(ReportTest, takes_the_unit_that_is_asked_for) {
  ReportStyle style;
  style.unit = OctetUnit::kKiB;
  EXPECT_THAT(report_as_text(report(Level::kDay), style), HasSubstr("[output= 3291.02 KiB]"));
}

TEST_F(ReportTest, lists_groups_below_their_period) {
  EXPECT_EQ(report_as_text(report(Level::kDay, true), {}),
            "2008-10-27: [input= 24.21 MB] [output= 3.37 MB] [total= 27.58 MB]\n"
            "  input:\n"
            "    192.0.2.1  >= 20.00 MB\n"
            "    other      4.21 MB\n"
            ">= at least: what a group counted before it was among the heaviest is in other "
            "(history.groups)\n");
  EXPECT_THAT(report_as_csv(report(Level::kDay, true)),
              AllOf(HasSubstr(",input,,192.0.2.1,1,20000000,20000014,1\n"),
                    HasSubstr(",input,,other,1,4210000,4210014,0\n")));
  const auto json = nlohmann::json::parse(report_as_json(report(Level::kDay, true), "UTC"));
  EXPECT_EQ(json["rows"][0]["monitors"][0]["groups"][0]["at_least"], true);
  EXPECT_EQ(json["rows"][0]["monitors"][0]["groups"][1]["at_least"], false);
}

// `other` is no group: it takes in what is not shown, so that the rows add up.
TEST_F(ReportTest, shows_as_many_groups_as_are_asked_for_and_the_rest_together) {
  HistoryStore store(folder_.database(), calendar_, 2);
  HistoryBatch batch{1, {}};
  put(batch, "output", "192.0.2.7", kEvening, 2'000'000);
  put(batch, "output", "192.0.2.8", kEvening, 1'000'000);
  put(batch, "output", "192.0.2.9", kEvening, 370'000);
  store.add(batch, kEvening);
  ReportQuery query;
  query.level = Level::kDay;
  query.to = kEvening;
  query.groups = true;
  query.groups_max = 1;
  query.names = {"output"};
  const HistoryReader reader(folder_.database());
  EXPECT_THAT(report_as_text(make_report(reader, calendar_, query), {}),
              testing::EndsWith("]\n    192.0.2.7  2.00 MB\n    other      1.37 MB\n"));
  query.names = {"input", "output"};
  EXPECT_THAT(report_as_text(make_report(reader, calendar_, query), {}),
              HasSubstr("  input:\n    192.0.2.1  >= 20.00 MB\n    other      4.21 MB\n"
                        "  output:\n    192.0.2.7  2.00 MB\n    other      1.37 MB\n"));
}

TEST_F(ReportTest, says_that_the_total_has_packets_twice_where_monitors_overlap) {
  HistoryStore store(folder_.database(), calendar_, 2);
  store.add_overlaps("input", {"output"});
  store.add_overlaps("output", {kAnyMonitor});
  EXPECT_EQ(report_as_text(report(Level::kWeek), {}),
            "2008-10-26 - 2008-11-01: [input= 24.21 MB] [output= 3.37 MB] [total= 27.58 MB]\n"
            "total: the sum, in which packets count twice, for input, output overlap\n");
  const auto json = nlohmann::json::parse(report_as_json(report(Level::kWeek), "UTC"));
  EXPECT_EQ(json["overlapping"], (std::vector<std::string>{"input", "output"}));
  EXPECT_THAT(report_as_svg(report(Level::kWeek), {}, ""), HasSubstr("packets count twice"));
}

TEST_F(ReportTest, gives_scripts_exact_numbers) {
  EXPECT_THAT(report_as_csv(report(Level::kDay)),
              HasSubstr("2008-10-27,1225065600,1225152000,input,,,2,24210999,24211027,0\n"));
  const auto json = nlohmann::json::parse(report_as_json(report(Level::kDay), "UTC"));
  EXPECT_EQ(json["rows"][0]["monitors"][0]["octets"], 24'210'999);
  EXPECT_EQ(json["rows"][0]["total"]["octets"], 27'580'999);
}

TEST_F(ReportTest, draws_a_bar_for_each_figure) {
  const std::string svg = report_as_svg(report(Level::kHour), {}, "a <title>");
  EXPECT_THAT(svg, HasSubstr("a &lt;title&gt;"));
  std::size_t bars = 0;
  for (std::size_t at = svg.find("<rect x="); at != std::string::npos;
       at = svg.find("<rect x=", at + 1)) {
    ++bars;
  }
  EXPECT_EQ(bars, 3u + 2u);  // three that are not zero, two squares of the legend
}

TEST_F(ReportTest, names_what_there_is_when_asked_for_what_there_is_not) {
  ReportQuery query;
  query.names = {"putput"};
  query.to = kEvening;
  const HistoryReader reader(folder_.database());
  try {
    (void)make_report(reader, calendar_, query);
    FAIL() << "no error";
  } catch (const StartupError& error) {
    EXPECT_THAT(error.what(), HasSubstr("it has input, output"));
  }
}

}  // namespace
}  // namespace wiretally
