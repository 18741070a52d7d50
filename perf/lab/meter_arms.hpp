// SPDX-License-Identifier: Apache-2.0
// The arms of meter_bench: the meter core as the worker runs it, the whole worker loop, variants of
// the core with one thing taken away, and the roofline. All read the same arena of frames; each
// draws the same stream of flows. Thread: the bench's only one.
#pragma once

#include <memory>

#include "dataplane/flow/flow_hash.hpp"
#include "perf/lab/interleave.hpp"
#include "perf/lab/traffic.hpp"

namespace wiretally::perf {

struct Workload {
  Pattern pattern = Pattern::kUniform;
  std::uint32_t flows = 1'000'000;
  FrameMix mix;
  std::uint64_t seed = 1;
  // Packets after which the tables are flipped; 0: never, all flows are in the table before the
  // first slice. A flood of new flows is flipped when as many flows as `flows` were seen.
  std::uint64_t epoch_packets = 0;
};

struct Bench {
  Workload workload;
  FlowHash hash{FlowHash::fixed_seed(), {}};
  FrameArena arena;
};

enum class CoreVariant : std::uint8_t {
  kProduct,     // what the worker does
  kNoPrefetch,  // lines are first touched when they are counted
  kBehind4,     // hash and prefetch so many packets behind the parser
  kBehind32,
  kBehind64,    // a whole burst behind: phase by phase
  kCrcHash,     // CRC32C instead of AES: what the keyed hash costs
  kSmallPages,  // table on 4 KiB pages
};

std::unique_ptr<Arm> make_core_arm(Bench& bench, std::string name, CoreVariant variant);
// parse + hash only, no table: what is left of the core when memory is free.
std::unique_ptr<Arm> make_parse_hash_arm(Bench& bench);
// Worker::run on a source in memory: also stamps, counters, epoch checks.
std::unique_ptr<Arm> make_worker_arm(Bench& bench);
// Random one-line read-modify-write, prefetched so many lines ahead, lines in the order the table
// would be asked for them: one arm a distance, all over the same memory.
void add_roofline_arms(Bench& bench, std::span<const unsigned> distances, Arms& arms);
// DPDK's rte_hash with the same parser, key and record (rte_hash_arm.cpp).
std::unique_ptr<Arm> make_rte_hash_arm(Bench& bench);
void start_eal(int core);  // once, before the first rte_hash arm

}  // namespace wiretally::perf
