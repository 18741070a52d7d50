// SPDX-License-Identifier: Apache-2.0
// One value between YAML and a member of Config, checked by its rule. Thread: any.
#pragma once

#include <string>

#include "config/field.hpp"
#include "config/value_rule.hpp"
#include "config/values.hpp"
#include "config/yaml_tree.hpp"

namespace wiretally {

// What is wrong with a node, and where exactly (an item of a list has its own place).
class FieldError : public ValueError {
 public:
  FieldError(const Position& at, const std::string& text) : ValueError(text), at_(at) {}
  [[nodiscard]] const Position& at() const { return at_; }

 private:
  Position at_;
};

// Not for sections and lists of entries. Throws FieldError; the field is then unchanged.
void store_field(const YamlNode& node, const ValueRule& rule, const Field& field);

// The value as YAML in one line, quoted where it must be; store_field reads it back to the same
// value.
[[nodiscard]] std::string format_field(const ValueRule& rule, const Field& field);

// Type and range in words: "duration, 100ms to 10s". The field tells the names of a name set.
[[nodiscard]] std::string describe_rule(const ValueRule& rule, const Field& field);

// A text as a YAML scalar, in quotes when a bare one would mean something else.
[[nodiscard]] std::string yaml_scalar(const std::string& text);

}  // namespace wiretally
