// SPDX-License-Identifier: Apache-2.0
// Keys and values the contract has and this version does not do yet: one table, read by the loader.
// What becomes real loses its row here, and nothing else changes. Thread: any (constant data).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "config/diagnostic.hpp"
#include "config/options.hpp"
#include "config/yaml_tree.hpp"

namespace wiretally {

// Why a text is read: to meter by it, or for `wiretally check`.
enum class Purpose : std::uint8_t { kRun, kCheck };

struct NotInThisVersion {
  enum class When : std::uint8_t {
    kWritten,     // the key is there and not empty
    kEquals,      // its value is `value`
    kDiffersFrom  // its value is another than `value`
  };
  std::string_view path;  // of the option table
  When when = When::kWritten;
  std::string_view value;
  Severity at_run = Severity::kWarning;
  Severity at_check = Severity::kWarning;
  std::string_view text;
};

[[nodiscard]] std::span<const NotInThisVersion> not_in_this_version();
[[nodiscard]] std::optional<NotInThisVersion> find_not_in_this_version(const Option& option,
                                                                       const YamlNode& node);

}  // namespace wiretally
