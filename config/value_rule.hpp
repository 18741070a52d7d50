// SPDX-License-Identifier: Apache-2.0
// What a value of one option may be: its type, its range, its words. The loader checks by it; the
// help, the JSON schema and the reference page describe it. Built only by the small makers below,
// so that a row of the option table reads `duration(100ms, 10s)`. Thread: any (constant data).
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

namespace wiretally {

enum class ValueKind : std::uint8_t {
  kSection,      // a map of further keys
  kEntries,      // a list of maps; min..max entries
  kFlag,         // true | false
  kInteger,      // min..max
  kSize,         // octets, 64k 1M 2G, min..max
  kDuration,     // nanoseconds, 1h30m 90s 500ms, min..max
  kText,         // min..max octets
  kEndpoint,     // host:port; min 0: may be empty
  kPlace,        // host:port, or the absolute path of a file
  kIpAddress,    // address without port; min 0: may be empty
  kChoice,       // one of `choices`
  kIntegerList,  // numbers, each min..max, each once
  kTextList,     // texts
  kGroupList,    // texts of `choices`; those that end in `net` take a prefix length: src_net/24
  kWordList,     // words of `choices`, each at most twice
  kNameSet,      // a list of names, or one word of `presets`
};

struct Choice {
  std::string_view word;
  std::uint8_t value = 0;  // of the enum; not used when the field is a text
};

// One word that stands for a set of names.
struct Preset {
  std::string_view word;
  std::span<const std::string_view> names;
};

struct ValueRule {
  ValueKind kind = ValueKind::kSection;
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  std::span<const Choice> choices;
  std::span<const Preset> presets;
  std::string_view zero_word;  // the word for 0 ("auto")
};

namespace rule {

constexpr ValueRule section() {
  return {};
}
constexpr ValueRule entries(std::uint64_t max) {
  return {ValueKind::kEntries, 0, max, {}, {}, {}};
}
constexpr ValueRule flag() {
  return {ValueKind::kFlag, 0, 1, {}, {}, {}};
}
constexpr ValueRule integer(std::uint64_t min, std::uint64_t max, std::string_view zero_word = {}) {
  return {ValueKind::kInteger, min, max, {}, {}, zero_word};
}
constexpr ValueRule size(std::uint64_t min, std::uint64_t max) {
  return {ValueKind::kSize, min, max, {}, {}, {}};
}
constexpr ValueRule duration(std::chrono::nanoseconds min, std::chrono::nanoseconds max) {
  return {ValueKind::kDuration,
          static_cast<std::uint64_t>(min.count()),
          static_cast<std::uint64_t>(max.count()),
          {},
          {},
          {}};
}
constexpr ValueRule text(std::uint64_t min, std::uint64_t max) {
  return {ValueKind::kText, min, max, {}, {}, {}};
}
constexpr ValueRule endpoint() {
  return {ValueKind::kEndpoint, 1, 300, {}, {}, {}};
}
constexpr ValueRule endpoint_or_empty() {
  return {ValueKind::kEndpoint, 0, 300, {}, {}, {}};
}
constexpr ValueRule endpoint_or_path() {
  return {ValueKind::kPlace, 1, 4000, {}, {}, {}};
}
constexpr ValueRule ip_address_or_empty() {
  return {ValueKind::kIpAddress, 0, 64, {}, {}, {}};
}
constexpr ValueRule choice(std::span<const Choice> choices) {
  return {ValueKind::kChoice, 0, 0, choices, {}, {}};
}
constexpr ValueRule integers(std::uint64_t min, std::uint64_t max) {
  return {ValueKind::kIntegerList, min, max, {}, {}, {}};
}
constexpr ValueRule texts(std::uint64_t min, std::uint64_t max) {
  return {ValueKind::kTextList, min, max, {}, {}, {}};
}
constexpr ValueRule groups(std::span<const Choice> choices) {
  return {ValueKind::kGroupList, 0, 0, choices, {}, {}};
}
constexpr ValueRule words(std::span<const Choice> choices) {
  return {ValueKind::kWordList, 0, 0, choices, {}, {}};
}
// min: how many names there must be.
constexpr ValueRule names(std::uint64_t min, std::span<const Preset> presets = {}) {
  return {ValueKind::kNameSet, min, 0, {}, presets, {}};
}

}  // namespace rule
}  // namespace wiretally
