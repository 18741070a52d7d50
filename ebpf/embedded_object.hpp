// SPDX-License-Identifier: Apache-2.0
// The compiled kernel programs, embedded in the binary, so that the meter stays one file and no
// path can be wrong. Thread: any (constant data).
#pragma once

#include <cstddef>
#include <span>

namespace wiretally {

std::span<const std::byte> flow_count_object();
std::span<const std::byte> redirect_object();

}  // namespace wiretally
