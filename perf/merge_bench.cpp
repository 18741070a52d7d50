// SPDX-License-Identifier: Apache-2.0
// A tick's work on one control core: drain a worker's table and merge it into the flow cache, and
// the life-cycle. One operation is one entry (of a table), or one flow that ends. Beside it the
// limits: walking the table's lines, and a random read-modify-write of one flow's lines.
// Thread: one, pinned; the merger's arena has this thread only, but for the arm on two cores.
#include <fmt/core.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>

#include "control/merge/merger.hpp"
#include "dataplane/flow/count_table.hpp"
#include "dataplane/packet/parse.hpp"
#include "perf/lab/bench_main.hpp"
#include "perf/lab/machine.hpp"
#include "perf/lab/meter_arms.hpp"

namespace wiretally::perf {
namespace {

constexpr TimeNs kStart = 1'700'000'000 * kNsPerSecond;
constexpr unsigned kTimeShift = 10;

MergerOptions merger_options(std::uint32_t flows, int threads = 1) {
  MergerOptions options;
  options.flows.max_flows = flows;
  options.threads = threads;
  options.ifindex = {1};
  return options;
}

// A worker's table that gets one packet of each of `flows` flows an epoch.
class Epoch {
 public:
  Epoch(Bench& bench, std::uint32_t flows)
      : bench_(bench),
        flows_(flows),
        table_(std::max(kTableEntries, flows), 1, CountTable::Memory::kPopulated) {}

  void fill(std::uint32_t first_flow, TimeNs time) {
    if (table_.is_open()) table_.recycle();
    table_.open(time, kTimeShift, flows_);
    for (std::uint32_t done = 0; done < flows_;) {
      const auto views =
          bench_.arena.fill_range(first_flow + done, flows_ - done, bench_.workload.mix);
      for (const PacketView& view : views) count(view);
      done += static_cast<std::uint32_t>(views.size());
    }
    if (table_.entries() != flows_) throw std::runtime_error("the table is not as it should be");
  }
  [[nodiscard]] const CountTable& table() const { return table_; }

 private:
  void count(const PacketView& view) {
    ParsedPacket packet;
    std::uint8_t unplaced;
    if (!is_metered(parse(view, {}, packet))) throw std::runtime_error("frame not metered");
    const std::uint64_t hash = bench_.hash(packet.key);
    if (table_.count_all({&packet, 1}, &hash, &unplaced) != 0) {
      throw std::runtime_error("no place for a flow");
    }
  }

  Bench& bench_;
  const std::uint32_t flows_;
  CountTable table_;
};

enum class Life : std::uint8_t {
  kAllHit,  // every entry is of a flow in the cache; a sixtieth of them are cut a tick
  kAllNew,  // every entry makes a flow, in an empty cache
  kShed,    // every entry makes a flow, in a full cache: the idlest leaves
};

// One tick after another, a second apart.
class TickArm : public Arm {
 public:
  TickArm(Bench& bench, std::string name, Life life, int threads = 1)
      : Arm(std::move(name)),
        life_(life),
        flows_(bench.workload.flows),
        epoch_(bench, flows_),
        merger_(merger_options(flows_ + flows_ / 4, threads), bench.hash) {
    tick({});
    if (life == Life::kAllHit || life == Life::kShed) {
      prepare();
      run();
    }
  }

  void prepare() override {
    now_ += kNsPerSecond;
    if (life_ == Life::kAllNew) tick({.tables = {}, .end = true});
    epoch_.fill(first_flow_, now_);
    if (life_ != Life::kAllHit) first_flow_ += flows_;
  }

  std::uint64_t run() override {
    const CountTable* tables[] = {&epoch_.table()};
    const TickOutput output = tick({.tables = tables});
    drained_ += output.drained[0].totals.packets;
    filled_ += flows_;
    return output.drained[0].entries;
  }

  void check() const override {
    if (drained_ != filled_) throw std::runtime_error("drained is not what was filled");
    const CacheTotals totals = merger_.totals();
    if (totals.merged.packets != filled_ ||
        totals.in_cache.packets + totals.ended.packets != filled_) {
      throw std::runtime_error("the cache does not balance");
    }
  }

 private:
  TickOutput tick(TickInput input) {
    input.now = now_;
    input.tick = ++tick_;
    return merger_.run(input);
  }

  const Life life_;
  const std::uint32_t flows_;
  Epoch epoch_;
  Merger merger_;
  TimeNs now_ = kStart;
  std::uint32_t tick_ = 0;
  std::uint32_t first_flow_ = 0;
  std::uint64_t drained_ = 0;
  std::uint64_t filled_ = 0;
};

// All flows fall silent at once and leave as records.
class ExpireArm : public Arm {
 public:
  explicit ExpireArm(Bench& bench)
      : Arm("life-cycle: all flows end idle"),
        flows_(bench.workload.flows),
        epoch_(bench, flows_),
        merger_(merger_options(flows_ + flows_ / 4), bench.hash) {}

  void prepare() override {
    epoch_.fill(0, now_);
    const CountTable* tables[] = {&epoch_.table()};
    merger_.run({.tables = tables, .now = now_, .tick = ++tick_});
    now_ += 200 * kNsPerSecond;  // longer than any timeout
  }

  std::uint64_t run() override {
    const TickOutput output = merger_.run({.tables = {}, .now = now_, .tick = ++tick_});
    std::uint64_t records = 0;
    for (const auto& batch : output.batches) records += batch->size();
    if (records != flows_) throw std::runtime_error("not every flow ended");
    return records;
  }

 private:
  const std::uint32_t flows_;
  Epoch epoch_;
  Merger merger_;
  TimeNs now_ = kStart;
  std::uint32_t tick_ = 0;
};

// Limit of the drain: every line of the table is read, live entries are summed.
class ScanArm : public Arm {
 public:
  explicit ScanArm(Bench& bench)
      : Arm("limit: walk the table's lines"), epoch_(bench, bench.workload.flows) {
    epoch_.fill(0, kStart);
  }
  void prepare() override {}
  std::uint64_t run() override {
    std::uint64_t entries = 0;
    for (const CountTable::Segment& segment : epoch_.table().segments()) {
      const std::size_t lines = std::size_t{1} << segment.lines_log2;
      for (std::size_t i = 0; i < lines + CountTable::kProbeMax; ++i) {
        if (!epoch_.table().live(segment.lines[i])) continue;
        ++entries;
        packets_ += segment.lines[i].packets;
      }
    }
    ran_ += entries;
    return entries;
  }
  void check() const override {
    if (packets_ != ran_) throw std::runtime_error("the walk lost an entry");
  }

 private:
  Epoch epoch_;
  std::uint64_t packets_ = 0;
  std::uint64_t ran_ = 0;
};

// Limit of the merge: one index slot and one flow a random entry, both prefetched, both written.
class RandomFlowArm : public Arm {
 public:
  explicit RandomFlowArm(Bench& bench)
      : Arm("limit: random index + flow, prefetched"),
        stream_(Pattern::kUniform, bench.workload.flows, 1),
        flows_(bench.workload.flows),
        index_(flows_.size()),
        order_(1U << 18) {}
  void prepare() override {
    for (std::uint32_t& place : order_) place = stream_.next();
  }
  std::uint64_t run() override {
    constexpr std::size_t kAhead = 32;
    for (std::size_t i = 0; i + kAhead < order_.size(); ++i) {
      __builtin_prefetch(&index_[order_[i + kAhead]], 1, 3);
      const char* flow = reinterpret_cast<const char*>(&flows_[order_[i + kAhead]]);
      __builtin_prefetch(flow, 1, 3);
      __builtin_prefetch(flow + 64, 1, 3);
      ++index_[order_[i]];
      ++flows_[order_[i]].packets;
      ++flows_[order_[i]].recent_packets;
    }
    return order_.size() - kAhead;
  }

 private:
  FlowStream stream_;
  std::vector<FlowCache::Flow> flows_;
  std::vector<std::uint64_t> index_;
  std::vector<std::uint32_t> order_;
};

// TBB's one helping thread inherits where its maker may run, and at which priority: made here once,
// it goes to the other core, above who keeps that quiet. It serves the arm that asks for two.
class HelpFromAnotherCore {
 public:
  explicit HelpFromAnotherCore(const InterleaveOptions& options) {
    const int priority = sched_getscheduler(0) == SCHED_FIFO ? 2 : 0;
    pin_to_core(options.core == 0 ? 1 : 0);
    if (priority != 0) run_undisturbed(priority);
    oneapi::tbb::task_arena arena(2);
    std::atomic<bool> helped = false;
    const std::thread::id maker = std::this_thread::get_id();
    while (!helped) {
      arena.execute([&] {
        oneapi::tbb::parallel_for(0, 1000, [&](int) {
          if (std::this_thread::get_id() != maker) helped = true;
          std::this_thread::yield();
        });
      });
    }
    pin_to_core(options.core);
    if (priority != 0) run_undisturbed();
  }

 private:
  oneapi::tbb::global_control two_{oneapi::tbb::global_control::max_allowed_parallelism, 2};
};

std::string interval(const Estimate& e) {
  if (e.samples == 0) return "no good slice";
  return fmt::format("{:6.2f} [{:.2f} {:.2f}]", e.median, e.low, e.high);
}

void run_flows(std::uint32_t flows, const InterleaveOptions& options) {
  Bench bench;
  bench.workload.flows = flows;
  Arms arms;
  arms.push_back(std::make_unique<TickArm>(bench, "drain + merge, all hit", Life::kAllHit));
  arms.push_back(
      std::make_unique<TickArm>(bench, "drain + merge, all hit, two cores", Life::kAllHit, 2));
  arms.push_back(std::make_unique<TickArm>(bench, "drain + merge, all new", Life::kAllNew));
  arms.push_back(std::make_unique<TickArm>(bench, "drain + merge, new in full cache", Life::kShed));
  arms.push_back(std::make_unique<ExpireArm>(bench));
  arms.push_back(std::make_unique<ScanArm>(bench));
  arms.push_back(std::make_unique<RandomFlowArm>(bench));
  const auto results = interleave(arms, options);
  fmt::print("\n{} flows an epoch, 20 % IPv6; huge pages {} MiB\n", flows, huge_page_mib());
  fmt::print("  {:<40} {:>12} {:>24} {:>22} {:>7}\n", "arm", "M entries/s", "ns/entry", "x all hit",
             "slices");
  for (const ArmResult& result : results) {
    const Estimate ns = result.ns_per_operation();
    const Estimate ratio = speed_ratio(result, results.front());
    fmt::print("  {:<40} {:>12.2f} {:>24} {:>22} {:>4}/{}\n", result.name,
               ns.median > 0 ? 1000 / ns.median : 0, interval(ns), interval(ratio), ns.samples,
               result.ns.size());
  }
  std::fflush(stdout);
}

}  // namespace
}  // namespace wiretally::perf

int main(int argc, char** argv) {
  using namespace wiretally::perf;
  return bench_main(argc, argv, [](const InterleaveOptions& options) {
    const HelpFromAnotherCore help(options);
    for (const std::uint32_t flows : {65'536U, 1'000'000U}) run_flows(flows, options);
  });
}
