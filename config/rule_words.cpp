// SPDX-License-Identifier: Apache-2.0
// Rules in words. Start-up and help, on control.
#include "config/rule_words.hpp"

#include <fmt/format.h>

#include "config/values.hpp"

namespace wiretally {

std::vector<std::string_view> words_of(const ValueRule& rule) {
  std::vector<std::string_view> words;
  for (const Choice& choice : rule.choices) words.push_back(choice.word);
  return words;
}

std::vector<std::string_view> names_of(const NameSetField& set) {
  std::vector<std::string_view> names;
  for (const auto& [name, flag] : set.names) names.push_back(name);
  return names;
}

std::string number_text(const ValueRule& rule, std::uint64_t number) {
  switch (rule.kind) {
    case ValueKind::kSize:
      return format_size(number);
    case ValueKind::kDuration:
      return format_duration(std::chrono::nanoseconds(static_cast<std::int64_t>(number)));
    default:
      return fmt::format("{}", number);
  }
}

std::string range_text(const ValueRule& rule) {
  return fmt::format("{} to {}", number_text(rule, rule.min), number_text(rule, rule.max));
}

std::string number_wanted(const ValueRule& rule) {
  const std::string word = rule.zero_word.empty() ? "" : fmt::format("{} or ", rule.zero_word);
  switch (rule.kind) {
    case ValueKind::kSize:
      return fmt::format("{}a size from {}", word, range_text(rule));
    case ValueKind::kDuration:
      return fmt::format("{}a duration from {}", word, range_text(rule));
    default:
      return fmt::format("{}a number from {}", word, range_text(rule));
  }
}

}  // namespace wiretally
