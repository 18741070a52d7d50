// SPDX-License-Identifier: Apache-2.0
// YAML to Config. The entrance of this folder: text, then overrides, then every rule; either a
// Config that is good or the reasons why not. Reads only the named file. Thread: any.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/diagnostic.hpp"
#include "config/findings.hpp"

namespace wiretally {

// Throws StartupError(kUsage): the first error as `FILE:LINE:COLUMN: PATH: what, and what was
// meant`, and how many more there are. An override is KEY=VALUE (see overrides.hpp) and is named
// `--set:NUMBER:COLUMN`. Warnings are added to `warnings`, if given.
[[nodiscard]] Config load_config_file(const std::string& path,
                                      std::span<const std::string> overrides = {},
                                      std::vector<Diagnostic>* warnings = nullptr);
[[nodiscard]] Config load_config_text(std::string_view text, const std::string& name_for_messages,
                                      std::span<const std::string> overrides = {},
                                      std::vector<Diagnostic>* warnings = nullptr);

// What the caller looks at besides: the machine, say, of which this folder knows nothing.
using MoreChecks = std::function<void(const Config& config, Findings& findings)>;

// All errors and warnings, in the order of the text, for `wiretally check`. Good unless
// has_errors().
[[nodiscard]] std::vector<Diagnostic> check_config_file(const std::string& path,
                                                        std::span<const std::string> overrides = {},
                                                        const MoreChecks& = {});
[[nodiscard]] std::vector<Diagnostic> check_config_text(
    std::string_view text, const std::string& name_for_messages,
    std::span<const std::string> overrides = {});

}  // namespace wiretally
