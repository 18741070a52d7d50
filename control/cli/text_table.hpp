// SPDX-License-Identifier: Apache-2.0
// Columns that line up: text to the left, numbers to the right, two spaces between.
// Thread: any.
#pragma once

#include <string>
#include <vector>

namespace wiretally {

enum class Align : std::uint8_t { kLeft, kRight };

class TextTable {
 public:
  struct Column {
    std::string heading;
    Align align = Align::kLeft;
  };

  // `indent` spaces before every row.
  explicit TextTable(std::vector<Column> columns, std::size_t indent = 0);

  // As many cells as columns; UTF-8, without colours.
  void add_row(std::vector<std::string> cells);
  [[nodiscard]] bool is_empty() const { return rows_.empty(); }

  // Lines with newlines, without blanks at their ends. The heading line comes first, unless every
  // heading is empty.
  [[nodiscard]] std::vector<std::string> lines() const;
  [[nodiscard]] std::string text() const;

 private:
  [[nodiscard]] std::string line(const std::vector<std::string>& cells,
                                 const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::size_t indent_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace wiretally
