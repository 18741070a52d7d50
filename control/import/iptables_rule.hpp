// SPDX-License-Identifier: Apache-2.0
// One rule of iptables or ip6tables as a filter in tcpdump's syntax. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "control/import/importer.hpp"
#include "control/import/shell_words.hpp"

namespace wiretally {

struct IptablesRule {
  std::string chain;
  std::string monitor;
  bool deletes = false;
  std::vector<std::string> interfaces;
  std::vector<std::string> directions;  // "-i eth0", as written
  std::string filter;
};

// What a filter cannot say, or a flow does not know, becomes a note.
[[nodiscard]] IptablesRule read_iptables_rule(const ShellCommand& command,
                                              std::vector<ImportNote>& notes);

// `parts` as one expression: "a or (b c)".
[[nodiscard]] std::string joined(const std::vector<std::string>& parts, std::string_view between);

}  // namespace wiretally
