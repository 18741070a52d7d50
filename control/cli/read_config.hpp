// SPDX-License-Identifier: Apache-2.0
// The configuration of a `read`: --config and --set, with what the command line says on top.
// Thread: main.
#pragma once

#include <vector>

#include "config/config.hpp"
#include "config/diagnostic.hpp"
#include "control/cli/arguments.hpp"

namespace wiretally {

// Throws StartupError (kUsage). Warnings of the configuration are added to `warnings`.
Config config_for_read(const Arguments& arguments, std::vector<Diagnostic>& warnings);

}  // namespace wiretally
