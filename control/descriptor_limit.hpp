// SPDX-License-Identifier: Apache-2.0
// A meter that runs out of file descriptors fails wherever it asks for the next one, and each place
// would call it something else. So a run sees to it before it opens anything that there are enough.
// Thread: main, before any other thread.
#pragma once

#include <cstddef>

#include "config/config.hpp"

namespace wiretally {

// What a run may hold at once, generously: with every client of the control socket and of /metrics.
[[nodiscard]] std::size_t descriptors_wanted(const Config& config);

// Raises this process's limit to `wanted`, as far as its hard limit goes. Throws StartupError
// (kMachine) if that is not far enough.
void ensure_descriptors(std::size_t wanted);

}  // namespace wiretally
