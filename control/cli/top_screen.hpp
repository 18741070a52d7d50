// SPDX-License-Identifier: Apache-2.0
// `top` on a terminal, without the terminal: keys in, a screen of text out. Thread: main.
#pragma once

#include <string>
#include <vector>

#include "control/cli/terminal.hpp"
#include "control/cli/top_model.hpp"

namespace wiretally {

class TopScreen {
 public:
  // What a key asks of who shows the screen. kAsk: rows of another view or filter are wanted.
  enum class Next : std::uint8_t { kNothing, kDraw, kAsk, kQuit };

  TopScreen(std::string by, std::string filter) : by_(std::move(by)), filter_(std::move(filter)) {}

  [[nodiscard]] const std::string& by() const { return by_; }  // flow, host, ..., monitor
  [[nodiscard]] bool of_monitors() const { return by_ == "monitor"; }
  [[nodiscard]] const std::string& filter() const { return filter_; }  // of flows

  Next press(char key);
  void add(const TopRows& rows);
  // The filter is none; the one before holds again.
  void refuse_filter(const std::string& why);

  // As many lines as `rows` at the most, none wider than `columns`.
  [[nodiscard]] std::string text(std::size_t columns, std::size_t rows, const Style& style) const;

 private:
  Next edit(char key);
  Next change_view(std::string by);
  Next change_sort(TopSort sort);
  [[nodiscard]] std::string title(std::size_t columns, const Style& style) const;
  [[nodiscard]] std::vector<std::string> table(std::size_t columns, std::size_t rows,
                                               const Style& style) const;
  [[nodiscard]] std::string foot(std::size_t columns, const Style& style) const;
  [[nodiscard]] const TopModel& shown() const { return paused_ ? frozen_ : model_; }

  std::string by_;
  std::string filter_;
  std::string filter_before_;
  std::string name_part_;  // of monitors
  TopSort sort_ = TopSort::kRate2;
  bool paused_ = false;
  bool editing_ = false;
  std::string edited_;
  std::string message_;  // until the next key
  TopModel model_;
  TopModel frozen_;  // what is looked at during a pause
};

}  // namespace wiretally
