// SPDX-License-Identifier: Apache-2.0
// The parts of cross_check(), a section of the configuration each, and what they share. Thread:
// any.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "config/expression_check.hpp"
#include "config/findings.hpp"

namespace wiretally {

void check_collectors(const Config& config, Findings& findings);
void check_monitors(const Config& config, Findings& findings);

void check_expression(const std::string& expression, ExpressionUse use, const std::string& path,
                      Findings& findings);

void check_time_zone(const std::string& name, const std::string& path, Findings& findings);

inline std::string entry_path(std::string_view list, std::size_t index, std::string_view key) {
  return fmt::format("{}[{}].{}", list, index, key);
}

// The same value in two entries of one list.
template <class List, class Member>
void check_unique(const List& list, Member member, std::string_view list_path, std::string_view key,
                  std::string_view cure, Findings& findings) {
  if (findings.has_error_under(list_path)) return;
  std::map<std::decay_t<std::invoke_result_t<Member, decltype(list[0])>>, std::size_t> first_with;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& value = std::invoke(member, list[i]);
    const auto [first, is_new] = first_with.emplace(value, i);
    if (is_new) continue;
    findings.error_at(entry_path(list_path, i, key),
                      fmt::format("`{}` is also the {} of {}[{}]; {}", value, key, list_path,
                                  first->second, cure));
  }
}

}  // namespace wiretally
