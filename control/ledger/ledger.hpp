// SPDX-License-Identifier: Apache-2.0
// The ledger: for every stage, one total and the named parts it must be the sum of. Built by
// control from counters that belong to one moment (the last tick), so it balances at any time it
// is asked for. Thread: built by control, read by any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wiretally {

enum class LedgerUnit : std::uint8_t { kPackets, kOctets, kL2Octets, kRecords };

struct LedgerTerm {
  std::string name;  // "metered", "not_metered.bad_ip_version", "missed.nic", ...
  std::uint64_t value = 0;
};

struct LedgerLine {
  std::string stage;    // port, worker, drain, cache, sink
  std::string subject;  // port name, worker number, collector
  LedgerUnit unit = LedgerUnit::kPackets;
  LedgerTerm total;
  std::vector<LedgerTerm> parts;

  // total - sum(parts); 0 when the line balances.
  [[nodiscard]] std::int64_t imbalance() const;
};

struct Ledger {
  std::vector<LedgerLine> lines;

  [[nodiscard]] bool balanced() const;
  // Sum of absolute imbalances of the lines in packets: wiretally_ledger_imbalance_packets.
  [[nodiscard]] std::uint64_t imbalance_packets() const;
};

}  // namespace wiretally
