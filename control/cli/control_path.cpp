// SPDX-License-Identifier: Apache-2.0
// The control socket's path, from the most particular word to the default.
// Thread: main.
#include "control/cli/control_path.hpp"

#include "config/load.hpp"

namespace wiretally {

std::string control_path(const Arguments& arguments) {
  if (!arguments.socket.empty()) return arguments.socket;
  if (!arguments.config.empty()) return load_config_file(arguments.config).control.socket;
  return ControlConfig{}.socket;
}

}  // namespace wiretally
