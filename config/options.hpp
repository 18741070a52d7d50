// SPDX-License-Identifier: Apache-2.0
// The one table of configuration keys. The loader, `--help`, config/schema.json,
// config/reference.yaml, to_yaml and the reload check all read it: a new key is a member in
// config.hpp and a row here. Thread: any (constant after first use).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/field.hpp"
#include "config/value_rule.hpp"

namespace wiretally {

enum class OnReload : std::uint8_t { kTakesEffect, kNeedsRestart };

struct Option {
  std::string_view path;  // "flows.tick"; a key of a list's entries: "export.collectors[].rate"
  Field (*field)(Config&, std::size_t entry);  // entry: index in the list; sections: nullptr
  ValueRule value;
  OnReload on_reload = OnReload::kTakesEffect;
  std::string_view help;
  std::string_view example =
      {};                 // entries: what the reference page shows where there is no default
  bool required = false;  // entries: must be written

  [[nodiscard]] std::string_view name() const;  // last step of the path
  [[nodiscard]] bool in_entry() const { return path.find("[]") != std::string_view::npos; }
};

[[nodiscard]] std::span<const Option> options();

// Rows of the table as the tree that YAML shows; children in the order of the table.
struct KeyNode {
  std::string_view name;
  const Option* option = nullptr;  // nullptr: the root
  std::vector<KeyNode> children;

  [[nodiscard]] const KeyNode* child(std::string_view name) const;
};
[[nodiscard]] const KeyNode& key_tree();

// `path` with or without indexes: "export.collectors[0].rate" and "export.collectors[].rate".
// nullptr: no such key. The index of an entry of a scalar list ("capture.files[0]") finds the list.
[[nodiscard]] const Option* find_option(std::string_view path);

// A Config with one entry in every list of structs: defaults and, where a key has one, its example.
[[nodiscard]] Config example_config();

}  // namespace wiretally
