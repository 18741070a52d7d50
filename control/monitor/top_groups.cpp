// SPDX-License-Identifier: Apache-2.0
// Who is in, and what is counted where. Thread: control.
#include "control/monitor/top_groups.hpp"

#include <algorithm>

namespace wiretally {
namespace {

constexpr double kStays = 0.99;      // of `lately`, from tick to tick
constexpr double kAdvantage = 1.25;  // of who comes in over who goes

MonitorCounts difference(const MonitorCounts& now, const MonitorCounts& before) {
  MonitorCounts since = now;
  for (std::size_t d = 0; d < kWays; ++d) since.by_direction[d] -= before.by_direction[d];
  since.flows -= before.flows;
  return since;
}

}  // namespace

void TopGroups::refresh(const Monitor& monitor, std::size_t groups_max) {
  weigh(monitor);
  choose(groups_max);
  count(monitor);
}

void TopGroups::weigh(const Monitor& monitor) {
  groups_.resize(monitor.groups());
  for (std::uint32_t g = 0; g < monitor.groups(); ++g) {
    Group& group = groups_[g];
    group.lately *= kStays;
    const MonitorCounts& now = monitor.group(g);
    if (now == group.before) continue;
    group.lately += static_cast<double>(now.volume().total.octets) -
                    static_cast<double>(group.before.volume().total.octets);
  }
}

// What came since the last time is counted where its group is now.
void TopGroups::count(const Monitor& monitor) {
  for (std::uint32_t g = 0; g < monitor.groups(); ++g) {
    Group& group = groups_[g];
    const MonitorCounts& now = monitor.group(g);
    if (now == group.before) continue;
    (group.in ? in_.at(g) : other_) += difference(now, group.before);
    group.before = now;
  }
  other_ += difference(monitor.other(), other_before_);
  other_before_ = monitor.other();
}

void TopGroups::choose(std::size_t groups_max) {
  std::vector<std::uint32_t> inside;
  std::vector<std::uint32_t> outside;
  for (std::uint32_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].in) {
      inside.push_back(g);
    } else if (groups_[g].lately >= 1) {
      outside.push_back(g);
    }
  }
  const auto lighter = [&](std::uint32_t a, std::uint32_t b) {
    return groups_[a].lately < groups_[b].lately;
  };
  std::ranges::sort(inside, lighter);
  while (inside.size() > groups_max) {
    move_out(inside.front());
    inside.erase(inside.begin());
  }
  const std::size_t most = std::min(groups_max, outside.size());
  std::partial_sort(outside.begin(), outside.begin() + static_cast<std::ptrdiff_t>(most),
                    outside.end(), [&](std::uint32_t a, std::uint32_t b) { return lighter(b, a); });
  std::size_t next = 0;
  std::size_t room = groups_max - inside.size();
  for (; room != 0 && next < most; --room) move_in(outside[next++]);
  std::size_t exchanges = std::max<std::size_t>(1, groups_max / 4);
  for (const std::uint32_t weakest : inside) {
    if (exchanges-- == 0 || next == most) return;
    if (groups_[outside[next]].lately < kAdvantage * groups_[weakest].lately) return;
    move_out(weakest);
    move_in(outside[next++]);
  }
}

void TopGroups::move_in(std::uint32_t group) {
  groups_[group].in = true;
  in_.emplace(group, MonitorCounts{});
}

void TopGroups::move_out(std::uint32_t group) {
  groups_[group].in = false;
  const auto found = in_.find(group);
  other_ += found->second;
  in_.erase(found);
}

void TopGroups::forget() {
  for (const auto& [group, counts] : in_) other_ += counts;
  in_.clear();
  groups_.clear();
  other_before_ = {};
}

// What has left is in the monitor's `other` now, and was counted here before that.
void TopGroups::renumber(const std::vector<std::uint32_t>& moved, const Monitor& monitor) {
  std::vector<Group> groups(monitor.groups());
  std::map<std::uint32_t, MonitorCounts> in;
  for (std::uint32_t group = 0; group < moved.size(); ++group) {
    if (moved[group] != Monitor::kOther) groups[moved[group]] = groups_[group];
  }
  for (const auto& [group, counts] : in_) {
    if (moved[group] == Monitor::kOther) {
      other_ += counts;
    } else {
      in.emplace(moved[group], counts);
    }
  }
  groups_ = std::move(groups);
  in_ = std::move(in);
  other_before_ = monitor.other();
}

std::vector<GroupStatus> TopGroups::take(const Monitor& monitor) {
  std::vector<GroupStatus> taken = rows(monitor);
  for (auto& [group, counts] : in_) counts = {};
  other_ = {};
  return taken;
}

std::vector<GroupStatus> TopGroups::rows(const Monitor& monitor) const {
  std::vector<GroupStatus> rows;
  for (const auto& [group, counts] : in_) {
    rows.push_back({monitor.group_text(group), counts.volume(), counts.flows});
  }
  rows.push_back({"other", other_.volume(), other_.flows});
  return rows;
}

}  // namespace wiretally
