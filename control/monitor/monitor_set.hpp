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
#include <set>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "control/filter/filter_bank.hpp"
#include "control/monitor/key_table.hpp"
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

// The groups of all monitors that group by the same fields: one look finds a key for all of them.
struct GroupIndex {
  struct Owner {
    std::uint32_t monitor;
    std::uint32_t group;  // its number there
  };
  GroupSpec spec;
  KeyTable keys;
  std::vector<std::vector<Owner>> owners;  // by number of the key; each by monitor
};

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
  void settle_groups(TimeNs now);
  // Pairs of monitors, by number, that counted a flow both; those which came since the last call. A
  // flow that more than kToldApart of them count makes a pair of each with kAnyMonitor.
  static constexpr std::size_t kToldApart = 64;
  static constexpr std::uint32_t kAnyMonitor = UINT32_MAX;
  [[nodiscard]] std::set<std::pair<std::uint32_t, std::uint32_t>> take_new_overlaps();
  // After groups were cleared or dropped. Rows that are still in use are made again.
  void forget_rows(TimeNs now);

  // -- for the shards --
  // Answers of a filter serve all monitors that have the same.
  [[nodiscard]] FilterBank& filters() { return *filters_; }
  [[nodiscard]] std::uint32_t filter_of(std::size_t monitor) const { return filter_of_[monitor]; }
  // Monitors for which a flow's addresses decide how it counts.
  [[nodiscard]] const std::vector<std::uint32_t>& monitors_with_sides() const {
    return monitors_with_sides_;
  }
  [[nodiscard]] std::uint32_t ifindex(PortIndex port) const {
    return ifindex_[static_cast<std::size_t>(port)];
  }
  [[nodiscard]] bool wants_attributes() const { return wants_attributes_; }
  [[nodiscard]] bool wants_ingress() const { return wants_ingress_; }
  // Rows that a flow may be counted in.
  [[nodiscard]] std::size_t rows_per_flow() const { return rows_per_flow_; }
  // The rows that flows have been told of hold as long as this is the same; never 0.
  [[nodiscard]] std::uint32_t generation() const { return generation_; }
  // What a class is known by: for each monitor whether it takes the flow, and its sides.
  using ClassCode = std::string;  // an octet for each monitor
  static constexpr char kNotTaken = 0;
  [[nodiscard]] static char taken(const FlowSides& sides);
  const FlowClass* class_of(const ClassCode& code);
  RowNumber row_of(RowKind& kind, const std::uint8_t* key);
  [[nodiscard]] static RowNumber other_row(const RowKind& kind);
  RowCell& cell(RowNumber row) { return chunks_[row / kChunk][row % kChunk]; }

 private:
  static constexpr std::size_t kChunk = 4096;
  static constexpr std::size_t kChunks = 65'536;

  // `sides`: of each monitor that takes the flow.
  struct Taker {
    std::uint32_t monitor;
    FlowSides sides;
  };

  static std::vector<Taker> takers_of(const ClassCode& code);
  GroupIndex& index_of(const GroupSpec& spec);
  void know_groups();
  Grouping make_grouping(const GroupSpec& spec, const std::vector<Taker>& takers);
  RowKind* kind_of(GroupIndex& index, const std::vector<ClassMember>& members);
  bool find_groups(const RowKind& kind, const std::uint8_t* key,
                   std::vector<std::uint32_t>& groups);
  RowNumber make_row(RowKind& kind, const std::uint8_t* key);
  RowNumber add_row(RowKind& kind);

  const std::vector<std::shared_ptr<Monitor>> monitors_;
  const std::vector<std::uint32_t> ifindex_;
  std::unique_ptr<FilterBank> filters_;
  std::vector<std::uint32_t> filter_of_;
  std::vector<std::uint32_t> monitors_with_sides_;
  bool wants_attributes_ = false;
  bool wants_ingress_ = false;
  std::size_t rows_per_flow_ = 0;
  std::uint32_t generation_ = 1;

  std::shared_mutex mutex_;  // what follows, while shards work
  std::deque<GroupIndex> indexes_;
  std::deque<FlowClass> classes_;
  std::size_t classes_looked_at_ = 0;  // for overlaps
  std::map<ClassCode, const FlowClass*> class_index_;
  std::deque<RowKind> kinds_;
  std::map<std::pair<const GroupIndex*, std::vector<ClassMember>>, RowKind*> kind_index_;
  std::vector<std::unique_ptr<RowCell[]>> chunks_;  // never moves: cells are added to without lock
  RowNumber rows_ = 0;
  std::vector<std::unique_ptr<ShardTally>> shards_;
};

}  // namespace wiretally
