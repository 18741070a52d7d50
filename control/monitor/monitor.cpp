// SPDX-License-Identifier: Apache-2.0
// Counts and groups of one monitor. Thread: see the header.
#include "control/monitor/monitor.hpp"

#include <algorithm>

namespace wiretally {

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
      rules_(config.rules),
      keys_(spec_.key_octets()) {}

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

std::uint32_t Monitor::group_of(const std::uint8_t* key) {
  const std::uint32_t known = keys_.find(key);
  if (known != KeyTable::kNone) return known;
  if (is_full()) return kOther;
  groups_.emplace_back();
  return keys_.insert(key);
}

void Monitor::count_group(std::uint32_t group, const Volume& volume, std::uint64_t flows,
                          Way direction) {
  (group == kOther ? other_ : groups_[group]).add(volume, flows, direction);
}

void Monitor::clear_groups() {
  keys_.clear();
  groups_.clear();
  other_ = {};
}

}  // namespace wiretally
