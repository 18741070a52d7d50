// SPDX-License-Identifier: Apache-2.0
// The configuration of a `read`: --config and --set, with what the command line says on top.
// Thread: main.
#pragma once

#include <vector>

#include "config/config.hpp"
#include "config/diagnostic.hpp"
#include "control/cli/arguments.hpp"

namespace wiretally {

// Takes those out of `captures` that are missing, empty or no captures, and returns a sentence for
// each, so that one of them does not cost what the others hold. Throws StartupError if none is
// left.
std::vector<std::string> leave_out_unreadable(std::vector<std::string>& captures);

// Throws StartupError (kUsage). Warnings of the configuration are added to `warnings`.
Config config_for_read(const Arguments& arguments, std::vector<Diagnostic>& warnings);

}  // namespace wiretally
