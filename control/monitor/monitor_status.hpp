// SPDX-License-Identifier: Apache-2.0
// How the monitors stand, as values for views, metrics and dumps. Octets are layer 3; times are
// seconds. Thread: any (values).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/volume.hpp"

namespace wiretally {

enum class QuotaState : std::uint8_t { kNone, kGood, kWarning, kOver };

struct QuotaStatus {
  QuotaState state = QuotaState::kNone;  // kNone: no quota
  std::uint64_t limit = 0;               // octets
  std::uint64_t used = 0;
  std::uint64_t expected = 0;  // at the end of the period, if it goes on as it did
  std::int64_t starts_s = 0;   // of the period, UTC
  std::int64_t ends_s = 0;
};

struct GroupStatus {
  std::string name;  // "192.0.2.1", "443", "192.0.2.1 6"; "other": what is in no group
  DirectedVolume volume;
  std::uint64_t flows = 0;
};

// Since start, or since the monitor came.
struct MonitorStatus {
  std::string name;
  DirectedVolume volume;    // in, out: with `local`
  std::uint64_t flows = 0;  // that began
  Volume recent;            // in the last `recent_s`, about a tick
  double recent_s = 0;
  double peak_octets_per_s = 0;
  double peak_packets_per_s = 0;
  bool grouped = false;
  std::uint32_t groups = 0;
  QuotaStatus quota;
  // metrics.top: the heaviest groups, and last all others together; empty: not wanted.
  std::vector<GroupStatus> top;
};

// A monitor with its groups since it came, or since they were last cleared. Where groups are of
// both ends of a flow (host, net, port, mac), `in` is what came to them and `out` what they sent,
// and a flow is in the groups of both of its ends. Where they are not, each flow is in one group or
// in `other`, and their sum is the whole, as long as they have not been cleared.
struct MonitorSnapshot {
  MonitorStatus whole;
  std::vector<GroupStatus> groups;  // in no order
  GroupStatus other;
};

}  // namespace wiretally
