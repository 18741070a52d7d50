// SPDX-License-Identifier: Apache-2.0
// The groups of a monitor that are told apart, and `other` for all the rest: for metrics.top, and
// for the history. Every series only grows and their sum is, at any moment, what groups and `other`
// of the monitor have counted since this began: a group's series holds what came while it was in;
// when the group goes out, that moves to `other`. Who is in is decided by what came lately (it
// halves every minute or so); a challenger must have a quarter more than the one that goes, and at
// most one in four goes in a tick. Thread: control, between two ticks, after the groups were
// settled.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "control/monitor/monitor.hpp"
#include "control/monitor/monitor_status.hpp"

namespace wiretally {

class TopGroups {
 public:
  // Takes in what came since the last call; afterwards at most `groups_max` groups are in.
  void refresh(const Monitor& monitor, std::size_t groups_max);
  // The monitor's groups are about to be cleared, after a refresh(): all go out.
  void forget();
  // Some of the monitor's groups have left, after a refresh(): `moved` is what Monitor::drop_idle()
  // said.
  void renumber(const std::vector<std::uint32_t>& moved, const Monitor& monitor);
  // Who is in, by name, and `other`.
  [[nodiscard]] std::vector<GroupStatus> rows(const Monitor& monitor) const;
  // The same, and all begin again at zero: each count is taken once.
  std::vector<GroupStatus> take(const Monitor& monitor);

 private:
  struct Group {
    MonitorCounts before;
    double lately = 0;  // octets
    bool in = false;
  };

  void weigh(const Monitor& monitor);
  void count(const Monitor& monitor);
  void choose(std::size_t groups_max);
  void move_in(std::uint32_t group);
  void move_out(std::uint32_t group);

  std::vector<Group> groups_;  // by number
  std::map<std::uint32_t, MonitorCounts> in_;
  MonitorCounts other_before_;
  MonitorCounts other_;
};

}  // namespace wiretally
