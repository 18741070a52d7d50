// SPDX-License-Identifier: Apache-2.0
// The words and ranges of a rule, shared by what stores values and what prints them. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/field.hpp"
#include "config/value_rule.hpp"

namespace wiretally {

[[nodiscard]] std::vector<std::string_view> words_of(const ValueRule& rule);
[[nodiscard]] std::vector<std::string_view> names_of(const NameSetField& set);

// A number in the form the rule's kind is written: 100ms, 64k, 5.
[[nodiscard]] std::string number_text(const ValueRule& rule, std::uint64_t number);
[[nodiscard]] std::string range_text(const ValueRule& rule);     // "1 to 64"
[[nodiscard]] std::string number_wanted(const ValueRule& rule);  // "auto or a number from 1 to 64"

}  // namespace wiretally
