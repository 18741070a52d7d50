// SPDX-License-Identifier: Apache-2.0
// The option table told to people and programs: help, reference page, JSON schema; and a Config as
// the YAML that gives it. Cold; on control or in the generator. Thread: any. Never throws.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace wiretally {

// Every key with its type, default and meaning, for `wiretally run --help`.
[[nodiscard]] std::string option_help();

// config/reference.yaml: a loadable file with every key at its default, explained.
[[nodiscard]] std::string reference_yaml();

// config/schema.json: JSON Schema, draft 7, for editors.
[[nodiscard]] std::string json_schema();

// Every key, also those at their default. load_config_text() of it gives an equal Config.
[[nodiscard]] std::string to_yaml(const Config& config);

// The key paths whose values differ, in the order of the table; an added or removed entry is told
// as the list.
[[nodiscard]] std::vector<std::string> changed_keys(const Config& old_config,
                                                    const Config& new_config);

// Of these, the ones a reload cannot take: the meter must be started again.
[[nodiscard]] std::vector<std::string> restart_needed(const Config& old_config,
                                                      const Config& new_config);

// Puts those back to what they were: `next` is then what the meter goes on with.
void keep_what_needs_restart(const Config& running, Config& next);

}  // namespace wiretally
