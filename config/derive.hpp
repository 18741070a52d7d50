// SPDX-License-Identifier: Apache-2.0
// Values that follow from others: what the user left open is settled here, so that the rest of the
// program reads plain numbers. Thread: any.
#pragma once

#include "config/config.hpp"
#include "config/findings.hpp"

namespace wiretally {

// Interfaces and ports get ifindex and name by position. Timeouts that were not written follow
// idle, tcp and the tick (see flows.timeouts in reference.yaml).
void derive(Config& config, const Findings& findings);

}  // namespace wiretally
