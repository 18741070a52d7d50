// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the known word nearest to a mistyped one. Thread: any.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace wiretally {

// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other;
// case does not count.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `known`, if it is near enough to be meant (a third of the word, at most 3 edits)
// or begins with it.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> known);

}  // namespace wiretally
