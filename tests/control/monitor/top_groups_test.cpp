// SPDX-License-Identifier: Apache-2.0
// metrics.top: bounded, steady, and exact in sum whoever comes and goes.
#include "control/monitor/top_groups.hpp"

#include <gtest/gtest.h>

#include "tests/control/monitor/monitor_samples.hpp"

namespace wiretally {
namespace {

class TopGroupsTest : public testing::Test {
 protected:
  void count(std::uint8_t host, std::uint64_t octets) {
    const std::uint8_t key[] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, host};
    if (!numbers.contains(host)) numbers[host] = monitor.add_group(key);
    monitor.count_group(numbers.at(host), {1, octets, octets + 14}, 0, Way::kThrough, now);
  }
  std::map<std::string, std::uint64_t> octets() {
    std::map<std::string, std::uint64_t> named;
    for (const GroupStatus& row : top.rows(monitor)) named[row.name] = row.volume.total.octets;
    return named;
  }
  std::uint64_t sum() {
    std::uint64_t all = 0;
    for (const auto& [name, each] : octets()) all += each;
    return all;
  }

  TimeNs now = 0;
  std::map<std::uint8_t, std::uint32_t> numbers;  // of groups
  Monitor monitor{test::monitor_of("hosts", "", {"src_host"})};
  TopGroups top;
};

TEST_F(TopGroupsTest, keeps_the_heaviest_and_all_the_rest_in_other) {
  for (std::uint8_t host = 1; host <= 20; ++host) count(host, host * 100u);
  top.refresh(monitor, 3);
  for (std::uint8_t host = 1; host <= 20; ++host) count(host, host * 100u);
  top.refresh(monitor, 3);
  const auto rows = octets();
  EXPECT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows.at("10.0.0.20"), 4000u);
  EXPECT_EQ(rows.at("10.0.0.18"), 3600u);
  EXPECT_EQ(sum(), 42'000u);
}

TEST_F(TopGroupsTest, changes_only_for_one_that_is_clearly_heavier) {
  count(1, 1000);
  top.refresh(monitor, 1);
  count(2, 1100);
  top.refresh(monitor, 1);
  EXPECT_TRUE(octets().contains("10.0.0.1"));
  count(2, 200);
  top.refresh(monitor, 1);
  EXPECT_TRUE(octets().contains("10.0.0.2"));
  EXPECT_EQ(octets().size(), 2u);
  EXPECT_EQ(sum(), 2300u);
}

TEST_F(TopGroupsTest, never_lets_a_series_or_the_sum_shrink) {
  std::mt19937_64 random(7);
  std::map<std::string, std::uint64_t> before;
  std::uint64_t all = 0;
  for (int tick = 0; tick < 300; ++tick) {
    for (int i = 0; i < 20; ++i) {
      const auto host =
          static_cast<std::uint8_t>(1 + (random() % 40 + static_cast<unsigned>(tick) / 10) % 200);
      const std::uint64_t more = random() % 5000;
      count(host, more);
      all += more;
    }
    if (tick == 150) {
      top.refresh(monitor, 5);
      monitor.clear_groups();
      numbers.clear();
      top.forget();
      const std::uint64_t other = before["other"];
      before = {{"other", other}};
    }
    top.refresh(monitor, tick < 250 ? 5 : 2);
    const auto rows = octets();
    EXPECT_LE(rows.size(), tick < 250 ? 6u : 3u);
    EXPECT_EQ(sum(), all) << tick;
    EXPECT_GE(rows.at("other"), before.contains("other") ? before.at("other") : 0);
    for (const auto& [name, each] : rows) {
      if (before.contains(name)) {
        EXPECT_GE(each, before.at(name)) << name;
      }
    }
    before = rows;
  }
}

}  // namespace
}  // namespace wiretally
