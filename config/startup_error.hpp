// SPDX-License-Identifier: Apache-2.0
// The one exception of start-up: caught once, in main, printed as it is, turned into the exit code.
// The text says what is wrong, with which value, where (file:line:column and key path) and the
// cure.
#pragma once

#include <stdexcept>
#include <string>

namespace wiretally {

enum class ExitCode : int {
  kDone = 0,
  kNo = 1,       // the answer is "no": imbalance, alert, not running
  kUsage = 2,    // usage or configuration
  kMachine = 3,  // the machine cannot do it; the text says what is missing
};

class StartupError : public std::runtime_error {
 public:
  StartupError(ExitCode code, const std::string& text) : std::runtime_error(text), code_(code) {}
  [[nodiscard]] ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

}  // namespace wiretally
