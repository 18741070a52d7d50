// SPDX-License-Identifier: Apache-2.0
// As much of a shell script as a list of iptables commands needs: words, quotes, comments, lines
// that go on behind a backslash, and variables that the script itself sets to plain text. Nothing
// is executed. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wiretally {

struct ShellCommand {
  std::size_t line = 0;  // where it begins, from 1
  std::vector<std::string> words;
  std::vector<std::string> unknown;  // variables and substitutions that have no value here; their
                                     // places in words read $NAME
};

// The commands of a script in order; assignments are taken in and left out.
[[nodiscard]] std::vector<ShellCommand> shell_commands(std::string_view script);

}  // namespace wiretally
