// SPDX-License-Identifier: Apache-2.0
// The ledger for people: stage by stage a total, the parts it is made of, and what is left over.
// Thread: any. From: Ledger. To: `wiretally ledger`, the closing lines of `read`.
#pragma once

#include <string>

#include "control/cli/terminal.hpp"
#include "control/ledger/ledger.hpp"

namespace wiretally {

enum class ZeroParts : std::uint8_t { kHidden, kShown };

// The last line says whether the ledger balances, and which lines do not.
std::string render_ledger(const Ledger& ledger, ZeroParts zero_parts, const Style& style);

}  // namespace wiretally
