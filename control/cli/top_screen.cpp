// SPDX-License-Identifier: Apache-2.0
// Keys and layout. Thread: main.
#include "control/cli/top_screen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "control/cli/human_text.hpp"
#include "control/cli/short_name.hpp"
#include "control/cli/text_table.hpp"

namespace wiretally {
namespace {

constexpr char kEscape = 27;
constexpr char kInterrupt = 3;
constexpr std::size_t kFilterMax = 1000;
constexpr std::size_t kLinesBeside = 5;  // title, blank, headings, other, foot
constexpr std::size_t kBarColumns = 10;
constexpr std::size_t kBarColumnsMin = 5;  // a long name goes before its bar
constexpr std::size_t kNameColumnsMin = 20;
constexpr std::size_t kNumberColumns = 82;  // what the columns beside the name take at most
constexpr std::string_view kKeys =
    "f flows  s sources  d destinations  h hosts  p ports  o protocols  m monitors   "
    "1 2 3 k b c sort  / filter  space pause  q quit";
constexpr std::string_view kKeysShort =
    "f s d h p o m view  1 2 3 k b c sort  / filter  space pause  q quit";

const std::map<char, std::string> kViewOfKey = {
    {'f', "flow"}, {'s', "source"},   {'d', "destination"}, {'h', "host"},
    {'p', "port"}, {'o', "protocol"}, {'m', "monitor"}};

const std::map<char, TopSort> kSortOfKey = {{'1', TopSort::kRate2},  {'2', TopSort::kRate10},
                                            {'3', TopSort::kRate40}, {'k', TopSort::kPackets},
                                            {'b', TopSort::kOctets}, {'c', TopSort::kFlows}};

std::string_view name_of(TopSort sort) {
  switch (sort) {
    case TopSort::kRate2:
      return "rate of 2 s";
    case TopSort::kRate10:
      return "rate of 10 s";
    case TopSort::kRate40:
      return "rate of 40 s";
    case TopSort::kPackets:
      return "packet rate";
    case TopSort::kOctets:
      return "octets";
    case TopSort::kFlows:
      return "flows";
  }
  return "";
}

bool begins_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

// UTF-8 without colours, cut to so many characters.
std::string fitted(const std::string& line, std::size_t columns) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (begins_character(line[i]) && ++characters > columns) return line.substr(0, i);
  }
  return line;
}

// Which of the rates is meant.
std::size_t window_of(TopSort sort) {
  return sort == TopSort::kRate10 ? 1 : sort == TopSort::kRate40 ? 2 : 0;
}

double share_of(const TopLine& line, double whole, TopSort sort) {
  return whole > 0 ? line.octets_per_s[window_of(sort)] / whole : 0;
}

// A terminal of 80 columns has room for one rate.
std::vector<std::size_t> windows_in(std::size_t columns, TopSort sort) {
  if (columns < kNumberColumns + kNameColumnsMin) return {window_of(sort)};
  return {0, 1, 2};
}

}  // namespace

TopScreen::Next TopScreen::press(char key) {
  if (key == kInterrupt) return Next::kQuit;
  if (editing_) return edit(key);
  message_.clear();
  if (key == 'q') return Next::kQuit;
  if (key == ' ') {
    paused_ = !paused_;
    frozen_ = model_;
    return Next::kDraw;
  }
  if (key == '/') {
    editing_ = true;
    edited_ = of_monitors() ? name_part_ : filter_;
    return Next::kDraw;
  }
  if (const auto view = kViewOfKey.find(key); view != kViewOfKey.end()) {
    return change_view(view->second);
  }
  const auto sort = kSortOfKey.find(key);
  return sort == kSortOfKey.end() ? Next::kNothing : change_sort(sort->second);
}

TopScreen::Next TopScreen::edit(char key) {
  if (key == kEscape) {
    editing_ = false;
  } else if (key == '\n' || key == '\r') {
    editing_ = false;
    if (of_monitors()) {
      name_part_ = edited_;
      return Next::kDraw;
    }
    filter_before_ = std::exchange(filter_, edited_);
    model_.clear();
    return Next::kAsk;
  } else if (key == '\b' || key == 0x7f) {
    while (!edited_.empty() && !begins_character(edited_.back())) edited_.pop_back();
    if (!edited_.empty()) edited_.pop_back();
  } else if (static_cast<unsigned char>(key) >= 0x20 && edited_.size() < kFilterMax) {
    edited_ += key;
  }
  return Next::kDraw;
}

TopScreen::Next TopScreen::change_view(std::string by) {
  by_ = std::move(by);
  paused_ = false;
  model_.clear();
  return Next::kAsk;
}

TopScreen::Next TopScreen::change_sort(TopSort sort) {
  sort_ = sort;
  return Next::kDraw;
}

void TopScreen::add(const TopRows& rows) {
  model_.add(rows);
}

void TopScreen::refuse_filter(const std::string& why) {
  filter_ = filter_before_;
  message_ = why;
}

std::string TopScreen::title(std::size_t columns, const Style& style) const {
  const std::string what = "wiretally top by " + by_;
  std::string more = fmt::format("   sorted by {}", name_of(sort_));
  const std::string& filter = of_monitors() ? name_part_ : filter_;
  if (!filter.empty()) more += "   only " + filter;
  const std::string paused = paused_ ? "   paused" : "";
  const std::string line = fitted(what + paused + more, columns);
  const std::size_t bold = std::min(line.size(), what.size() + paused.size());
  return style.bold(line.substr(0, bold)) + style.dim(line.substr(bold));
}

std::vector<std::string> TopScreen::table(std::size_t columns, std::size_t rows,
                                          const Style& style) const {
  const std::vector<TopLine> lines =
      shown().lines(sort_, rows, of_monitors() ? name_part_ : std::string());
  static constexpr const char* kWindowNames[] = {"2 s", "10 s", "40 s"};
  const std::vector<std::size_t> windows = windows_in(columns, sort_);
  std::vector<std::string> headings = {by_};
  for (const std::size_t window : windows) headings.emplace_back(kWindowNames[window]);
  headings.insert(headings.end(), {"packet rate", "share", "octets", "flows"});
  double whole = 0;
  std::size_t longest = kNameColumnsMin;
  for (const TopLine& line : lines) {
    whole += share_of(line, 1, sort_);
    longest = std::max(longest, line.name.size());
  }
  std::vector<std::vector<std::string>> cells;
  for (const TopLine& line : lines) {
    std::vector<std::string>& row = cells.emplace_back(1, line.name);
    for (const std::size_t window : windows) {
      row.push_back(bit_rate_text(8 * line.octets_per_s[window]));
    }
    row.insert(row.end(),
               {packet_rate_text(line.packets_per_s),
                fmt::format("{:.1f} %", share_of(line, whole, sort_) * 100),
                octets_text(static_cast<double>(line.total.octets)), grouped(line.flows)});
  }
  const std::size_t numbers = columns_beside_name(headings, cells);
  const std::size_t without_bars = numbers + longest + 2;
  const std::size_t left = columns > without_bars ? columns - without_bars : 0;
  const std::size_t bar_columns = left < kBarColumnsMin ? 0 : std::min(left, kBarColumns);
  const std::size_t taken = numbers + (bar_columns > 0 ? bar_columns + 2 : 0);
  const std::size_t name_columns = std::max(kNameColumnsMin, columns > taken ? columns - taken : 0);
  std::vector<TextTable::Column> heads = {{by_}};
  for (std::size_t i = 1; i < headings.size(); ++i) heads.push_back({headings[i], Align::kRight});
  heads.push_back({""});
  TextTable table(std::move(heads));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    cells[i][0] = short_name(lines[i].name, name_columns);
    const double share = share_of(lines[i], whole, sort_);
    cells[i].push_back(bar_columns > 0 ? share_bar(share, static_cast<int>(bar_columns)) : "");
    table.add_row(std::move(cells[i]));
  }
  std::vector<std::string> shown_lines;
  for (std::string line : table.lines()) {
    if (!line.empty() && line.back() == '\n') line.pop_back();
    line = fitted(line, columns);
    shown_lines.push_back(shown_lines.empty() ? style.bold(line) : line);
  }
  if (lines.empty()) shown_lines.emplace_back("nothing to show");
  return shown_lines;
}

std::string TopScreen::foot(std::size_t columns, const Style& style) const {
  if (editing_) {
    const std::string prompt = of_monitors() ? "part of a name: " : "filter, as tcpdump's: ";
    return fitted(prompt + edited_ + "_", columns);
  }
  if (!message_.empty()) return style.warn(fitted(message_, columns));
  return style.dim(fitted(std::string(columns < kKeys.size() ? kKeysShort : kKeys), columns));
}

std::string TopScreen::text(std::size_t columns, std::size_t rows, const Style& style) const {
  const std::size_t room = rows > kLinesBeside ? rows - kLinesBeside : 1;
  std::string screen = title(columns, style) + "\n\n";
  const std::vector<std::string> lines = table(columns, room, style);
  for (const std::string& line : lines) screen += line + "\n";
  for (std::size_t line = lines.size() + 3; line < rows; ++line) screen += "\n";
  return screen + foot(columns, style);
}

}  // namespace wiretally
