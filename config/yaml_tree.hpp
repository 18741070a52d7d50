// SPDX-License-Identifier: Apache-2.0
// YAML text as a tree in which every node and every key knows its line and column. Built from
// yaml-cpp's events, because its own nodes lose the places of duplicates and the cost of aliases.
// Bounded: text size, depth, number of nodes after aliases are expanded. Thread: any. Never throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.hpp"

namespace wiretally {

inline constexpr std::size_t kYamlOctetsMax = 4u << 20;
inline constexpr std::size_t kYamlDepthMax = 32;
inline constexpr std::size_t kYamlNodesMax = 200'000;

struct YamlEntry;

struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  Position at;
  std::string text;  // kScalar
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;  // in the order of the text; keys are unique

  [[nodiscard]] const YamlNode* find(std::string_view key) const;
  [[nodiscard]] YamlNode* find(std::string_view key);
};

struct YamlEntry {
  std::string key;
  Position at;
  YamlNode value;
};

struct YamlFault {
  Position at;
  std::string path;  // of the key, for duplicates; empty for syntax
  std::string text;
};

struct YamlTree {
  YamlNode root;  // kNull: nothing in the text, or a fault that left no tree
  std::vector<YamlFault> faults;
  bool broken = false;  // a fault that ended the reading: `root` is not the user's
};

[[nodiscard]] YamlTree parse_yaml(std::string_view text);

}  // namespace wiretally
