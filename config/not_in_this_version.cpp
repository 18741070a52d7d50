// SPDX-License-Identifier: Apache-2.0
// The table of what is accepted and has no effect yet, or is refused for now. Start-up, on control.
#include "config/not_in_this_version.hpp"

#include <algorithm>

namespace wiretally {
namespace {

using When = NotInThisVersion::When;
constexpr auto kWarning = Severity::kWarning;
constexpr auto kError = Severity::kError;
constexpr std::string_view kNoEffect = "has no effect in this version";

constexpr NotInThisVersion kTable[] = {
    {"metrics.top", When::kDiffersFrom, "0", kWarning, kWarning, kNoEffect},
    {"monitors", When::kWritten, "", kWarning, kWarning, kNoEffect},
};

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
  if (found == std::end(kTable)) return std::nullopt;
  return *found;
}

}  // namespace wiretally
