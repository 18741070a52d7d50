// SPDX-License-Identifier: Apache-2.0
// Sums of the ledger. Thread: any.
#include "control/ledger/ledger.hpp"

#include <algorithm>

namespace wiretally {

std::int64_t LedgerLine::imbalance() const {
  auto rest = static_cast<std::int64_t>(total.value);
  for (const LedgerTerm& part : parts) rest -= static_cast<std::int64_t>(part.value);
  return rest;
}

bool Ledger::balanced() const {
  return std::all_of(lines.begin(), lines.end(),
                     [](const LedgerLine& line) { return line.imbalance() == 0; });
}

std::uint64_t Ledger::imbalance_packets() const {
  std::uint64_t sum = 0;
  for (const LedgerLine& line : lines) {
    if (line.unit != LedgerUnit::kPackets) continue;
    const std::int64_t rest = line.imbalance();
    sum += static_cast<std::uint64_t>(rest < 0 ? -rest : rest);
  }
  return sum;
}

}  // namespace wiretally
