// SPDX-License-Identifier: Apache-2.0
// Which meter a view asks. Thread: main.
#pragma once

#include <string>

#include "control/cli/arguments.hpp"

namespace wiretally {

// --socket, or control.socket of --config, or the default. Throws StartupError for a bad --config.
std::string control_path(const Arguments& arguments);

}  // namespace wiretally
