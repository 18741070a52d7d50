// SPDX-License-Identifier: Apache-2.0
// How drained counts reach the monitors, at the price of one addition for all monitors that count a
// flow, and one for each way to group.
//
// When a flow begins, the filters are run once; which monitors take it, and from which side, is its
// FlowClass. Classes are few, so an entry adds to its class (a cell of the shard). Monitors that
// group by the same fields share rows: a row is one group key under one RowKind (which monitors,
// which end of the flow), found once per flow and kept beside it. Once a tick, or when somebody
// asks, what classes and rows hold goes on to the monitors.
//
// Bounds: a row exists only for a key that some monitor has taken in as a group (max_groups); all
// other keys of a kind share its `other` row.
//
// Thread: class_of(), row_of() the tasks of the shards; the rest control, between two ticks.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <shared_mutex>
#include <vector>

#include "control/monitor/monitor.hpp"

namespace wiretally {

class ShardTally;

// A monitor that takes the flows of a class, or what it calls one end of them.
struct ClassMember {
  std::uint32_t monitor = 0;
  Way direction = Way::kThrough;
  friend auto operator<=>(const ClassMember&, const ClassMember&) = default;
};

using RowNumber = std::uint32_t;
inline constexpr RowNumber kNoRow = UINT32_MAX;

// One cell of a group: shards add to it at the same time.
struct RowCell {
  std::atomic<std::uint64_t> packets{0};
  std::atomic<std::uint64_t> octets{0};
  std::atomic<std::uint64_t> l2_octets{0};
  std::atomic<std::uint64_t> flows{0};

  void add(const Volume& volume, std::uint64_t flow_count) {
    packets.fetch_add(volume.packets, std::memory_order_relaxed);
    octets.fetch_add(volume.octets, std::memory_order_relaxed);
    l2_octets.fetch_add(volume.l2_octets, std::memory_order_relaxed);
    if (flow_count != 0) flows.fetch_add(flow_count, std::memory_order_relaxed);
  }
};

// Monitors that count the same end of the same flows by the same fields.
struct RowKind;

// How a class is counted by one way to group. Of fields that are of the flow, only `source` is
// used. nullptr: nobody.
struct Grouping {
  const GroupSpec* spec = nullptr;
  RowKind* source = nullptr;       // who counts the source's group (out)
  RowKind* destination = nullptr;  // who counts the destination's (in)
  RowKind* same = nullptr;         // if both are one group
  RowKind* neither = nullptr;      // who counts no end of it
  RowKind* all = nullptr;          // of a flow without such fields
};

struct FlowClass {
  std::vector<ClassMember> members;
  std::vector<Grouping> groupings;
};

class MonitorSet {
 public:
  // `ifindex`: by PortIndex. The monitors may have counted before.
  MonitorSet(std::vector<std::shared_ptr<Monitor>> monitors, std::vector<std::uint32_t> ifindex,
             std::size_t shards);
  ~MonitorSet();

  [[nodiscard]] const std::vector<std::shared_ptr<Monitor>>& monitors() const { return monitors_; }
  ShardTally& shard(std::size_t shard) { return *shards_[shard]; }
  // Moves what the shards have counted to the monitors. Groups cost more, and are done when their
  // numbers are asked for.
  void settle();
  void settle_groups();
  // After groups were cleared. Rows that are still in use are made again.
  void forget_rows();

  // -- for the shards --
  // Answers of a filter serve all monitors that have the same.
  [[nodiscard]] const std::vector<const FlowFilter*>& filters() const { return filters_; }
  [[nodiscard]] std::uint32_t filter_of(std::size_t monitor) const { return filter_of_[monitor]; }
  [[nodiscard]] std::uint32_t ifindex(PortIndex port) const {
    return ifindex_[static_cast<std::size_t>(port)];
  }
  [[nodiscard]] bool wants_attributes() const { return wants_attributes_; }
  [[nodiscard]] bool wants_ingress() const { return wants_ingress_; }
  // Rows that a flow may be counted in.
  [[nodiscard]] std::size_t rows_per_flow() const { return rows_per_flow_; }
  // What flows have been told holds as long as this is the same; never 0.
  [[nodiscard]] std::uint32_t generation() const { return generation_; }
  // `sides`: of each monitor that takes the flow.
  struct Taker {
    std::uint32_t monitor;
    FlowSides sides;
  };
  // What a class is known by.
  static void encode(const std::vector<Taker>& takers, std::vector<std::uint32_t>& code);
  const FlowClass* class_of(const std::vector<Taker>& takers,
                            const std::vector<std::uint32_t>& code);
  RowNumber row_of(RowKind& kind, const std::uint8_t* key);
  [[nodiscard]] static RowNumber other_row(const RowKind& kind);
  RowCell& cell(RowNumber row) { return chunks_[row / kChunk][row % kChunk]; }

 private:
  static constexpr std::size_t kChunk = 4096;
  static constexpr std::size_t kChunks = 65'536;

  struct Spec {
    GroupSpec spec;
    KeyTable known;  // groups that some monitor has
  };

  Spec& spec_of(const GroupSpec& spec);
  void know_groups();
  Grouping make_grouping(const GroupSpec& spec, const std::vector<Taker>& takers);
  RowKind* kind_of(Spec& spec, const std::vector<ClassMember>& members);
  RowNumber make_row(RowKind& kind, const std::uint8_t* key);
  RowNumber add_row(RowKind& kind);

  const std::vector<std::shared_ptr<Monitor>> monitors_;
  const std::vector<std::uint32_t> ifindex_;
  std::vector<const FlowFilter*> filters_;
  std::vector<std::uint32_t> filter_of_;
  bool wants_attributes_ = false;
  bool wants_ingress_ = false;
  std::size_t rows_per_flow_ = 0;
  std::uint32_t generation_ = 1;

  std::shared_mutex mutex_;  // what follows, while shards work
  std::deque<Spec> specs_;
  std::deque<FlowClass> classes_;
  std::map<std::vector<std::uint32_t>, const FlowClass*> class_index_;
  std::deque<RowKind> kinds_;
  std::map<std::pair<const Spec*, std::vector<ClassMember>>, RowKind*> kind_index_;
  std::vector<std::unique_ptr<RowCell[]>> chunks_;  // never moves: cells are added to without lock
  RowNumber rows_ = 0;
  std::vector<std::unique_ptr<ShardTally>> shards_;
};

}  // namespace wiretally
