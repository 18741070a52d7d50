// SPDX-License-Identifier: Apache-2.0
// What a layout needs of a message, for config/datagram_check.hpp: one that is longer than
// max_datagram could never be announced. Thread: any.
#pragma once

#include "config/datagram_check.hpp"

namespace wiretally {

std::size_t layout_judge(const Config& config, std::size_t collector);

}  // namespace wiretally
