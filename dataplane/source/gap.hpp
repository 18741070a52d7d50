// SPDX-License-Identifier: Apache-2.0
// How many packets an interface that was made anew had passed before somebody listened again: what
// it has counted since it was made, less what the listener has seen since it is there. Both run on
// while they are read, so the difference is exact only if nothing passes for a moment. Thread: any.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace wiretally {

// Exact at the first moment in which nothing passes; else the smallest of all differences, which
// has what passed within some milliseconds too. Takes an eighth of a second at most. `seen` holds
// what the listener was given or lost. Empty `passed`: the interface has gone again.
[[nodiscard]] std::uint64_t measure_gap(const std::function<std::optional<std::uint64_t>()>& passed,
                                        const std::function<std::uint64_t()>& seen);

}  // namespace wiretally
