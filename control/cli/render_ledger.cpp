// SPDX-License-Identifier: Apache-2.0
// Ledger as aligned text. Lines of one stage and subject that differ only in their unit stand side
// by side: packets, octets and layer-2 octets of the same terms. Thread: any.
#include "control/cli/render_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <vector>

#include "control/cli/human_text.hpp"
#include "control/cli/text_table.hpp"

namespace wiretally {
namespace {

constexpr std::array<const char*, 4> kUnitHeadings = {"packets", "octets", "L2 octets", "records"};
using PerUnit = std::array<std::optional<std::uint64_t>, kUnitHeadings.size()>;

struct Row {
  std::string name;
  PerUnit values;
};

struct Block {  // one stage and subject
  const LedgerLine* head;
  std::vector<Row> rows;  // total first
  std::array<std::int64_t, kUnitHeadings.size()> imbalance{};
};

Row& row_named(std::vector<Row>& rows, const std::string& name) {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
  return found != rows.end() ? *found : rows.emplace_back(Row{name, {}});
}

bool belongs_to(const LedgerLine& line, const Block& block) {
  const LedgerLine& head = *block.head;
  return line.stage == head.stage && line.subject == head.subject &&
         line.total.name == head.total.name &&
         !block.rows.front().values[static_cast<std::size_t>(line.unit)];
}

std::vector<Block> blocks_of(const Ledger& ledger) {
  std::vector<Block> blocks;
  for (const LedgerLine& line : ledger.lines) {
    if (blocks.empty() || !belongs_to(line, blocks.back())) {
      blocks.push_back({&line, {Row{line.total.name, {}}}, {}});
    }
    Block& block = blocks.back();
    const auto unit = static_cast<std::size_t>(line.unit);
    block.rows.front().values[unit] = line.total.value;
    block.imbalance[unit] = line.imbalance();
    std::vector<Row> parts(block.rows.begin() + 1, block.rows.end());
    for (const LedgerTerm& part : line.parts) {
      std::optional<std::uint64_t>& value = row_named(parts, part.name).values[unit];
      value = value.value_or(0) + part.value;
    }
    block.rows.erase(block.rows.begin() + 1, block.rows.end());
    block.rows.insert(block.rows.end(), parts.begin(), parts.end());
  }
  return blocks;
}

bool is_zero(const Row& row) {
  return std::all_of(row.values.begin(), row.values.end(),
                     [](const auto& value) { return value.value_or(0) == 0; });
}

std::vector<std::string> cells_of(const std::string& name, const PerUnit& values) {
  std::vector<std::string> cells = {name};
  for (const auto& value : values) cells.push_back(value ? grouped(*value) : "");
  return cells;
}

std::string signed_text(std::int64_t value) {
  return fmt::format("{}{}", value < 0 ? '-' : '+',
                     grouped(static_cast<std::uint64_t>(std::llabs(value))));
}

// What a row of the table is, so that it can be coloured after it is laid out.
enum class Kind : std::uint8_t { kTitle, kTerm, kImbalance };

void add_block(const Block& block, ZeroParts zero_parts, TextTable& table,
               std::vector<Kind>& kinds) {
  const auto add = [&](std::vector<std::string> cells, Kind kind) {
    table.add_row(std::move(cells));
    kinds.push_back(kind);
  };
  const LedgerLine& head = *block.head;
  add({head.subject.empty() ? head.stage : head.stage + " " + head.subject, "", "", "", ""},
      Kind::kTitle);
  add(cells_of("  " + head.total.name, block.rows.front().values), Kind::kTerm);
  const char* sign = "  = ";
  for (std::size_t i = 1; i < block.rows.size(); ++i) {
    if (zero_parts == ZeroParts::kHidden && is_zero(block.rows[i])) continue;
    add(cells_of(sign + block.rows[i].name, block.rows[i].values), Kind::kTerm);
    sign = "  + ";
  }
  if (std::all_of(block.imbalance.begin(), block.imbalance.end(), [](auto v) { return v == 0; })) {
    return;
  }
  std::vector<std::string> cells = {"  NOT ACCOUNTED FOR"};
  for (const std::int64_t rest : block.imbalance) {
    cells.push_back(rest == 0 ? "" : signed_text(rest));
  }
  add(std::move(cells), Kind::kImbalance);
}

std::string verdict(const Ledger& ledger, const Style& style) {
  const auto wrong = std::count_if(ledger.lines.begin(), ledger.lines.end(),
                                   [](const LedgerLine& line) { return line.imbalance() != 0; });
  if (wrong == 0) {
    return style.good(fmt::format("The ledger balances ({} lines).", ledger.lines.size())) + "\n";
  }
  return style.bad(fmt::format("The ledger does NOT balance: {} of {} lines, {} packets.", wrong,
                               ledger.lines.size(), grouped(ledger.imbalance_packets()))) +
         "\n";
}

}  // namespace

std::string render_ledger(const Ledger& ledger, ZeroParts zero_parts, const Style& style) {
  TextTable table({{"", Align::kLeft},
                   {kUnitHeadings[0], Align::kRight},
                   {kUnitHeadings[1], Align::kRight},
                   {kUnitHeadings[2], Align::kRight},
                   {kUnitHeadings[3], Align::kRight}});
  std::vector<Kind> kinds;
  for (const Block& block : blocks_of(ledger)) add_block(block, zero_parts, table, kinds);

  std::string text;
  const std::vector<std::string> lines = table.lines();
  for (std::size_t i = 0; i < lines.size() && !table.is_empty(); ++i) {
    const Kind kind = i == 0 ? Kind::kTitle : kinds[i - 1];
    text += kind == Kind::kTitle       ? style.bold(lines[i])
            : kind == Kind::kImbalance ? style.bad(lines[i])
                                       : lines[i];
  }
  return text + verdict(ledger, style);
}

}  // namespace wiretally
