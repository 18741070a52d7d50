// SPDX-License-Identifier: Apache-2.0
// See reload.hpp. Thread: main.
#include "control/reload.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "config/describe.hpp"

namespace wiretally {

ReloadResult reload(Config& running, Config next, std::span<Reloadable* const> parts) {
  ReloadResult result;
  result.restart_needed = restart_needed(running, next);
  keep_what_needs_restart(running, next);
  std::vector<PreparedChange> changes;
  for (Reloadable* part : parts) changes.push_back(part->prepare(running, next));
  for (PreparedChange& change : changes) {
    result.restart_needed.insert(result.restart_needed.end(), change.restart_needed.begin(),
                                 change.restart_needed.end());
    if (change.commit) change.commit(next);
  }
  result.changed = changed_keys(running, next);
  running = std::move(next);
  return result;
}

std::string summary(const ReloadResult& result) {
  std::string text = result.changed.empty()
                         ? "nothing changed"
                         : fmt::format("changed {}", fmt::join(result.changed, ", "));
  if (!result.restart_needed.empty()) {
    text += fmt::format("; needs a restart: {}", fmt::join(result.restart_needed, ", "));
  }
  return text;
}

}  // namespace wiretally
