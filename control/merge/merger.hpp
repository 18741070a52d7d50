// SPDX-License-Identifier: Apache-2.0
// One tick's work on the flow cache: every shard drains the tables handed over, merges them, ends
// what is due, and turns what ended into records. Shards run in parallel in a oneTBB arena of their
// own, so that TBB's idle threads never stand on a worker's core. Views read the cache between
// ticks. Thread: control (run); any (the queries).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "control/merge/drain.hpp"
#include "control/merge/flow_cache.hpp"
#include "control/merge/record_pool.hpp"

namespace wiretally {

class MonitorSet;

struct MergerOptions {
  FlowsConfig flows;
  bool attributes = false;             // the tables keep them, so do flows and records
  bool recording = false;              // the cache grows instead of shedding
  int threads = 1;                     // of the arena
  std::vector<std::uint32_t> ifindex;  // by PortIndex
  std::vector<bool> egress;            // by PortIndex: it sees what leaves; empty: none does
  std::vector<MacAddress> own_macs;    // what comes from one of these leaves, too
};

struct TickInput {
  std::span<const CountTable* const> tables;
  TimeNs now = 0;       // meter time
  TimeNs utc_step = 0;  // meter time to UTC
  std::uint32_t tick = 0;
  bool end = false;  // end every flow (forced)
};

struct TickOutput {
  std::vector<RecordBatchPtr> batches;  // not empty ones, in shard order
  std::vector<Drained> drained;         // one per table given
  TimeNs merge_ns = 0;                  // drain and merge
  TimeNs lifecycle_ns = 0;              // coarse rows merged, ends, records
};

// Flows that leave by order, between two ticks.
struct Sweep {
  Leave how = Leave::kExport;
  std::function<bool(const FlowRecord&)> matches;  // of the record so far; empty: all flows
};
struct SweepOutput {
  std::vector<RecordBatchPtr> batches;
  std::uint64_t flows = 0;
  Volume volume;
};

class Merger {
 public:
  Merger(const MergerOptions& options, const FlowHash& hash);
  ~Merger();

  TickOutput run(const TickInput& input);
  SweepOutput sweep(const Sweep& sweep);
  // Timeouts and expiry interval; the rest of `flows` is fixed at start.
  void set_lifecycle(const FlowsConfig& flows);
  // Who counts flows by their own rules from now on; borrowed, null: nobody.
  void set_monitors(MonitorSet* monitors);

  [[nodiscard]] CacheTotals totals() const;
  // Packets of new flows that the full cache refused, by what of their key was kept.
  [[nodiscard]] std::uint64_t coarse_packets(std::size_t port, CoarseLevel level) const;
  [[nodiscard]] RecordStatistics statistics() const;
  // Sum over the flows themselves; what totals().in_cache claims.
  [[nodiscard]] Volume count_flows() const;
  // Calls f(flow, recent) for each flow between two ticks; recent: it was seen in the last one.
  // Holds the tick back meanwhile (about 30 ms for a million flows).
  void visit_flows(const std::function<void(const FlowCache::Flow&, bool)>& f) const;
  // Turns a flow into the record it would make now, times in UTC.
  [[nodiscard]] FlowRecord record_now(const FlowCache::Flow& flow) const;
  [[nodiscard]] double last_tick_seconds() const;

 private:
  struct Shard;
  struct Arena;
  void merge_shard(std::size_t shard, const TickInput& input);
  void finish_shard(std::size_t shard, const TickInput& input);
  [[nodiscard]] bool is_expiry_due(TimeNs now) const;
  [[nodiscard]] bool leaves(const Sweep& sweep, const FlowCache::Flow& flow) const;
  void complete(FlowRecord& record, TimeNs utc_step) const;
  [[nodiscard]] bool leaves_here(const FlowRecord& record) const;

  const MergerOptions options_;
  const FlowHash& hash_;
  Lifecycle lifecycle_;
  TimeNs expiry_interval_;
  TimeNs expired_at_ = 0;
  bool expires_ = true;  // in this tick
  RecordPool records_;
  std::unique_ptr<Arena> arena_;
  mutable std::mutex mutex_;  // held while shards change; views take it between ticks
  std::vector<std::unique_ptr<Shard>> shards_;
  std::uint32_t tick_ = 0;
  TimeNs tick_time_ = 0;
  TimeNs tick_length_ = 0;
  TimeNs utc_step_ = 0;
};

}  // namespace wiretally
