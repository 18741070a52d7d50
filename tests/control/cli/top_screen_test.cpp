// SPDX-License-Identifier: Apache-2.0
// The screen of `top`: what keys do, and that it fits every terminal.
#include "control/cli/top_screen.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "control/cli/short_name.hpp"

namespace wiretally {
namespace {

using Next = TopScreen::Next;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TopRows rows(double seconds = 1) {
  return {{{"192.0.2.1", {10, 3000, 0}, {100, 30'000, 0}, 3},
           {"198.51.100.77", {50, 1000, 0}, {500, 900'000, 0}, 1},
           {"other", {1, 500, 0}, {5, 1000, 0}, 7}},
          seconds};
}

TopScreen screen() {
  TopScreen made("host", "");
  made.add(rows());
  return made;
}

std::string text(const TopScreen& screen, std::size_t columns = 120, std::size_t lines = 24) {
  return screen.text(columns, lines, Style());
}

std::size_t characters(const std::string& line) {
  return static_cast<std::size_t>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

TEST(TopScreen, shows_rates_of_2_10_and_40_s) {
  const std::string shown = text(screen());
  EXPECT_THAT(shown, HasSubstr("wiretally top by host   sorted by rate of 2 s\n"));
  EXPECT_THAT(shown, testing::ContainsRegex("host +2 s +10 s +40 s +packet rate +share"));
  EXPECT_THAT(shown, testing::ContainsRegex("192.0.2.1 .*24.0 kbit/s.*66.7 %"));
  EXPECT_THAT(shown, HasSubstr("other"));
}

TEST(TopScreen, changes_view_and_asks_for_it) {
  TopScreen shown = screen();
  EXPECT_EQ(shown.press('p'), Next::kAsk);
  EXPECT_EQ(shown.by(), "port");
  EXPECT_THAT(text(shown), HasSubstr("nothing to show"));
  EXPECT_EQ(shown.press('m'), Next::kAsk);
  EXPECT_TRUE(shown.of_monitors());
  EXPECT_EQ(shown.press('x'), Next::kNothing);
  EXPECT_EQ(shown.press('q'), Next::kQuit);
  EXPECT_EQ(shown.press('\003'), Next::kQuit);
}

TEST(TopScreen, sorts_by_key) {
  TopScreen shown = screen();
  EXPECT_LT(text(shown).find("192.0.2.1"), text(shown).find("198.51.100.77"));
  EXPECT_EQ(shown.press('b'), Next::kDraw);
  EXPECT_THAT(text(shown), HasSubstr("sorted by octets"));
  EXPECT_GT(text(shown).find("192.0.2.1"), text(shown).find("198.51.100.77"));
}

TEST(TopScreen, pauses_what_is_shown_and_goes_on_counting) {
  TopScreen shown = screen();
  EXPECT_EQ(shown.press(' '), Next::kDraw);
  const std::string before = text(shown);
  EXPECT_THAT(before, HasSubstr("paused"));
  for (int t = 0; t < 5; ++t) shown.add({{{"203.0.113.9", {1, 99'000, 0}, {1, 1, 0}, 1}}, 1.0 + t});
  EXPECT_EQ(text(shown), before);
  shown.press(' ');
  EXPECT_THAT(text(shown), HasSubstr("203.0.113.9"));
}

TEST(TopScreen, takes_a_filter_letter_by_letter) {
  TopScreen shown = screen();
  shown.press('/');
  for (const char key : std::string("udpx\x7f")) EXPECT_EQ(shown.press(key), Next::kDraw);
  EXPECT_THAT(text(shown), HasSubstr("filter, as tcpdump's: udp_"));
  EXPECT_EQ(shown.press('\n'), Next::kAsk);
  EXPECT_EQ(shown.filter(), "udp");
  EXPECT_THAT(text(shown), HasSubstr("only udp"));

  shown.press('/');
  shown.press('(');
  EXPECT_EQ(shown.press('\r'), Next::kAsk);
  EXPECT_EQ(shown.filter(), "udp(");
  shown.refuse_filter("refuses: udp( is no filter");
  EXPECT_EQ(shown.filter(), "udp") << "the one before holds";
  EXPECT_THAT(text(shown), HasSubstr("udp( is no filter"));

  shown.press('/');
  shown.press('q');
  EXPECT_EQ(shown.press(27), Next::kDraw);
  EXPECT_EQ(shown.filter(), "udp") << "Esc leaves it";
}

TEST(TopScreen, picks_monitors_by_a_part_of_their_name) {
  TopScreen shown("monitor", "");
  shown.add({{{"web", {1, 100, 0}, {}, 1}, {"mail", {1, 200, 0}, {}, 1}}, 1});
  shown.press('/');
  for (const char key : std::string("we")) shown.press(key);
  EXPECT_EQ(shown.press('\n'), Next::kDraw);
  EXPECT_EQ(shown.filter(), "") << "no filter of flows";
  EXPECT_THAT(text(shown), HasSubstr("web"));
  EXPECT_THAT(text(shown), Not(HasSubstr("mail")));
}

// What matters is there on a terminal of 80 columns, too.
TEST(TopScreen, has_one_rate_and_all_keys_on_a_small_terminal) {
  TopScreen shown = screen();
  const std::string drawn = text(shown, 80);
  EXPECT_THAT(drawn, HasSubstr("q quit"));
  EXPECT_THAT(drawn, HasSubstr("flows\n"));
  EXPECT_THAT(drawn, Not(HasSubstr("40 s")));
  shown.press('3');
  EXPECT_THAT(text(shown, 80), HasSubstr("40 s"));
  EXPECT_THAT(text(shown, 80), HasSubstr("flows\n"));
}

TEST(TopScreen, keeps_ports_whole_on_a_small_terminal) {
  TopScreen shown("flow", "");
  const std::string address = "2001:db8:1234:5678:9abc:def0:1111:222";
  shown.add({{{address + "3 65535 > " + address + "4 44333 protocol 17",
               {900, 1'000'000, 0},
               {1, 1'230'000'000, 0},
               1234},
              {"192.0.2.1 50000 > " + address + "4 443 protocol 6", {90, 200'000, 0}, {}, 12}},
             1});
  const std::string drawn = text(shown, 80);
  EXPECT_THAT(drawn, ContainsRegex("2[^ ]*3 65535 > 2[^ ]*4 44333 udp "));
  EXPECT_THAT(drawn, ContainsRegex("1[^ ]*1 50000 > 2[^ ]*4 443 tcp "));
}

TEST(ShortName, shares_the_room_between_two_addresses) {
  const std::string name = "2001:db8::1:2:3:4 65535 > 10.0.0.1 53 protocol 17";
  EXPECT_EQ(short_name(name, 80), name);
  EXPECT_EQ(short_name(name, 42), "2001:db8::1:2:3:4 65535 > 10.0.0.1 53 udp");
  EXPECT_EQ(short_name(name, 36), "2001:…:2:3:4 65535 > 10.0.0.1 53 udp");
  EXPECT_EQ(short_name(name, 20), "2…:4 65535 > 1….1 53");
  EXPECT_EQ(short_name("2001:db8::1:2:3:4", 9), "2001…:3:4");
}

TEST(TopScreen, fits_any_terminal) {
  TopScreen shown("flow", std::string(200, 'x'));
  TopRows many;
  many.recent_seconds = 1;
  for (int i = 0; i < 300; ++i) {
    many.rows.push_back({"[2001:db8:ffff:ffff:ffff:ffff:ffff:" + std::to_string(i) +
                             "]:65535 > [2001:db8::1]:443 tcp",
                         {1'000'000, 2'000'000'000, 0},
                         {1, 9'000'000'000'000, 0},
                         1'000'000});
  }
  shown.add(many);
  for (const std::size_t columns : {1, 10, 40, 80, 113, 114, 120, 200, 400}) {
    for (const std::size_t lines : {6, 24, 60}) {
      const std::string drawn = text(shown, columns, lines);
      EXPECT_LT(static_cast<std::size_t>(std::ranges::count(drawn, '\n')), lines);
      std::size_t begin = 0;
      while (begin < drawn.size()) {
        const std::size_t end = std::min(drawn.find('\n', begin), drawn.size());
        EXPECT_LE(characters(drawn.substr(begin, end - begin)), columns);
        begin = end + 1;
      }
    }
  }
}

}  // namespace
}  // namespace wiretally
