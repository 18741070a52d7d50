// SPDX-License-Identifier: Apache-2.0
// `--set KEY=VALUE` on top of the file: changes the tree before it is read, so that an override is
// checked by the same rules, with its own place in the messages. Thread: any.
#pragma once

#include <span>
#include <string>

#include "config/findings.hpp"
#include "config/yaml_tree.hpp"

namespace wiretally {

// KEY is a key path (`flows.tick`, `export.collectors[0].address`); an index may be one past the
// end, which appends. VALUE of a single-valued key is taken as it stands, without quotes; a list or
// a section is YAML (`[1, 2]`). Later overrides win.
void apply_overrides(std::span<const std::string> overrides, YamlNode& root, Findings& findings);

}  // namespace wiretally
