// SPDX-License-Identifier: Apache-2.0
// Where the log goes: standard error, so that records on standard output stay records.
// Thread: main, before any other thread is started.
#pragma once

#include <string>

namespace wiretally {

// `level` as log.level of the configuration has it: error, warning, info, debug or trace.
void start_log(const std::string& level);

}  // namespace wiretally
