// SPDX-License-Identifier: Apache-2.0
// What no single value can be wrong about: keys that must agree with each other. Thread: any.
#pragma once

#include "config/config.hpp"
#include "config/findings.hpp"

namespace wiretally {

// After derive(). Adds errors and warnings; changes nothing.
void cross_check(const Config& config, Findings& findings);

}  // namespace wiretally
