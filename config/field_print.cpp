// SPDX-License-Identifier: Apache-2.0
// A member of Config as YAML text, and a rule in words. For messages, help, to_yaml and the reload
// check.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "config/field_codec.hpp"
#include "config/rule_words.hpp"

namespace wiretally {
namespace {

struct Print {
  const ValueRule& rule;

  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(const EntriesField&) const { return {}; }
  std::string operator()(const bool* value) const { return *value ? "true" : "false"; }
  std::string operator()(const std::chrono::nanoseconds* value) const {
    return format_duration(*value);
  }
  template <class Integer>
  requires std::is_integral_v<Integer> std::string operator()(const Integer* value) const {
    if (*value == 0 && !rule.zero_word.empty()) return std::string(rule.zero_word);
    return number_text(rule, *value);
  }
  std::string operator()(const std::string* value) const { return yaml_scalar(*value); }
  std::string operator()(const EnumField& field) const {
    const auto found = std::ranges::find(rule.choices, *field.value, &Choice::value);
    return found == rule.choices.end() ? std::string() : std::string(found->word);
  }
  std::string operator()(const std::vector<std::uint32_t>* value) const {
    return fmt::format("[{}]", fmt::join(*value, ", "));
  }
  std::string operator()(const std::vector<std::string>* value) const {
    std::vector<std::string> scalars;
    std::ranges::transform(*value, std::back_inserter(scalars), yaml_scalar);
    return fmt::format("[{}]", fmt::join(scalars, ", "));
  }
  std::string operator()(const NameSetField& set) const {
    std::vector<std::string_view> chosen;
    for (const auto& [name, flag] : set.names) {
      if (*flag) chosen.push_back(name);
    }
    for (const Preset& preset : rule.presets) {
      if (std::ranges::equal(preset.names, chosen)) return std::string(preset.word);
    }
    return fmt::format("[{}]", fmt::join(chosen, ", "));
  }
};

std::string describe_names(const ValueRule& rule, const Field& field) {
  std::vector<std::string_view> presets;
  for (const Preset& preset : rule.presets) presets.push_back(preset.word);
  const std::string list =
      fmt::format("list of {}", fmt::join(names_of(std::get<NameSetField>(field)), ", "));
  return presets.empty() ? list : fmt::format("{} | {}", fmt::join(presets, " | "), list);
}

}  // namespace

std::string format_field(const ValueRule& rule, const Field& field) {
  return std::visit(Print{rule}, field);
}

std::string describe_rule(const ValueRule& rule, const Field& field) {
  switch (rule.kind) {
    case ValueKind::kSection:
      return "section";
    case ValueKind::kEntries:
      return fmt::format("list, at most {} entries", rule.max);
    case ValueKind::kFlag:
      return "true | false";
    case ValueKind::kInteger:
      return rule.zero_word.empty() ? range_text(rule)
                                    : fmt::format("{} | {}", rule.zero_word, range_text(rule));
    case ValueKind::kSize:
      return "size, " + range_text(rule);
    case ValueKind::kDuration:
      return "duration, " + range_text(rule);
    case ValueKind::kText:
      return "text";
    case ValueKind::kEndpoint:
      return "host:port";
    case ValueKind::kPlace:
      return "host:port | /path";
    case ValueKind::kIpAddress:
      return "address";
    case ValueKind::kChoice:
      return fmt::format("{}", fmt::join(words_of(rule), " | "));
    case ValueKind::kIntegerList:
      return "list of " + range_text(rule);
    case ValueKind::kTextList:
      return "list of texts";
    case ValueKind::kGroupList:
      return fmt::format("list of {}", fmt::join(words_of(rule), ", "));
    case ValueKind::kWordList:
      return fmt::format("list of names: {}", fmt::join(words_of(rule), ", "));
    case ValueKind::kNameSet:
      return describe_names(rule, field);
  }
  return {};
}

std::string yaml_scalar(const std::string& text) {
  static const std::set<std::string_view> kReserved = {"true", "false", "yes", "no", "on",
                                                       "off",  "null",  "y",   "n"};
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '/' || c == '.' || c == '-';
  };
  std::string folded = text;
  std::ranges::transform(folded, folded.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const bool begins_as_word =
      !text.empty() && text[0] != '-' && text[0] != '.' && !(text[0] >= '0' && text[0] <= '9');
  if (begins_as_word && std::ranges::all_of(text, plain) && !kReserved.contains(folded)) {
    return text;
  }
  std::string scalar = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7f) {
      scalar += fmt::format("\\x{:02x}", octet);
      continue;
    }
    if (c == '"' || c == '\\') scalar += '\\';
    scalar += c;
  }
  return scalar + "\"";
}

}  // namespace wiretally
