// SPDX-License-Identifier: Apache-2.0
// Quotas: periods of local time, states, what a restart knows, and commands that nobody waits for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "config/quota_values.hpp"
#include "config/values.hpp"
#include "control/history/history_writer.hpp"
#include "control/monitor/quota_keeper.hpp"
#include "tests/control/history/history_folder.hpp"

namespace wiretally {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

QuotaConfig quota_of(const std::string& octets, const std::string& per, std::uint32_t starts = 1) {
  QuotaConfig quota;
  quota.octets = octets;
  quota.per = per;
  quota.starts = starts;
  return quota;
}

TEST(QuotaValues, are_in_the_units_of_reports) {
  EXPECT_EQ(parse_traffic("3GB"), 3'000'000'000u);
  EXPECT_EQ(parse_traffic("1.5 TB"), 1'500'000'000'000u);
  EXPECT_EQ(parse_traffic("3GiB"), 3ull << 30);
  EXPECT_EQ(parse_traffic("12"), 12u);
  for (const char* text : {"", "GB", "3G", "3gb", "0", "-1GB", "1.2.3MB", ".", "99999999999TB"}) {
    EXPECT_THROW((void)parse_traffic(text), ValueError) << text;
  }
  EXPECT_EQ(parse_percent("80%"), 80u);
  EXPECT_EQ(parse_percent("7"), 7u);
  for (const char* text : {"", "%", "0%", "101%", "80 %"}) {
    EXPECT_THROW((void)parse_percent(text), ValueError) << text;
  }
}

TEST(QuotaPeriod, begins_a_month_on_its_day_or_the_last_there_is) {
  const Calendar calendar("Europe/Paris", "monday");
  const auto period = [&](std::uint32_t starts, const std::string& at) {
    const Period p = quota_period(quota_of("1GB", "month", starts), calendar, calendar.parse(at));
    std::ostringstream text;
    text << calendar.local(p.start) << " " << calendar.local(p.end);
    return text.str();
  };
  EXPECT_EQ(period(1, "2026-11-25 12:00"), "2026-11-01T00:00:00 2026-12-01T00:00:00");
  EXPECT_EQ(period(25, "2026-11-25 00:00"), "2026-11-25T00:00:00 2026-12-25T00:00:00");
  EXPECT_EQ(period(26, "2026-11-25 12:00"), "2026-10-26T00:00:00 2026-11-26T00:00:00");
  EXPECT_EQ(period(31, "2026-03-01 12:00"), "2026-02-28T00:00:00 2026-03-31T00:00:00");
  EXPECT_EQ(period(31, "2028-02-28 12:00"), "2028-01-31T00:00:00 2028-02-29T00:00:00");
  const auto day = quota_period(quota_of("1GB", "day"), calendar, calendar.parse("2026-03-29"));
  EXPECT_EQ(day.end - day.start, 23 * 3600) << "the clock goes forward";
}

class Quotas : public testing::Test {
 protected:
  Config config_of(const QuotaConfig& quota) {
    Config config;
    config.history.wanted = true;
    config.history.path = folder.database();
    config.history.timezone = "UTC";
    config.monitors.emplace_back().name = "lan";
    config.monitors.back().quota = quota;
    return config;
  }
  QuotaStatus update(QuotaKeeper& keeper, std::uint64_t octets, std::int64_t at) {
    std::vector<MonitorStatus> monitors(1);
    monitors[0].name = "lan";
    monitors[0].volume.total.octets = octets;
    keeper.update(monitors, at);
    keeper.wait_for_history();
    keeper.update(monitors, at);
    return monitors[0].quota;
  }

  HistoryFolder folder;
  std::vector<std::string> lines;
  QuotaKeeper::Log log = [this](const std::string& line) { lines.push_back(line); };
  const std::int64_t day = Calendar("UTC", "monday").parse("2026-11-25");
};

TEST_F(Quotas, say_once_how_they_stand_and_begin_again_with_the_period) {
  QuotaKeeper keeper(config_of(quota_of("1000", "day")), log);
  EXPECT_EQ(update(keeper, 0, day).state, QuotaState::kGood);
  EXPECT_EQ(update(keeper, 799, day + 3600).state, QuotaState::kGood);
  EXPECT_THAT(lines, IsEmpty());
  const QuotaStatus warning = update(keeper, 800, day + 6 * 3600);
  EXPECT_EQ(warning.state, QuotaState::kWarning);
  EXPECT_EQ(warning.limit, 1000u);
  EXPECT_EQ(warning.used, 800u);
  EXPECT_EQ(warning.expected, 3200u) << "a quarter of the day has gone";
  EXPECT_EQ(warning.ends_s - warning.starts_s, 24 * 3600);
  EXPECT_EQ(update(keeper, 1000, day + 7 * 3600).state, QuotaState::kWarning);
  EXPECT_EQ(update(keeper, 1001, day + 8 * 3600).state, QuotaState::kOver);
  EXPECT_EQ(update(keeper, 1500, day + 9 * 3600).state, QuotaState::kOver);
  const QuotaStatus next = update(keeper, 1600, day + 24 * 3600);
  EXPECT_EQ(next.state, QuotaState::kGood);
  EXPECT_EQ(next.used, 0u);
  EXPECT_EQ(update(keeper, 1700, day + 24 * 3600 + 1).used, 100u);
  EXPECT_THAT(lines, ElementsAre(HasSubstr("monitor lan: quota warning: 800 of 1000 octets"),
                                 HasSubstr("quota over: 1001 of 1000"),
                                 HasSubstr("quota good: 0 of 1000")));
}

TEST_F(Quotas, expect_no_more_of_a_second_than_of_a_minute) {
  QuotaKeeper keeper(config_of(quota_of("1000", "day")), log);
  (void)update(keeper, 0, day);
  EXPECT_EQ(update(keeper, 600, day + 1).expected, 600u + 10 * (86'400 - 1));
  EXPECT_EQ(update(keeper, 600, day + 60).expected, 600u + 10 * (86'400 - 60));
  EXPECT_EQ(update(keeper, 600, day + 120).expected, 600u + 5 * (86'400 - 120));
}

TEST_F(Quotas, know_after_a_restart_what_the_history_has) {
  const Config config = config_of(quota_of("1000", "day"));
  HistoryConfig history = config.history;
  HistoryWriter writer(history, log);
  for (const auto& [at, octets] :
       {std::pair(day - 60, 5000u), std::pair(day + 60, 600u), std::pair(day + 7200, 500u)}) {
    const SeriesSample sample{{SeriesKind::kMonitor, "lan", ""}, {{1, octets, octets}, {}, {}}};
    writer.add(at, {&sample, 1});
  }
  writer.flush(day + 7300, 100);
  ASSERT_THAT(lines, IsEmpty());
  QuotaKeeper keeper(config, log);
  const QuotaStatus quota = update(keeper, 40, day + 12 * 3600);
  EXPECT_EQ(quota.used, 1100u) << "what had been counted when it began is in the history";
  EXPECT_EQ(quota.state, QuotaState::kOver);
  EXPECT_EQ(update(keeper, 50, day + 12 * 3600 + 1).used, 1110u);
  EXPECT_THAT(lines, ElementsAre(HasSubstr("over since before the start")));
}

// A clock that was ahead: the day that it goes back to has been counted already.
TEST_F(Quotas, open_another_period_with_what_the_history_has_of_it_and_wait_for_nobody) {
  const Config config = config_of(quota_of("1000", "day"));
  HistoryWriter writer(config.history, log);
  const SeriesSample sample{{SeriesKind::kMonitor, "lan", ""}, {{1, 900, 900}, {}, {}}};
  writer.add(day + 60, {&sample, 1});
  writer.flush(day + 70, 100);
  QuotaKeeper keeper(config, log);
  EXPECT_EQ(update(keeper, 40, day + 24 * 3600).used, 0u);
  std::vector<MonitorStatus> monitors(1);
  monitors[0].name = "lan";
  monitors[0].volume.total.octets = 50;
  keeper.update(monitors, day + 3600);
  EXPECT_EQ(monitors[0].quota.used, 0u) << "counts go on while the history is read";
  EXPECT_THAT(lines, IsEmpty());
  keeper.wait_for_history();
  monitors[0].volume.total.octets = 60;
  keeper.update(monitors, day + 3601);
  EXPECT_EQ(monitors[0].quota.used, 910u);
  EXPECT_THAT(lines, ElementsAre(HasSubstr("quota warning: 910 of 1000")));
}

TEST_F(Quotas, run_their_command_once_each_time_it_gets_worse) {
  const std::string told = folder.database() + ".told";
  QuotaConfig quota = quota_of("1000", "day");
  quota.command = "echo $WIRETALLY_MONITOR $WIRETALLY_STATE $WIRETALLY_USED $WIRETALLY_LIMIT >> " +
                  told + "; test $WIRETALLY_STATE = warning";
  QuotaKeeper keeper(config_of(quota), log);
  const auto told_lines = [&] {
    std::ifstream file(told);
    std::vector<std::string> each;
    for (std::string line; std::getline(file, line);) each.push_back(line);
    return each;
  };
  const auto wait_for = [&](std::size_t count) {
    for (int i = 0; i < 500 && told_lines().size() < count; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return told_lines();
  };
  update(keeper, 0, day);
  update(keeper, 850, day + 10);
  EXPECT_THAT(wait_for(1), ElementsAre("lan warning 850 1000"));
  update(keeper, 900, day + 11);
  update(keeper, 2000, day + 12);
  EXPECT_THAT(wait_for(2), ElementsAre("lan warning 850 1000", "lan over 2000 1000"));
  for (int i = 0; i < 500 && lines.size() < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    update(keeper, 2000 + static_cast<std::uint64_t>(i), day + 13);
  }
  EXPECT_THAT(lines, ElementsAre(HasSubstr("quota warning"), HasSubstr("quota over"),
                                 HasSubstr("exited 1")));
  EXPECT_EQ(told_lines().size(), 2u);
}

TEST_F(Quotas, go_on_over_a_reload_and_start_with_a_new_counter) {
  Config config = config_of(quota_of("1000", "day"));
  QuotaKeeper keeper(config, log);
  update(keeper, 0, day);
  update(keeper, 300, day + 10);
  Config next = config_of(quota_of("2000", "day"));
  keeper.prepare(config, config).commit(config);
  EXPECT_EQ(update(keeper, 310, day + 11).used, 310u);
  keeper.prepare(config, next).commit(next);
  EXPECT_EQ(update(keeper, 320, day + 12).limit, 2000u);
  EXPECT_EQ(update(keeper, 5, day + 13).used, 0u) << "the monitor began anew";
  next.monitors[0].quota.octets.clear();
  keeper.prepare(config, next).commit(next);
  EXPECT_EQ(update(keeper, 6, day + 14).state, QuotaState::kNone);
}

}  // namespace
}  // namespace wiretally
