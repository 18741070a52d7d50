// SPDX-License-Identifier: Apache-2.0
// What `run` would refuse for the sake of this machine's files and names, said by `check` with the
// place in the configuration. Looks only: nothing is made, listened on or removed. A name in
// metrics.listen is looked up. Thread: any.
#pragma once

#include "config/config.hpp"
#include "config/findings.hpp"

namespace wiretally {

void check_places(const Config& config, Findings& findings);

}  // namespace wiretally
