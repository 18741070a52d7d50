// SPDX-License-Identifier: Apache-2.0
// The books of the meter: what each worker said with its last epoch, what was drained from its
// tables, what the cache holds and let go, what the sinks did with it. From these the Status of a
// tick and its Ledger are built; every line of the ledger compares numbers that were counted in
// different places. Thread: control.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "control/merge/drain.hpp"
#include "control/status.hpp"
#include "dataplane/source/packet_source.hpp"
#include "dataplane/worker_counters.hpp"

namespace wiretally {

struct WorkerBooks {
  WorkerCounters counters;  // the worker's own, as of its last epoch handed over
  CountTotals drained;      // since start
  std::uint64_t drained_entries = 0;
  std::uint64_t epochs = 0;
  std::uint64_t last_entries = 0;
  std::uint64_t capacity = 0;
  std::uint64_t polls_before = 0;  // at the epoch before, for the busy ratio
  std::uint64_t busy_polls_before = 0;
  double busy_ratio = 0;
  int core = -1;

  void take(const WorkerCounters& now, const Drained& table);
};

struct PortReading {
  CapturePort* port = nullptr;
  std::vector<MissedTotal> missed;
};

struct SinkReading {
  SinkAccount account;
  std::uint64_t records = 0;  // made while the sink was to take them
};

// Fills status.ports, workers, flows, sinks and ledger from the books.
void fill_status(std::span<const WorkerBooks> workers, std::span<const PortReading> ports,
                 const CacheTotals& cache, const RecordStatistics& records,
                 const std::vector<SinkReading>& sinks, Status& status);

}  // namespace wiretally
