// SPDX-License-Identifier: Apache-2.0
// Snapshots as RFC 4180 text. Thread: any.
#include "control/monitor/monitor_csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>

namespace wiretally {
namespace {

std::string field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

void add_row(std::string& csv, const std::string& monitor, const std::string& group,
             const Volume& volume, std::uint64_t flows) {
  fmt::format_to(std::back_inserter(csv), "{},{},{},{},{},{}\n", field(monitor), field(group),
                 volume.packets, volume.octets, volume.l2_octets, flows);
}

}  // namespace

void sort_groups(std::vector<GroupStatus>& groups) {
  std::ranges::sort(groups, [](const GroupStatus& a, const GroupStatus& b) {
    return std::tie(b.volume.total.octets, a.name) < std::tie(a.volume.total.octets, b.name);
  });
}

void keep_heaviest(MonitorSnapshot& monitor, std::size_t groups) {
  sort_groups(monitor.groups);
  if (groups == 0 || monitor.groups.size() <= groups) return;
  for (std::size_t i = groups; i < monitor.groups.size(); ++i) {
    monitor.other.volume += monitor.groups[i].volume;
    monitor.other.flows += monitor.groups[i].flows;
  }
  monitor.groups.resize(groups);
}

std::string monitors_as_csv(std::span<const MonitorSnapshot> monitors) {
  std::string csv = "monitor,group,packets,octets,l2_octets,flows\n";
  for (const MonitorSnapshot& monitor : monitors) {
    const MonitorStatus& whole = monitor.whole;
    if (!whole.grouped) {
      add_row(csv, whole.name, "", whole.volume.total, whole.flows);
      continue;
    }
    std::vector<GroupStatus> groups = monitor.groups;
    sort_groups(groups);
    for (const GroupStatus& group : groups) {
      add_row(csv, whole.name, group.name, group.volume.total, group.flows);
    }
    const GroupStatus& other = monitor.other;
    if (other.volume.total.is_zero() && other.flows == 0) continue;
    add_row(csv, whole.name, other.name, other.volume.total, other.flows);
  }
  return csv;
}

}  // namespace wiretally
