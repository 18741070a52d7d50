// SPDX-License-Identifier: Apache-2.0
// The names of `top` on a terminal that has no room for them. Thread: any.
#pragma once

#include <string>
#include <vector>

namespace wiretally {

// At most `columns` characters. The middle gives way, for the ends of an address tell most; of a
// flow ("A PORT > B PORT protocol N") that is the middle of each address, and ports stay whole.
[[nodiscard]] std::string short_name(const std::string& name, std::size_t columns);

// What a table of these headings and rows, two blanks between, takes beside its first column.
[[nodiscard]] std::size_t columns_beside_name(const std::vector<std::string>& headings,
                                              const std::vector<std::vector<std::string>>& rows);

}  // namespace wiretally
