// SPDX-License-Identifier: Apache-2.0
// How a running meter takes a new configuration: every part first makes ready what it needs
// (whatever can fail, fails there, and nothing has changed), then all of them swap, between two
// ticks. Reception goes on and flows stay. Thread: main.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace wiretally {

// What a part has made ready.
struct PreparedChange {
  // Keys whose new value this part cannot take while the meter runs; beyond those that the option
  // table says so of.
  std::vector<std::string> restart_needed;
  // Swaps. Never fails. Puts back into `next` what the part did not take, so that it says what
  // runs. Empty: nothing to do.
  std::function<void(Config& next)> commit;
};

class Reloadable {
 public:
  virtual ~Reloadable() = default;
  // Throws StartupError, and has changed nothing then.
  virtual PreparedChange prepare(const Config& running, const Config& next) = 0;
};

struct ReloadResult {
  std::vector<std::string> changed;         // keys that now have another value
  std::vector<std::string> restart_needed;  // keys that keep the old one until the next start
  std::vector<std::string> warnings;        // what `check` says of the file
};

// Takes `next` into `running` through `parts`, in their order. Throws StartupError: nothing
// changed.
ReloadResult reload(Config& running, Config next, std::span<Reloadable* const> parts);

// "changed flows.tick, log.level; needs a restart: capture.filter", for the log.
std::string summary(const ReloadResult& result);

}  // namespace wiretally
