// SPDX-License-Identifier: Apache-2.0
// The tree of a YAML text into a Config, key by key along the option table. Every mistake is noted
// and the reading goes on with the default. Thread: any.
#pragma once

#include "config/config.hpp"
#include "config/findings.hpp"
#include "config/yaml_tree.hpp"

namespace wiretally {

// The values as written; what depends on other values is left to derive().
[[nodiscard]] Config read_tree(const YamlNode& root, Findings& findings);

}  // namespace wiretally
