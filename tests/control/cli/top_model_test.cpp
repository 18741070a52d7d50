// SPDX-License-Identifier: Apache-2.0
// Rates over 2, 10 and 40 s, from ticks.
#include "control/cli/top_model.hpp"

#include <gtest/gtest.h>

namespace wiretally {
namespace {

TopRow row(const std::string& name, std::uint64_t octets, std::uint64_t total = 0,
           std::uint64_t flows = 1) {
  return {name, {octets / 100, octets, 0}, {total / 100, total, 0}, flows};
}

// Ticks differ by a nanosecond, as they do.
TopRows tick(int number, std::vector<TopRow> rows) {
  return {std::move(rows), 1 + 1e-9 * number};
}

const TopLine& line_of(const std::vector<TopLine>& lines, const std::string& name) {
  for (const TopLine& line : lines) {
    if (line.name == name) return line;
  }
  ADD_FAILURE() << "no line " << name;
  static const TopLine none;
  return none;
}

TEST(TopModel, has_a_rate_for_each_window) {
  TopModel model;
  for (int t = 0; t < 40; ++t) model.add(tick(t, {row("a", t < 30 ? 1000 : t < 38 ? 3000 : 9000)}));
  const TopLine a = line_of(model.lines(TopSort::kRate2, 10), "a");
  EXPECT_NEAR(a.octets_per_s[0], 9000, 1);
  EXPECT_NEAR(a.octets_per_s[1], (8 * 3000 + 2 * 9000) / 10.0, 1);
  EXPECT_NEAR(a.octets_per_s[2], (30 * 1000 + 8 * 3000 + 2 * 9000) / 40.0, 1);
  EXPECT_NEAR(a.packets_per_s, 90, 0.1);
}

TEST(TopModel, counts_a_tick_that_is_asked_for_twice_once) {
  TopModel model;
  for (int t = 0; t < 2; ++t) {
    model.add(tick(t, {row("a", t == 0 ? 1000 : 3000)}));
    model.add(tick(t, {row("a", t == 0 ? 1000 : 3000)}));
  }
  EXPECT_NEAR(line_of(model.lines(TopSort::kRate2, 10), "a").octets_per_s[1], 2000, 1);
}

TEST(TopModel, keeps_a_row_that_fell_silent_for_as_long_as_its_window) {
  TopModel model;
  model.add(tick(0, {row("gone", 40'000)}));
  for (int t = 1; t < 40; ++t) model.add(tick(t, {row("a", 100)}));
  const TopLine gone = line_of(model.lines(TopSort::kRate40, 10), "gone");
  EXPECT_EQ(gone.octets_per_s[0], 0);
  EXPECT_NEAR(gone.octets_per_s[2], 1000, 1);
  EXPECT_EQ(model.lines(TopSort::kRate40, 10).front().name, "gone");
  EXPECT_EQ(model.lines(TopSort::kRate2, 10).front().name, "a");
  for (int t = 40; t < 42; ++t) model.add(tick(t, {row("a", 100)}));
  for (const TopLine& line : model.lines(TopSort::kRate40, 10)) EXPECT_NE(line.name, "gone");
}

TEST(TopModel, sorts_by_what_is_asked_and_adds_the_others_up) {
  TopModel model;
  model.add(tick(0, {row("a", 3000, 10'000, 1), row("b", 2000, 90'000, 2), row("c", 1000, 5000, 9),
                     row("other", 500, 700, 4)}));
  const auto by_rate = model.lines(TopSort::kRate2, 2);
  ASSERT_EQ(by_rate.size(), 3u);
  EXPECT_EQ(by_rate[0].name, "a");
  EXPECT_EQ(by_rate[1].name, "b");
  EXPECT_EQ(by_rate[2].name, "other");
  EXPECT_NEAR(by_rate[2].octets_per_s[0], 1500, 1);
  EXPECT_EQ(by_rate[2].total.octets, 5700u);
  EXPECT_EQ(by_rate[2].flows, 13u);
  EXPECT_EQ(model.lines(TopSort::kOctets, 2)[0].name, "b");
  EXPECT_EQ(model.lines(TopSort::kFlows, 2)[0].name, "c");
  EXPECT_EQ(model.lines(TopSort::kPackets, 9)[0].name, "a");
}

TEST(TopModel, shows_names_that_hold_a_part) {
  TopModel model;
  model.add(tick(0, {row("web", 10), row("mail", 20), row("other", 30)}));
  const auto lines = model.lines(TopSort::kRate2, 10, "ma");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].name, "mail");
}

TEST(TopModel, of_nothing_has_no_line) {
  EXPECT_TRUE(TopModel().lines(TopSort::kRate2, 10).empty());
}

}  // namespace
}  // namespace wiretally
