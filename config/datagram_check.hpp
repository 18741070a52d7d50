// SPDX-License-Identifier: Apache-2.0
// Whether a collector's Templates and records fit its messages. The exporter knows, and this folder
// does not link it: the program names a judge at its start. Without one, they fit. Thread: set once
// before anything is loaded, then any.
#pragma once

#include <cstddef>

#include "config/config.hpp"

namespace wiretally {

// The smallest max_datagram that holds each Template and each record of the collector with this
// number; 0: anything does.
using LayoutJudge = std::size_t (*)(const Config& config, std::size_t collector);
void set_layout_judge(LayoutJudge judge);
std::size_t datagram_needed(const Config& config, std::size_t collector);

}  // namespace wiretally
