// SPDX-License-Identifier: Apache-2.0
// Which groups of a monitor get rows of their own in the history: the heaviest N of the running
// hour. A group enters when there is room, or when it has counted a quarter more octets in this
// hour than the lightest that is in; the rest goes into `other`, so the sum of a monitor's rows is
// the monitor, whoever came or went. Memory: the groups that had traffic in this hour, at most
// kCandidatesMax. Thread: control.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace wiretally {

class HeaviestGroups {
 public:
  static constexpr std::size_t kCandidatesMax = 100'000;

  explicit HeaviestGroups(std::size_t groups_max) : groups_max_(groups_max) {}

  // Counts what the group had; true if it has rows of its own.
  bool count(const std::string& group, std::uint64_t octets);
  // Lets heavier groups in for lighter ones; once a flush. `hour`: of the wall clock; a new one
  // begins the counts again, with the same groups in.
  void settle(std::int64_t hour);

 private:
  struct Group {
    std::uint64_t octets = 0;
    bool in = false;
  };

  std::size_t groups_max_;
  std::size_t in_ = 0;
  std::int64_t hour_ = 0;
  std::unordered_map<std::string, Group> groups_;
};

}  // namespace wiretally
