// SPDX-License-Identifier: Apache-2.0
// One monitor: what it asks of a flow, and what it has counted. Octets are layer 3; l2_octets are
// frames without FCS; `flows` are those that began while it watched. Thread: asks() and sides_of()
// any; the counts control, between two ticks.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "control/dump/host_rules.hpp"
#include "control/filter/flow_filter.hpp"
#include "control/monitor/group_spec.hpp"
#include "control/monitor/network_list.hpp"
#include "control/volume.hpp"
#include "dataplane/packet/packet_view.hpp"

namespace wiretally {

// Seen from the local networks. kBoth: a flow between two ends of one group, which is out and in.
enum class Way : std::uint8_t { kThrough, kIn, kOut, kBoth };
inline constexpr std::size_t kWays = 4;

// What a monitor makes of a flow that its filter takes.
struct FlowSides {
  Way direction = Way::kThrough;  // of the whole
  // The ends that have a group, where groups are of both ends.
  bool source = true;
  bool destination = true;
};

struct MonitorCounts {
  std::array<Volume, kWays> by_direction{};
  std::uint64_t flows = 0;

  void add(const Volume& volume, std::uint64_t flow_count, Way direction) {
    by_direction[static_cast<std::size_t>(direction)] += volume;
    flows += flow_count;
  }
  MonitorCounts& operator+=(const MonitorCounts& o);
  [[nodiscard]] Volume of(Way d) const { return by_direction[static_cast<std::size_t>(d)]; }
  // `total` counts each flow once; in and out have kBoth each.
  [[nodiscard]] DirectedVolume volume() const;
  [[nodiscard]] bool is_zero() const;
  friend bool operator==(const MonitorCounts&, const MonitorCounts&) = default;
};

class Monitor {
 public:
  static constexpr std::uint32_t kOther = UINT32_MAX;

  // Throws StartupError for a filter that cannot be asked about flows.
  explicit Monitor(const MonitorConfig& config);

  [[nodiscard]] const MonitorConfig& config() const { return config_; }
  [[nodiscard]] const FlowFilter& filter() const { return filter_; }
  [[nodiscard]] const GroupSpec& spec() const { return spec_; }
  // Filter or groups hang on what only FlowAttributes know.
  [[nodiscard]] bool wants_attributes() const {
    return filter_.wants_attributes() || spec_.wants(GroupField::kMac);
  }
  // Every flow counts alike, with both of its ends.
  [[nodiscard]] bool has_sides() const { return !config_.rules.empty() || !local_.is_empty(); }
  [[nodiscard]] FlowSides sides_of(const FlowKey& key) const;
  // A flow that counts at neither end is none of this monitor's.
  [[nodiscard]] bool wants(const FlowSides& sides) const {
    return config_.rules.empty() || sides.source || sides.destination;
  }

  // -- groups: the first max_groups that came have a number --
  // A key that has none yet. Who looks keys up is MonitorSet, for all monitors that group alike.
  std::uint32_t add_group(const std::uint8_t* key);
  [[nodiscard]] bool is_full() const { return groups_.size() >= config_.max_groups; }

  void count(const Volume& volume, std::uint64_t flows, Way direction) {
    whole_.add(volume, flows, direction);
  }
  // `now`: meter time, or a little later.
  void count_group(std::uint32_t group, const Volume& volume, std::uint64_t flows, Way direction,
                   TimeNs now);

  [[nodiscard]] const MonitorCounts& whole() const { return whole_; }
  [[nodiscard]] std::uint32_t groups() const { return static_cast<std::uint32_t>(groups_.size()); }
  [[nodiscard]] const MonitorCounts& group(std::uint32_t group) const { return groups_[group]; }
  [[nodiscard]] std::string group_text(std::uint32_t group) const {
    return spec_.text(group_key(group));
  }
  [[nodiscard]] std::span<const std::uint8_t> group_key(std::uint32_t group) const {
    return std::span(keys_).subspan(group * spec_.key_octets(), spec_.key_octets());
  }
  // Of a monitor with groups: flows that are in none of them.
  [[nodiscard]] const MonitorCounts& other() const { return other_; }
  // Forgets the groups and `other`; the whole goes on.
  void clear_groups();
  // Groups that counted nothing since `since` leave; their counts go into `other`, so sums stay.
  // The new number of each group, kOther if it left; empty: all stay.
  std::vector<std::uint32_t> drop_idle(TimeNs since);

 private:
  const MonitorConfig config_;
  const FlowFilter filter_;
  const GroupSpec spec_;
  const NetworkList local_;
  const HostRules rules_;
  MonitorCounts whole_;
  MonitorCounts other_;
  std::vector<std::uint8_t> keys_;  // by group
  std::vector<MonitorCounts> groups_;
  std::vector<TimeNs> counted_at_;  // by group
};

}  // namespace wiretally
