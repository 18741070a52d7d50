// SPDX-License-Identifier: Apache-2.0
// `read --output monitors`: a row a monitor, or a row a group of it. Thread: any.
#pragma once

#include <span>
#include <string>

#include "control/monitor/monitor_status.hpp"

namespace wiretally {

// Heaviest group first, then the one whose name comes first.
void sort_groups(std::vector<GroupStatus>& groups);

// The heaviest stay, sorted; the others are added to `other`. 0: all stay.
void keep_heaviest(MonitorSnapshot& monitor, std::size_t groups);

// With the header; in the order of the configuration. A monitor without group_by has one row with
// an empty group; one with has a row a group and, if something is in none of them, one `other`, and
// no row of the whole.
std::string monitors_as_csv(std::span<const MonitorSnapshot> monitors);

}  // namespace wiretally
