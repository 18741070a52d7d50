// SPDX-License-Identifier: Apache-2.0
// Parallel drain and merge. Thread: control.
#include "control/merge/merger.hpp"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cmath>

#include "control/monitor/monitor_set.hpp"
#include "dataplane/clock.hpp"

namespace wiretally {
namespace {

// When the cache is full an eighth of it may leave in a tick, which bounds a tick's time and its
// records (15 MB of a million flows); small caches may turn over as a whole.
constexpr std::uint64_t kShedShare = 8;
constexpr std::uint64_t kShedMin = 16'384;
// Memory of so many records is kept for the next ticks: twice what may be shed in one.
constexpr std::uint64_t kPoolShare = kShedShare / 2;

// Shards fill unevenly: room for four standard deviations, so that the whole holds max_flows.
std::size_t flows_of_shard(std::uint64_t flows_max) {
  const double mean = static_cast<double>(flows_max) / static_cast<double>(kShards);
  return static_cast<std::size_t>(std::ceil(mean + 4 * std::sqrt(mean)));
}

}  // namespace

struct Merger::Arena {
  explicit Arena(int threads) : arena(threads) {}
  oneapi::tbb::task_arena arena;
};

struct Merger::Shard {
  Shard(const CacheOptions& options, const Lifecycle& lifecycle, std::size_t ports)
      : cache(options, lifecycle), coarse(ports) {}
  ShardOutput output() { return {cache, ended, coarse}; }

  FlowCache cache;
  RecordBatch ended;
  CoarseFlows coarse;
  std::vector<Drained> drained;  // by table
};

Merger::Merger(const MergerOptions& options, const FlowHash& hash)
    : options_(options),
      hash_(hash),
      lifecycle_(options.flows.timeouts),
      expiry_interval_(options.flows.expiry_interval.count()),
      records_(options.flows.max_flows / kPoolShare),
      arena_(std::make_unique<Arena>(options.threads)) {
  CacheOptions cache;
  cache.identity_vlan = options.flows.key.vlan;
  // What is sent and what is received are never one flow: a record has one direction.
  cache.identity_ingress =
      options.flows.key.ingress || std::ranges::count(options.egress, true) != 0;
  cache.identity_link = options.flows.key.macs;
  cache.attributes = options.attributes;
  cache.growable = options.recording;
  cache.flows_max = flows_of_shard(options.flows.max_flows);
  cache.shed_max = std::max(kShedMin, options.flows.max_flows / kShedShare) / kShards;
  for (std::size_t i = 0; i < kShards; ++i) {
    shards_.push_back(std::make_unique<Shard>(cache, lifecycle_, options.ifindex.size()));
  }
}

Merger::~Merger() = default;

bool Merger::leaves_here(const FlowRecord& record) const {
  const auto port = static_cast<std::size_t>(record.key.port);
  if (port < options_.egress.size() && options_.egress[port]) return true;
  const FlowAttributes* const attributes = record.attributes;
  return attributes != nullptr && attributes->has_macs &&
         std::ranges::find(options_.own_macs, attributes->source_mac) != options_.own_macs.end();
}

// A record leaves with UTC times and the number its port has towards collectors.
void Merger::complete(FlowRecord& record, TimeNs utc_step) const {
  record.first += utc_step;
  record.last += utc_step;
  const auto port = static_cast<std::size_t>(record.key.port);
  const bool egress = leaves_here(record);
  (egress ? record.egress_ifindex : record.ingress_ifindex) = options_.ifindex[port];
  record.direction = egress ? 1 : 0;
}

// Steps 2 and 3: drain this shard of every table, merge.
void Merger::merge_shard(std::size_t index, const TickInput& input) {
  Shard& shard = *shards_[index];
  const ShardOutput output = shard.output();
  shard.cache.end_coarse(shard.ended);
  shard.coarse.open(input.now);
  shard.drained.clear();
  for (const CountTable* table : input.tables) {
    shard.drained.push_back(drain_shard(*table, index, hash_, input.tick, output));
  }
}

// What other shards had no room for belongs here by the hash of its coarse key. Then step 4.
void Merger::finish_shard(std::size_t index, const TickInput& input) {
  Shard& shard = *shards_[index];
  const ShardOutput output = shard.output();
  for (const auto& other : shards_) {
    if (!other->coarse.empty()) {
      drain_shard(other->coarse.table(), index, hash_, input.tick, output);
    }
  }
  if (expires_) shard.cache.expire(input.now, shard.ended);
  if (input.end) shard.cache.end_all(shard.ended);
  for (FlowRecord& record : shard.ended) complete(record, input.utc_step);
}

TickOutput Merger::run(const TickInput& input) {
  const std::lock_guard lock(mutex_);
  expires_ = is_expiry_due(input.now);
  if (expires_) expired_at_ = input.now;
  TickOutput output;
  const MeterClock clock;
  arena_->arena.execute([&] {
    using oneapi::tbb::parallel_for;
    const TimeNs began = clock.now();
    parallel_for(std::size_t{0}, kShards, [&](std::size_t s) { merge_shard(s, input); });
    const TimeNs merged = clock.now();
    parallel_for(std::size_t{0}, kShards, [&](std::size_t s) { finish_shard(s, input); });
    output.merge_ns = merged - began;
    output.lifecycle_ns = clock.now() - merged;
  });
  output.drained.resize(input.tables.size());
  for (const auto& shard : shards_) {
    for (std::size_t t = 0; t < input.tables.size(); ++t) {
      Drained& sum = output.drained[t];
      sum.totals.packets += shard->drained[t].totals.packets;
      sum.totals.octets += shard->drained[t].totals.octets;
      sum.totals.l2_octets += shard->drained[t].totals.l2_octets;
      sum.entries += shard->drained[t].entries;
    }
    if (shard->ended.empty()) continue;
    output.batches.push_back(records_.share(std::move(shard->ended)));
    shard->ended = records_.take();
  }
  tick_length_ = tick_time_ == 0 ? 0 : input.now - tick_time_;
  tick_time_ = input.now;
  tick_ = input.tick;
  utc_step_ = input.utc_step;
  return output;
}

bool Merger::leaves(const Sweep& sweep, const FlowCache::Flow& flow) const {
  return !sweep.matches || sweep.matches(record_now(flow));
}

// One shard after the other: a filter serves one thread, and an order is rare.
SweepOutput Merger::sweep(const Sweep& sweep) {
  const std::lock_guard lock(mutex_);
  SweepOutput output;
  for (const auto& shard : shards_) {
    RecordBatch ended;
    Volume before = shard->cache.totals().in_cache;
    output.flows += shard->cache.sweep(
        [&](const FlowCache::Flow& flow) { return leaves(sweep, flow); }, sweep.how, ended);
    before -= shard->cache.totals().in_cache;
    output.volume += before;
    for (FlowRecord& record : ended) complete(record, utc_step_);
    if (ended.empty()) continue;
    output.batches.push_back(std::make_shared<const RecordBatch>(std::move(ended)));
  }
  return output;
}

// Time that went back counts anew from there.
bool Merger::is_expiry_due(TimeNs now) const {
  return now < expired_at_ || now - expired_at_ >= expiry_interval_;
}

void Merger::set_lifecycle(const FlowsConfig& flows) {
  const std::lock_guard lock(mutex_);
  lifecycle_ = Lifecycle(flows.timeouts);
  expiry_interval_ = flows.expiry_interval.count();
  for (const auto& shard : shards_) shard->cache.take_new_timeouts(tick_time_);
}

void Merger::set_monitors(MonitorSet* monitors) {
  const std::lock_guard lock(mutex_);
  for (std::size_t s = 0; s < kShards; ++s) {
    shards_[s]->cache.set_tally(monitors == nullptr ? nullptr : &monitors->shard(s));
  }
}

CacheTotals Merger::totals() const {
  const std::lock_guard lock(mutex_);
  CacheTotals sum;
  for (const auto& shard : shards_) {
    const CacheTotals& part = shard->cache.totals();
    sum.merged += part.merged;
    sum.in_cache += part.in_cache;
    sum.ended += part.ended;
    sum.deleted += part.deleted;
    sum.deleted_flows += part.deleted_flows;
    sum.flows += part.flows;
    sum.created += part.created;
    for (std::size_t i = 0; i < kFlowEndReasons; ++i) sum.ended_flows[i] += part.ended_flows[i];
    for (std::size_t i = 0; i < kEndCauses; ++i) sum.ended_by[i] += part.ended_by[i];
  }
  return sum;
}

std::uint64_t Merger::coarse_packets(std::size_t port, CoarseLevel level) const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (const auto& shard : shards_) sum += shard->coarse.packets(port, level);
  return sum;
}

RecordStatistics Merger::statistics() const {
  const std::lock_guard lock(mutex_);
  RecordStatistics sum;
  for (const auto& shard : shards_) sum.add(shard->cache.statistics());
  return sum;
}

Volume Merger::count_flows() const {
  const std::lock_guard lock(mutex_);
  Volume sum;
  for (const auto& shard : shards_) sum += shard->cache.count_flows();
  return sum;
}

void Merger::visit_flows(const std::function<void(const FlowCache::Flow&, bool)>& f) const {
  const std::lock_guard lock(mutex_);
  for (const auto& shard : shards_) {
    shard->cache.for_each([&](const FlowCache::Flow& flow) { f(flow, flow.recent_tick == tick_); });
  }
}

FlowRecord Merger::record_now(const FlowCache::Flow& flow) const {
  FlowRecord record = FlowCache::to_record(flow, FlowEndReason::kForcedEnd);
  complete(record, utc_step_);
  return record;
}

double Merger::last_tick_seconds() const {
  const std::lock_guard lock(mutex_);
  return static_cast<double>(tick_length_) / static_cast<double>(kNsPerSecond);
}

}  // namespace wiretally
