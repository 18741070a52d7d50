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
  GroupIndex* index;
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
  std::vector<const FlowFilter*> filters;
  std::map<std::string, std::uint32_t> by_text;
  for (const auto& monitor : monitors_) {
    const auto [at, is_new] =
        by_text.emplace(monitor->config().filter, static_cast<std::uint32_t>(filters.size()));
    if (is_new) filters.push_back(&monitor->filter());
    filter_of_.push_back(at->second);
    if (monitor->has_sides()) {
      monitors_with_sides_.push_back(static_cast<std::uint32_t>(filter_of_.size() - 1));
    }
    wants_attributes_ = wants_attributes_ || monitor->wants_attributes();
    wants_ingress_ = wants_ingress_ || monitor->spec().wants(GroupField::kIngress);
    if (monitor->spec().is_empty()) continue;
    (void)index_of(monitor->spec());
  }
  filters_ = std::make_unique<FilterBank>(std::move(filters));
  know_groups();
  for (const GroupIndex& index : indexes_) {
    rows_per_flow_ += index.spec.has_two_ends() ? 3 : 1;
  }
  for (std::size_t i = 0; i < shards; ++i) shards_.push_back(std::make_unique<ShardTally>(*this));
}

MonitorSet::~MonitorSet() = default;

GroupIndex& MonitorSet::index_of(const GroupSpec& spec) {
  const auto known = std::ranges::find(indexes_, spec, &GroupIndex::spec);
  return known != indexes_.end()
             ? *known
             : indexes_.emplace_back(GroupIndex{spec, KeyTable(spec.key_octets()), {}});
}

char MonitorSet::taken(const FlowSides& sides) {
  return static_cast<char>(1u | static_cast<unsigned>(sides.source) << 1 |
                           static_cast<unsigned>(sides.destination) << 2 |
                           static_cast<unsigned>(sides.direction) << 3);
}

std::vector<MonitorSet::Taker> MonitorSet::takers_of(const ClassCode& code) {
  std::vector<Taker> takers;
  for (std::uint32_t monitor = 0; monitor < code.size(); ++monitor) {
    if (code[monitor] == kNotTaken) continue;
    const auto sides = static_cast<unsigned>(code[monitor]);
    takers.push_back({monitor, {static_cast<Way>(sides >> 3), (sides & 2) != 0, (sides & 4) != 0}});
  }
  return takers;
}

void MonitorSet::know_groups() {
  for (GroupIndex& index : indexes_) {
    index.keys.clear();
    index.owners.clear();
  }
  for (std::uint32_t m = 0; m < monitors_.size(); ++m) {
    const Monitor& monitor = *monitors_[m];
    if (monitor.spec().is_empty()) continue;
    GroupIndex& index = index_of(monitor.spec());
    for (std::uint32_t group = 0; group < monitor.groups(); ++group) {
      const std::uint8_t* const key = monitor.group_key(group).data();
      std::uint32_t number = index.keys.find(key);
      if (number == KeyTable::kNone) {
        number = index.keys.insert(key);
        index.owners.emplace_back();
      }
      index.owners[number].push_back({m, group});
    }
  }
}

const FlowClass* MonitorSet::class_of(const ClassCode& code) {
  const std::lock_guard lock(mutex_);
  const auto known = class_index_.find(code);
  if (known != class_index_.end()) return known->second;
  const std::vector<Taker> takers = takers_of(code);
  FlowClass& made = classes_.emplace_back();
  std::vector<const GroupSpec*> specs;
  for (const auto& [monitor, sides] : takers) {
    made.members.push_back({monitor, sides.direction});
    if (monitors_[monitor]->spec().is_empty()) continue;
    const GroupSpec* const spec = &index_of(monitors_[monitor]->spec()).spec;
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
  GroupIndex& entry = index_of(spec);
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

RowKind* MonitorSet::kind_of(GroupIndex& index, const std::vector<ClassMember>& members) {
  if (members.empty()) return nullptr;
  RowKind*& kind = kind_index_[{&index, members}];
  if (kind != nullptr) return kind;
  kind = &kinds_.emplace_back(
      RowKind{&index, members, kNoRow, KeyTable(index.spec.key_octets()), {}, {}});
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
    if (kind.full && kind.index->keys.find(key) == KeyTable::kNone) return kind.other;
  }
  const std::lock_guard lock(mutex_);
  const std::uint32_t known = kind.keys.find(key);
  return known != KeyTable::kNone ? kind.rows[known] : make_row(kind, key);
}

// The group of each member; those that have none yet take it in if they have room. False: none has
// it, and none takes it.
bool MonitorSet::find_groups(const RowKind& kind, const std::uint8_t* key,
                             std::vector<std::uint32_t>& groups) {
  using Owner = GroupIndex::Owner;
  std::uint32_t number = kind.index->keys.find(key);
  std::vector<Owner> owners;  // of before
  if (number != KeyTable::kNone) owners = kind.index->owners[number];
  std::vector<Owner> all = owners;
  auto owner = owners.begin();
  bool any = false;
  for (const ClassMember& member : kind.members) {
    while (owner != owners.end() && owner->monitor < member.monitor) ++owner;
    std::uint32_t group = Monitor::kOther;
    if (owner != owners.end() && owner->monitor == member.monitor) {
      group = owner->group;
    } else if (!monitors_[member.monitor]->is_full()) {
      group = monitors_[member.monitor]->add_group(key);
      all.push_back({member.monitor, group});
    }
    any = any || group != Monitor::kOther;
    groups.push_back(group);
  }
  if (all.size() == owners.size()) return any;
  if (number == KeyTable::kNone) {
    number = kind.index->keys.insert(key);
    kind.index->owners.emplace_back();
  }
  std::ranges::sort(all, {}, &Owner::monitor);
  kind.index->owners[number] = std::move(all);
  return true;
}

// A row if at least one member has, or takes in, a group of that key.
RowNumber MonitorSet::make_row(RowKind& kind, const std::uint8_t* key) {
  std::vector<std::uint32_t> groups;
  const bool any = find_groups(kind, key, groups);
  kind.full = std::ranges::all_of(
      kind.members, [&](const ClassMember& m) { return monitors_[m.monitor]->is_full(); });
  if (!any) return kind.other;
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

// The members of a class count the same flows. There are few classes, and each is looked at once.
std::set<std::pair<std::uint32_t, std::uint32_t>> MonitorSet::take_new_overlaps() {
  const std::shared_lock lock(mutex_);
  std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (; classes_looked_at_ < classes_.size(); ++classes_looked_at_) {
    const std::vector<ClassMember>& members = classes_[classes_looked_at_].members;
    const bool many = members.size() > kToldApart;
    for (std::size_t a = 0; a < members.size(); ++a) {
      if (many) pairs.emplace(members[a].monitor, kAnyMonitor);
      for (std::size_t b = a + 1; !many && b < members.size(); ++b) {
        pairs.emplace(members[a].monitor, members[b].monitor);
      }
    }
  }
  return pairs;
}

void MonitorSet::settle_groups(TimeNs now) {
  for (RowKind& kind : kinds_) {
    const std::size_t members = kind.members.size();
    const auto settle_row = [&](RowNumber row, const std::uint32_t* targets) {
      std::uint64_t flows = 0;
      const Volume volume = take(cell(row), flows);
      if (volume.is_zero() && flows == 0) return;
      for (std::size_t m = 0; m < members; ++m) {
        monitors_[kind.members[m].monitor]->count_group(
            targets == nullptr ? Monitor::kOther : targets[m], volume, flows,
            kind.members[m].direction, now);
      }
    };
    settle_row(kind.other, nullptr);
    for (std::size_t i = 0; i < kind.rows.size(); ++i) {
      settle_row(kind.rows[i], kind.targets.data() + i * members);
    }
  }
}

void MonitorSet::forget_rows(TimeNs now) {
  settle_groups(now);
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
