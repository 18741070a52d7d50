// SPDX-License-Identifier: Apache-2.0
// Classes, kinds, rows, and their way to the monitors. Thread: see the header.
#include "control/monitor/monitor_set.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "config/startup_error.hpp"
#include "control/monitor/shard_tally.hpp"

namespace wiretally {

struct RowKind {
  GroupSpec* spec;
  KeyTable* known;
  std::vector<ClassMember> members;
  RowNumber other = kNoRow;
  KeyTable keys;                       // of the rows below
  std::vector<RowNumber> rows;         // by number of the key
  std::vector<std::uint32_t> targets;  // for each row, the group of each member
  bool full = false;                   // no member takes in another group
};

namespace {

Volume take(RowCell& cell, std::uint64_t& flows) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  flows = cell.flows.exchange(0, kRelaxed);
  return {cell.packets.exchange(0, kRelaxed), cell.octets.exchange(0, kRelaxed),
          cell.l2_octets.exchange(0, kRelaxed)};
}

}  // namespace

MonitorSet::MonitorSet(std::vector<std::shared_ptr<Monitor>> monitors,
                       std::vector<std::uint32_t> ifindex, std::size_t shards)
    : monitors_(std::move(monitors)), ifindex_(std::move(ifindex)) {
  chunks_.reserve(kChunks);
  std::map<std::string, std::uint32_t> by_text;
  for (const auto& monitor : monitors_) {
    const auto [at, is_new] =
        by_text.emplace(monitor->config().filter, static_cast<std::uint32_t>(filters_.size()));
    if (is_new) filters_.push_back(&monitor->filter());
    filter_of_.push_back(at->second);
    wants_attributes_ = wants_attributes_ || monitor->wants_attributes();
    wants_ingress_ = wants_ingress_ || monitor->spec().wants(GroupField::kIngress);
    if (monitor->spec().is_empty()) continue;
    (void)spec_of(monitor->spec());
  }
  know_groups();
  for (const Spec& spec : specs_) rows_per_flow_ += spec.spec.has_two_ends() ? 3 : 1;
  for (std::size_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<ShardTally>(*this));
}

MonitorSet::~MonitorSet() = default;

MonitorSet::Spec& MonitorSet::spec_of(const GroupSpec& spec) {
  const auto known = std::ranges::find(specs_, spec, &Spec::spec);
  return known != specs_.end() ? *known
                               : specs_.emplace_back(Spec{spec, KeyTable(spec.key_octets())});
}

void MonitorSet::encode(const std::vector<Taker>& takers, std::vector<std::uint32_t>& code) {
  code.clear();
  for (const auto& [monitor, sides] : takers) {
    code.push_back(monitor << 4 | static_cast<std::uint32_t>(sides.direction) << 2 |
                   static_cast<std::uint32_t>(sides.source) << 1 |
                   static_cast<std::uint32_t>(sides.destination));
  }
}

void MonitorSet::know_groups() {
  for (Spec& spec : specs_) spec.known.clear();
  for (const auto& monitor : monitors_) {
    if (monitor->spec().is_empty()) continue;
    KeyTable& known = spec_of(monitor->spec()).known;
    for (std::uint32_t group = 0; group < monitor->groups(); ++group) {
      const std::uint8_t* const key = monitor->group_key(group).data();
      if (known.find(key) == KeyTable::kNone) known.insert(key);
    }
  }
}

const FlowClass* MonitorSet::class_of(const std::vector<Taker>& takers,
                                      const std::vector<std::uint32_t>& code) {
  const std::lock_guard lock(mutex_);
  const auto known = class_index_.find(code);
  if (known != class_index_.end()) return known->second;
  FlowClass& made = classes_.emplace_back();
  std::vector<const GroupSpec*> specs;
  for (const auto& [monitor, sides] : takers) {
    made.members.push_back({monitor, sides.direction});
    if (monitors_[monitor]->spec().is_empty()) continue;
    const GroupSpec* const spec = &spec_of(monitors_[monitor]->spec()).spec;
    if (std::ranges::find(specs, spec) == specs.end()) specs.push_back(spec);
  }
  for (const GroupSpec* spec : specs) made.groupings.push_back(make_grouping(*spec, takers));
  class_index_.emplace(code, &made);
  return &made;
}

Grouping MonitorSet::make_grouping(const GroupSpec& spec, const std::vector<Taker>& takers) {
  std::vector<ClassMember> all;
  std::vector<ClassMember> source;
  std::vector<ClassMember> destination;
  std::vector<ClassMember> same;
  std::vector<ClassMember> neither;
  for (const auto& [monitor, sides] : takers) {
    if (!(monitors_[monitor]->spec() == spec)) continue;
    all.push_back({monitor, sides.direction});
    if (sides.source) source.push_back({monitor, Way::kOut});
    if (sides.destination) destination.push_back({monitor, Way::kIn});
    if (sides.source || sides.destination) {
      same.push_back({monitor, !sides.destination ? Way::kOut
                               : sides.source     ? Way::kBoth
                                                  : Way::kIn});
    } else {
      neither.push_back({monitor, sides.direction});
    }
  }
  Spec& entry = spec_of(spec);
  Grouping grouping;
  grouping.spec = &entry.spec;
  grouping.all = kind_of(entry, all);
  if (!spec.has_two_ends()) {
    grouping.source = grouping.all;
    return grouping;
  }
  grouping.source = kind_of(entry, source);
  grouping.destination = kind_of(entry, destination);
  grouping.same = kind_of(entry, same);
  grouping.neither = kind_of(entry, neither);
  return grouping;
}

RowKind* MonitorSet::kind_of(Spec& spec, const std::vector<ClassMember>& members) {
  if (members.empty()) return nullptr;
  RowKind*& kind = kind_index_[{&spec, members}];
  if (kind != nullptr) return kind;
  kind = &kinds_.emplace_back(
      RowKind{&spec.spec, &spec.known, members, kNoRow, KeyTable(spec.spec.key_octets()), {}, {}});
  kind->other = add_row(*kind);
  return kind;
}

RowNumber MonitorSet::other_row(const RowKind& kind) {
  return kind.other;
}

RowNumber MonitorSet::add_row(RowKind& kind) {
  if (rows_ / kChunk == chunks_.size()) {
    if (chunks_.size() == kChunks) return kind.other;  // 268 million rows: 8 GB
    chunks_.push_back(std::make_unique<RowCell[]>(kChunk));
  }
  return rows_++;
}

RowNumber MonitorSet::row_of(RowKind& kind, const std::uint8_t* key) {
  {
    const std::shared_lock lock(mutex_);
    const std::uint32_t known = kind.keys.find(key);
    if (known != KeyTable::kNone) return kind.rows[known];
    if (kind.full && kind.known->find(key) == KeyTable::kNone) return kind.other;
  }
  const std::lock_guard lock(mutex_);
  const std::uint32_t known = kind.keys.find(key);
  return known != KeyTable::kNone ? kind.rows[known] : make_row(kind, key);
}

// A row if at least one member has, or takes in, a group of that key.
RowNumber MonitorSet::make_row(RowKind& kind, const std::uint8_t* key) {
  std::vector<std::uint32_t> groups;
  for (const ClassMember& member : kind.members) {
    groups.push_back(monitors_[member.monitor]->group_of(key));
  }
  kind.full = std::ranges::all_of(
      kind.members, [&](const ClassMember& m) { return monitors_[m.monitor]->is_full(); });
  if (std::ranges::all_of(groups, [](std::uint32_t g) { return g == Monitor::kOther; })) {
    return kind.other;
  }
  if (kind.known->find(key) == KeyTable::kNone) kind.known->insert(key);
  const RowNumber row = add_row(kind);
  if (row == kind.other) return row;
  kind.keys.insert(key);
  kind.rows.push_back(row);
  kind.targets.insert(kind.targets.end(), groups.begin(), groups.end());
  return row;
}

void MonitorSet::settle() {
  for (const auto& shard : shards_) {
    for (ShardTally::ClassCell& cell : shard->classes()) {
      if (cell.volume.is_zero() && cell.flows == 0) continue;
      for (const ClassMember& member : cell.flow_class->members) {
        monitors_[member.monitor]->count(cell.volume, cell.flows, member.direction);
      }
      cell.volume = {};
      cell.flows = 0;
    }
  }
}

void MonitorSet::settle_groups() {
  for (RowKind& kind : kinds_) {
    const std::size_t members = kind.members.size();
    const auto settle_row = [&](RowNumber row, const std::uint32_t* targets) {
      std::uint64_t flows = 0;
      const Volume volume = take(cell(row), flows);
      if (volume.is_zero() && flows == 0) return;
      for (std::size_t m = 0; m < members; ++m) {
        monitors_[kind.members[m].monitor]->count_group(
            targets == nullptr ? Monitor::kOther : targets[m], volume, flows,
            kind.members[m].direction);
      }
    };
    settle_row(kind.other, nullptr);
    for (std::size_t i = 0; i < kind.rows.size(); ++i) {
      settle_row(kind.rows[i], kind.targets.data() + i * members);
    }
  }
}

void MonitorSet::forget_rows() {
  settle_groups();
  rows_ = 0;
  know_groups();
  for (RowKind& kind : kinds_) {
    kind.keys.clear();
    kind.rows.clear();
    kind.targets.clear();
    kind.full = false;
    kind.other = add_row(kind);
  }
  ++generation_;
}

}  // namespace wiretally
