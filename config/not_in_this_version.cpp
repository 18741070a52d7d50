// SPDX-License-Identifier: Apache-2.0
// The table of what is accepted and has no effect yet, or is refused for now. Start-up, on control.
#include "config/not_in_this_version.hpp"

#include <algorithm>
#include <array>

namespace wiretally {
namespace {

using When = NotInThisVersion::When;

// Nothing at present. A row: {"flows.key", When::kEquals, "ether", Severity::kError, ...}.
constexpr std::array<NotInThisVersion, 0> kTable{};

bool is_empty(const YamlNode& node) {
  return node.kind == YamlNode::Kind::kNull ||
         (node.kind != YamlNode::Kind::kScalar && node.items.empty() && node.entries.empty());
}

bool applies(const NotInThisVersion& row, const YamlNode& node) {
  if (row.when == When::kWritten) return !is_empty(node);
  if (node.kind != YamlNode::Kind::kScalar) return false;
  return (node.text == row.value) == (row.when == When::kEquals);
}

}  // namespace

std::span<const NotInThisVersion> not_in_this_version() {
  return kTable;
}

std::optional<NotInThisVersion> find_not_in_this_version(const Option& option,
                                                         const YamlNode& node) {
  const auto found = std::ranges::find_if(kTable, [&](const NotInThisVersion& row) {
    return row.path == option.path && applies(row, node);
  });
  if (found == kTable.end()) return std::nullopt;
  return *found;
}

}  // namespace wiretally
