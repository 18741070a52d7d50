// SPDX-License-Identifier: Apache-2.0
// The arms of meter_bench: the meter core as the worker runs it, the whole worker loop, variants of
// the core with one thing taken away, and the roofline. All read the same arena of frames; each
// draws the same stream of flows. Thread: the bench's only one.
#pragma once

#include <memory>

#include "dataplane/flow/count_table.hpp"
#include "dataplane/flow/flow_hash.hpp"
#include "perf/lab/interleave.hpp"
#include "perf/lab/traffic.hpp"

namespace wiretally::perf {

struct Workload {
  Pattern pattern = Pattern::kUniform;
  std::uint32_t flows = 1'000'000;
  FrameMix mix;
  std::uint64_t seed = 1;
};

constexpr std::uint32_t kTableEntries = 1'000'000;  // the default of flows.table_entries

// A count table that never flips, for all flows of a workload. The arms that place a flow
// where the product does share it, the roofline too: one memory, equally warm for each.
class ResidentTable {
 public:
  // Empty, opened for `expected` flows, with room for `entries`.
  ResidentTable(std::uint32_t entries, std::uint32_t expected, Instructions instructions);
  CountTable table;
  std::uint64_t expected = 0;  // packets that were counted in it
  void check() const;          // throws if the lines hold another number
};

struct Bench {
  Workload workload;
  FlowHash hash{FlowHash::fixed_seed(), {}};
  FrameArena arena;
  std::shared_ptr<ResidentTable> resident();  // made and filled at first use

 private:
  std::shared_ptr<ResidentTable> resident_;
};

enum class CoreVariant : std::uint8_t {
  kProduct,        // what the worker does: lines are asked for four at a time, behind the parser
  kNoPrefetch,     // lines are first touched when they are counted
  kAfterBurst,     // one distance: all lines of a burst are asked for when all of it is parsed
  kWhileParsing,   // one distance: each line is asked for alone, when its packet is parsed
  kTwoDistances,   // into L2 while parsing, into L1 eight packets ahead of counting
  kCrcHash,        // CRC32C instead of AES: what the keyed hash costs
  kSmallPages,     // table on 4 KiB pages
  kGigabytePages,  // on pages of 1 GiB, if the system has reserved any
  kFullSize,       // every line that the table has, however few the flows
  kDense,          // half the lines
  kSse,            // keys compared with x86-64-v2
  kAvx2,           // with AVX2
  kAvx512,         // with AVX-512
};

// All flows are in the table; where the pattern has no end of flows, epochs as below.
std::unique_ptr<Arm> make_core_arm(Bench& bench, std::string name);
// Two tables that flip after a second of 10G, or when a flood has filled one.
std::unique_ptr<Arm> make_turning_core_arm(Bench& bench, std::string name);
// nullptr: not to be had on this machine.
std::unique_ptr<Arm> make_core_variant(Bench& bench, std::string name, CoreVariant variant);
// parse + hash only, no table: what is left of the core when memory is free.
std::unique_ptr<Arm> make_parse_hash_arm(Bench& bench);
// Worker::run on a source in memory: also stamps, counters, epoch checks.
std::unique_ptr<Arm> make_worker_arm(Bench& bench);
// The same on the DPDK source, over virtual devices (dpdk_arm.cpp).
std::unique_ptr<Arm> make_ring_arm(Bench& bench);
std::unique_ptr<Arm> make_memif_arm(Bench& bench);
// Random one-line read-modify-write, prefetched so many lines ahead, lines in the order the table
// would be asked for them, in the table's own memory.
std::unique_ptr<Arm> make_roofline_arm(Bench& bench, unsigned distance);
// DPDK's rte_hash with the same parser, key and record (rte_hash_arm.cpp).
std::unique_ptr<Arm> make_rte_hash_arm(Bench& bench);
// FrameMix::crafted: 32 or more vectors, random or so that the keys collide under a linear hash.
enum class Crafted : std::uint8_t { kRandom, kCrc, kToeplitz };
std::vector<std::uint64_t> crafted_keys(Crafted kind);
// The core on `bench` while `drained`'s table is drained and merged on another core, again and
// again without a pause (a meter does so once a second).
std::unique_ptr<Arm> make_while_draining_arm(Bench& bench, Bench& drained, int other_core);
void start_eal(int core);  // once, before the first rte_hash arm

}  // namespace wiretally::perf
