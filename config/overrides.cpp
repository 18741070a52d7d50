// SPDX-License-Identifier: Apache-2.0
// Finds or makes the node a key path names, and puts the value there. Start-up and reload, on
// control.
#include "config/overrides.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "config/options.hpp"
#include "config/values.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kIndexMax = 100'000;

struct OverrideError {
  int column = 1;
  std::string text;
};

class Override {
 public:
  Override(const std::string& text, int number) : text_(text), number_(number) {}

  void apply(YamlNode& root);
  [[nodiscard]] std::string_view key() const { return std::string_view(text_).substr(0, equals_); }
  [[nodiscard]] Position at(std::size_t offset) const {
    return {number_, static_cast<int>(offset) + 1, Position::Source::kOverride};
  }

 private:
  YamlNode* step_to_key(YamlNode& node, std::size_t& offset) const;
  YamlNode* step_to_index(YamlNode& node, std::size_t& offset) const;
  void become(YamlNode& node, YamlNode::Kind kind, std::size_t offset) const;
  [[nodiscard]] YamlNode value() const;
  void move_to_override(YamlNode& node, std::size_t offset) const;

  const std::string& text_;
  int number_;
  std::size_t equals_ = std::string::npos;
};

void Override::apply(YamlNode& root) {
  equals_ = text_.find('=');
  if (equals_ == std::string::npos || equals_ == 0) {
    throw OverrideError{
        1, fmt::format("{} is not KEY=VALUE; write for example flows.tick=500ms", quoted(text_))};
  }
  YamlNode* node = &root;
  std::size_t offset = 0;
  while (offset < equals_) {
    node = text_[offset] == '[' ? step_to_index(*node, offset) : step_to_key(*node, offset);
  }
  *node = value();
}

YamlNode* Override::step_to_key(YamlNode& node, std::size_t& offset) const {
  if (offset > 0) {
    if (text_[offset] != '.') throw OverrideError{static_cast<int>(offset) + 1, "a `.` is meant"};
    ++offset;
  }
  const std::size_t end = std::min(text_.find_first_of(".[", offset), equals_);
  const std::string name = text_.substr(offset, end - offset);
  if (name.empty()) throw OverrideError{static_cast<int>(offset) + 1, "a key is missing"};
  become(node, YamlNode::Kind::kMap, offset);
  YamlNode* found = node.find(name);
  if (found == nullptr) {
    node.entries.push_back({name, at(offset), {}});
    found = &node.entries.back().value;
    found->at = at(offset);
  }
  offset = end;
  return found;
}

YamlNode* Override::step_to_index(YamlNode& node, std::size_t& offset) const {
  const std::size_t close = std::min(text_.find(']', offset), equals_);
  const std::string digits = text_.substr(offset + 1, close - offset - 1);
  const int column = static_cast<int>(offset) + 1;
  if (close == equals_ || digits.empty() ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    throw OverrideError{column, "an index such as [0] is meant"};
  }
  become(node, YamlNode::Kind::kList, offset);
  const std::uint64_t index = parse_integer(digits);
  if (index > node.items.size() || index > kIndexMax) {
    throw OverrideError{column,
                        fmt::format("index {} is past the end; the list has {} entries, and [{}] "
                                    "appends one",
                                    digits, node.items.size(), node.items.size())};
  }
  if (index == node.items.size()) {
    node.items.emplace_back();
    node.items.back().at = at(offset);
  }
  offset = close + 1;
  return &node.items[index];
}

void Override::become(YamlNode& node, YamlNode::Kind kind, std::size_t offset) const {
  if (node.kind == kind) return;
  if (node.kind != YamlNode::Kind::kNull) {
    throw OverrideError{static_cast<int>(offset) + 1,
                        fmt::format("what stands before this is not a {}",
                                    kind == YamlNode::Kind::kMap ? "section" : "list")};
  }
  node.kind = kind;
  node.at = at(offset);
}

bool is_yaml_value(const Option* option, std::string_view key) {
  if (option == nullptr) return false;
  switch (option->value.kind) {
    case ValueKind::kSection:
    case ValueKind::kEntries:
    case ValueKind::kNameSet:
      return true;
    case ValueKind::kIntegerList:
    case ValueKind::kTextList:
    case ValueKind::kGroupList:
    case ValueKind::kWordList:
      return !key.ends_with(']');  // an index names one text of the list
    default:
      return false;
  }
}

YamlNode Override::value() const {
  const std::size_t begin = equals_ + 1;
  const std::string text = text_.substr(begin);
  if (!is_yaml_value(find_option(key()), key())) {
    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.at = at(begin);
    node.text = text;
    return node;
  }
  YamlTree tree = parse_yaml(text);
  if (!tree.faults.empty()) {
    const YamlFault& fault = tree.faults.front();
    throw OverrideError{static_cast<int>(begin) + fault.at.column, fault.text};
  }
  move_to_override(tree.root, begin);
  return std::move(tree.root);
}

// Places within the value become places within KEY=VALUE.
void Override::move_to_override(YamlNode& node, std::size_t offset) const {
  node.at = at(offset + static_cast<std::size_t>(node.at.column) - 1);
  for (YamlNode& item : node.items) move_to_override(item, offset);
  for (YamlEntry& entry : node.entries) {
    entry.at = at(offset + static_cast<std::size_t>(entry.at.column) - 1);
    move_to_override(entry.value, offset);
  }
}

}  // namespace

void apply_overrides(std::span<const std::string> overrides, YamlNode& root, Findings& findings) {
  int number = 0;
  for (const std::string& text : overrides) {
    Override one(text, ++number);
    YamlNode changed = root;  // a mistaken override leaves nothing half made behind
    try {
      one.apply(changed);
      root = std::move(changed);
    } catch (const OverrideError& error) {
      findings.error(one.at(static_cast<std::size_t>(error.column) - 1), "", error.text);
    }
  }
}

}  // namespace wiretally
