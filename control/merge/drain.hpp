// SPDX-License-Identifier: Apache-2.0
// From count tables to the flow cache. The top bits of the hash place an entry in its table and
// name its shard, so one range of lines of every table is one shard: a task walks those ranges and
// merges what it finds into its own cache, and nothing is partitioned, copied or locked on the way.
// Thread: control, one task per shard.
#pragma once

#include <cstdint>
#include <span>

#include "control/merge/coarse_flows.hpp"
#include "control/merge/flow_cache.hpp"
#include "dataplane/flow/count_table.hpp"
#include "dataplane/flow/flow_hash.hpp"

namespace wiretally {

inline constexpr unsigned kShardsLog2 = 4;
inline constexpr std::size_t kShards = std::size_t{1} << kShardsLog2;
static_assert(kShardsLog2 <= CountTable::kSegmentMinLog2, "a shard is a range of every segment");

// What a task took out of a table; summed over the shards it must equal the table's own totals.
struct Drained {
  CountTotals totals;
  std::uint64_t entries = 0;
};

// Where a shard's entries go: its flows, records of those that ended on the way, and new flows that
// the full cache refused.
struct ShardOutput {
  FlowCache& cache;
  RecordBatch& ended;
  CoarseFlows& coarse;
};

// Merges the entries of `shard` in `table`. The table is control's (flipped, not yet given back).
Drained drain_shard(const CountTable& table, std::size_t shard, const FlowHash& hash,
                    std::uint32_t tick, const ShardOutput& out);

}  // namespace wiretally
