// SPDX-License-Identifier: Apache-2.0
// The exchange of heavy for light groups. Thread: control.
#include "control/history/heaviest_groups.hpp"

#include <algorithm>
#include <vector>

namespace wiretally {

bool HeaviestGroups::count(const std::string& group, std::uint64_t octets) {
  auto found = groups_.find(group);
  if (found == groups_.end()) {
    if (groups_.size() >= kCandidatesMax) return false;
    found = groups_.emplace(group, Group{}).first;
    if (in_ < groups_max_) {
      found->second.in = true;
      ++in_;
    }
  }
  found->second.octets += octets;
  return found->second.in;
}

void HeaviestGroups::settle(std::int64_t hour) {
  std::vector<Group*> inside;
  std::vector<Group*> outside;
  for (auto& [name, group] : groups_) (group.in ? inside : outside).push_back(&group);
  std::sort(inside.begin(), inside.end(),
            [](const Group* a, const Group* b) { return a->octets < b->octets; });
  const std::size_t most = std::min(inside.size(), outside.size());
  std::partial_sort(outside.begin(), outside.begin() + static_cast<std::ptrdiff_t>(most),
                    outside.end(),
                    [](const Group* a, const Group* b) { return a->octets > b->octets; });
  for (std::size_t i = 0; i < most; ++i) {
    if (outside[i]->octets <= inside[i]->octets + inside[i]->octets / 4) break;
    outside[i]->in = true;
    inside[i]->in = false;
  }
  if (hour == hour_) return;
  hour_ = hour;
  // Silent groups make room, those outside are forgotten.
  in_ = 0;
  std::erase_if(groups_,
                [](const auto& each) { return !each.second.in || each.second.octets == 0; });
  for (auto& [name, group] : groups_) {
    group.octets = 0;
    ++in_;
  }
}

}  // namespace wiretally
