// SPDX-License-Identifier: Apache-2.0
// One shard of the flow cache: every flow that has not ended, found by key, watched by a timer
// wheel. A shard belongs to one task at a time; shards share nothing.
//
// Flows live in a slab and are found through an open-addressing index of 8-octet slots (32-bit tag
// of the hash, 32-bit place in the slab). Each flow hangs in one slot of the wheel, at or before
// its next deadline; a slot that comes due looks at the real deadline and moves the flow on if it
// has been busy, so a packet never touches the wheel.
//
// Thread: control (one task per shard). Times: meter time, ns. Memory: fixed at construction unless
// `growable` (recordings).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "control/merge/flow_record.hpp"
#include "control/merge/lifecycle.hpp"
#include "control/merge/record_statistics.hpp"
#include "control/merge/slab.hpp"
#include "control/status.hpp"

namespace wiretally {

class ShardTally;

// What one drained entry says of a flow.
struct FlowDelta {
  FlowKey key;  // as counted, labels (VLAN, port) included
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
  std::int64_t l2_octets = 0;
  TimeNs first = 0;
  TimeNs last = 0;
  std::uint16_t tcp_flags = 0;
  std::uint8_t tos = 0;
  const FlowAttributes* attributes = nullptr;  // null: not known
};

struct CacheOptions {
  bool identity_vlan = false;  // the VLAN is part of a flow's identity, not a label
  bool identity_ingress = false;
  bool identity_link = false;       // so are both MAC addresses; needs attributes
  bool attributes = false;          // kept for each flow
  bool growable = false;            // recordings: never shed, grow
  std::size_t flows_max = 0;        // of this shard
  std::size_t shed_max = SIZE_MAX;  // flows that may leave in a tick because the cache is full
};

// Totals of a shard; volumes obey merged = in_cache + ended + deleted.
struct CacheTotals {
  Volume merged;
  Volume in_cache;
  Volume ended;    // in records
  Volume deleted;  // by order, without a record
  std::uint64_t flows = 0;
  std::uint64_t created = 0;
  std::uint64_t deleted_flows = 0;
  std::array<std::uint64_t, kFlowEndReasons> ended_flows{};
  std::array<std::uint64_t, kEndCauses> ended_by{};  // the same records, by EndCause
};

class FlowCache {
 public:
  // The part of a flow that is looked at from outside.
  struct Flow {
    FlowKey identity;  // key with its labels zeroed: what is compared
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
    std::int64_t l2_octets = 0;
    TimeNs first = 0;
    TimeNs last = 0;
    TimeNs cut = 0;  // next active timeout
    std::uint64_t recent_octets = 0;
    std::uint32_t recent_packets = 0;
    std::uint32_t recent_tick = 0;  // the tick the two above belong to
    std::uint32_t tag = 0;
    std::uint32_t wheel_next = 0;
    std::uint32_t wheel_previous = 0;
    std::uint32_t born = 0;  // step of the wheel in which the flow began, modulo 2^32
    std::uint16_t wheel_slot = 0;
    std::uint16_t all_flags = 0;  // 12 bits since the last cut; above them FIN and RST since ever
    std::uint16_t vlan = 0;
    std::uint8_t tos = 0;
    PortIndex port{};

    [[nodiscard]] std::uint16_t tcp_flags() const { return all_flags & 0x0fff; }
    // FIN and RST since the flow began, kept over active cuts.
    [[nodiscard]] std::uint16_t ended_flags() const { return all_flags >> 12; }
  };
  static_assert(sizeof(Flow) == 128, "two cache lines, and both are asked for ahead");

  FlowCache(const CacheOptions& options, const Lifecycle& lifecycle);

  // Asks for the index line and then the flow that merge() will touch.
  void prefetch_index(std::uint64_t hash) const;
  void prefetch_flow(std::uint64_t hash) const;

  // Adds a delta to its flow; a silence longer than the flow's timeout ends the old flow first.
  // Ended flows go to `out`. `tick` labels the recent counters. False, and nothing changed: a new
  // flow finds the cache full and enough have left for it in this tick; it is to be coarsened. A
  // coarse key is always taken.
  [[nodiscard]] bool merge(const FlowDelta& delta, std::uint64_t hash, std::uint32_t tick,
                           RecordBatch& out);
  // Ends the coarse rows of the tick before (end reason 5): they are seen between two ticks and
  // leave with the second, so that collectors learn of a flood while it lasts.
  void end_coarse(RecordBatch& out);
  // Ends what is due at `now`: silent flows, and cuts of active ones.
  void expire(TimeNs now, RecordBatch& out);
  // Ends everything (end reason 4).
  void end_all(RecordBatch& out);
  // Ends what `leaves` says true of; returns how many flows that were.
  std::uint64_t sweep(const std::function<bool(const Flow&)>& leaves, Leave how, RecordBatch& out);
  // Who counts what comes, beside the cache; null: nobody. Borrowed.
  void set_tally(ShardTally* tally) { tally_ = tally; }
  // The life-cycle's timeouts have changed: every flow gets its deadline anew.
  void take_new_timeouts(TimeNs now);

  [[nodiscard]] const CacheTotals& totals() const { return totals_; }
  [[nodiscard]] const RecordStatistics& statistics() const { return statistics_; }
  // Sums the flows again, one by one: the check behind totals().in_cache.
  [[nodiscard]] Volume count_flows() const;
  // Calls f(flow) for each flow; not while another task uses the shard.
  template <class F>
  void for_each(F f) const {
    for (const Slot& slot : index_) {
      if (slot.place != kNone) f(flows_[slot.place]);
    }
  }
  // A flow as a record so far, in meter time, ifindex and attributes not yet filled.
  static FlowRecord to_record(const Flow& flow, FlowEndReason reason);

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::uint32_t kFree = UINT32_MAX;  // recent_tick of a place without a flow
  static constexpr std::size_t kWheelSlots = 1024;
  static constexpr TimeNs kWheelStep = kNsPerSecond / 4;

  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t place = kNone;
  };

  [[nodiscard]] FlowKey identity_of(const FlowKey& key) const;
  [[nodiscard]] std::size_t find(const FlowKey& identity, std::uint32_t tag,
                                 const FlowAttributes* attributes) const;
  std::uint32_t create(const FlowDelta& delta, const FlowKey& identity, std::uint32_t tag);
  void begin(Flow& flow, const FlowDelta& delta);
  void add(std::uint32_t place, const FlowDelta& delta, std::uint32_t tick);
  void add_attributes(std::uint32_t place, const FlowDelta& delta, bool first);
  void emit(std::uint32_t place, EndCause cause, RecordBatch& out);
  [[nodiscard]] TimeNs life_end(const Flow& flow, TimeNs now) const;
  bool cut(std::uint32_t place, TimeNs now, RecordBatch& out);
  void remove(std::uint32_t place);
  void drop(std::uint32_t place);
  void erase_index(std::size_t at);
  void resize(std::size_t flows);
  bool make_room(const FlowDelta& delta, std::uint32_t tick, RecordBatch& out);
  std::uint32_t take_place();
  std::size_t shed(std::uint32_t tick, RecordBatch& out);
  std::size_t find_idle(std::uint32_t tick, std::span<std::uint32_t> leaving);
  void shed_place(std::uint32_t place, RecordBatch& out);
  [[nodiscard]] TimeNs deadline(const Flow& flow) const;
  [[nodiscard]] TimeNs silent_at(const Flow& flow) const;
  void hang(std::uint32_t place, TimeNs deadline);
  void unhang(std::uint32_t place);
  void visit_slot(std::size_t slot, TimeNs now, RecordBatch& out);

  const CacheOptions options_;
  const Lifecycle& lifecycle_;
  ShardTally* tally_ = nullptr;
  Slab<Flow> flows_;
  Slab<FlowAttributes> attributes_;  // by place; empty if not kept
  std::uint32_t fresh_ = 0;          // places from here on have never been used
  std::vector<Slot> index_;
  std::size_t index_mask_ = 0;
  std::uint32_t free_ = kNone;  // places used before, a list through wheel_next
  std::vector<std::uint32_t> wheel_;
  std::int64_t wheel_time_ = 0;        // step last visited
  std::vector<std::uint32_t> coarse_;  // places of the coarse rows of this tick
  std::size_t hand_ = 0;               // place where shedding looks on
  std::uint32_t shed_tick_ = 0;
  std::size_t shed_left_ = 0;  // of shed_max, in shed_tick_
  CacheTotals totals_;
  RecordStatistics statistics_;
};

}  // namespace wiretally
