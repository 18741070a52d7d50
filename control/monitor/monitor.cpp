// SPDX-License-Identifier: Apache-2.0
// Counts and groups of one monitor. Thread: see the header.
#include "control/monitor/monitor.hpp"

#include <algorithm>

namespace wiretally {
namespace {

constexpr std::size_t kRoomAtOnce = 16'384;  // of groups; nothing is touched before it is used

}  // namespace

MonitorCounts& MonitorCounts::operator+=(const MonitorCounts& o) {
  for (std::size_t d = 0; d < kWays; ++d) by_direction[d] += o.by_direction[d];
  flows += o.flows;
  return *this;
}

DirectedVolume MonitorCounts::volume() const {
  DirectedVolume volume;
  for (const Volume& part : by_direction) volume.total += part;
  volume.in = of(Way::kIn);
  volume.in += of(Way::kBoth);
  volume.out = of(Way::kOut);
  volume.out += of(Way::kBoth);
  return volume;
}

bool MonitorCounts::is_zero() const {
  return flows == 0 && std::ranges::all_of(by_direction, &Volume::is_zero);
}

Monitor::Monitor(const MonitorConfig& config)
    : config_(config),
      filter_(config.filter),
      spec_(config.group_by),
      local_(config.local),
      rules_(config.rules) {}

FlowSides Monitor::sides_of(const FlowKey& key) const {
  FlowSides sides;
  if (!config_.rules.empty()) {
    const HostRules::Counts counts = rules_.judge(key);
    sides.source = counts.source;
    sides.destination = counts.destination;
    if (sides.source && sides.destination) sides.direction = Way::kBoth;
  } else if (local_.is_empty()) {
    return {};
  } else {
    sides.source = local_.holds(key.source, key.ip_version());
    sides.destination = local_.holds(key.destination, key.ip_version());
  }
  if (sides.source != sides.destination) {
    sides.direction = sides.source ? Way::kOut : Way::kIn;
  }
  return sides;
}

std::uint32_t Monitor::add_group(const std::uint8_t* key) {
  if (groups_.empty()) {
    const std::size_t room = std::min<std::size_t>(config_.max_groups, kRoomAtOnce);
    groups_.reserve(room);
    counted_at_.reserve(room);
    keys_.reserve(room * spec_.key_octets());
  }
  groups_.emplace_back();
  counted_at_.push_back(0);
  keys_.insert(keys_.end(), key, key + spec_.key_octets());
  return groups() - 1;
}

void Monitor::count_group(std::uint32_t group, const Volume& volume, std::uint64_t flows,
                          Way direction, TimeNs now) {
  if (group == kOther) return other_.add(volume, flows, direction);
  groups_[group].add(volume, flows, direction);
  counted_at_[group] = now;
}

void Monitor::clear_groups() {
  keys_.clear();
  groups_.clear();
  counted_at_.clear();
  other_ = {};
}

std::vector<std::uint32_t> Monitor::drop_idle(TimeNs since) {
  if (std::ranges::none_of(counted_at_, [since](TimeNs at) { return at < since; })) return {};
  std::vector<std::uint32_t> moved(groups(), kOther);
  std::vector<std::uint8_t> keys;
  std::vector<MonitorCounts> groups;
  std::vector<TimeNs> counted_at;
  for (std::uint32_t group = 0; group < moved.size(); ++group) {
    if (counted_at_[group] < since) {
      other_ += groups_[group];
      continue;
    }
    moved[group] = static_cast<std::uint32_t>(groups.size());
    const auto key = group_key(group);
    keys.insert(keys.end(), key.begin(), key.end());
    groups.push_back(groups_[group]);
    counted_at.push_back(counted_at_[group]);
  }
  keys_ = std::move(keys);
  groups_ = std::move(groups);
  counted_at_ = std::move(counted_at);
  return moved;
}

}  // namespace wiretally
