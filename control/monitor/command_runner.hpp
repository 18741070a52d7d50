// SPDX-License-Identifier: Apache-2.0
// Runs commands that the configuration names, beside the meter: starting one takes about a
// millisecond, and nobody waits for it. Thread: control.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace wiretally {

class CommandRunner {
 public:
  using Log = std::function<void(const std::string&)>;
  using Environment = std::vector<std::pair<std::string, std::string>>;

  explicit CommandRunner(Log log) : log_(std::move(log)) {}

  // By /bin/sh, with standard input from nothing and `more` in its environment. A command that
  // cannot be started is a line in the log.
  void run(const std::string& command, const Environment& more);
  // Takes leave of those that have ended; one that failed is a line in the log.
  void reap();
  [[nodiscard]] std::size_t running() const { return running_.size(); }

 private:
  const Log log_;
  std::map<pid_t, std::string> running_;
};

}  // namespace wiretally
