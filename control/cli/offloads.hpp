// SPDX-License-Identifier: Apache-2.0
// Which of an interface's offloads change packets before a meter sees them. Thread: main.
#pragma once

#include <string>
#include <vector>

namespace wiretally {

// Names as `ethtool -K` takes them: "gro", "lro" (received packets are merged), "tso", "gso" (sent
// ones are not yet cut). Empty if none is on, or if the interface does not say.
std::vector<std::string> offloads_on(const std::string& interface_name);

}  // namespace wiretally
