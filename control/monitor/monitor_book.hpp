// SPDX-License-Identifier: Apache-2.0
// All monitors of a meter, over reloads: the tick's end settles them, views and dumps read them,
// the history is fed by them. A reload keeps what a monitor has counted if nothing that decides its
// counts has changed. Thread: control, between two ticks.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "control/history/history_feed.hpp"
#include "control/monitor/monitor_set.hpp"
#include "control/monitor/monitor_status.hpp"
#include "control/monitor/top_groups.hpp"
#include "control/reload.hpp"
#include "dataplane/packet/packet_view.hpp"

namespace wiretally {

// Nothing that decides what a monitor counts differs.
[[nodiscard]] bool counts_alike(const MonitorConfig& a, const MonitorConfig& b);

class MonitorBook final : public HistoryProducer, public Reloadable {
 public:
  // Called with the set that counts from now on; null: there are no monitors.
  using Attach = std::function<void(MonitorSet*)>;

  // `ifindex`: by PortIndex. Throws StartupError.
  MonitorBook(const std::vector<MonitorConfig>& monitors, std::vector<std::uint32_t> ifindex,
              std::size_t shards, Attach attach);
  // Samples will be taken, with about twice `groups` groups of each monitor to choose from and the
  // rest as `other`: what a cleared group or a removed monitor had is kept for them.
  void expect_samples(std::size_t groups) {
    sampled_ = true;
    sampled_groups_ = 2 * groups;
  }

  // metrics.top: this many groups of each monitor are told by status(); together at most
  // kTopSeriesMax.
  void set_top(std::uint32_t groups) { top_ = groups; }

  // Takes in what was counted until `now` (meter time), and computes rates.
  void end_tick(TimeNs now, TimeNs interval);
  [[nodiscard]] std::vector<MonitorStatus> status() const;

  // nullopt: there is no such monitor.
  [[nodiscard]] std::optional<MonitorSnapshot> snapshot(std::string_view name);
  [[nodiscard]] std::vector<MonitorSnapshot> snapshots();  // of all, in the configuration's order
  // The monitor with all that was counted so far; null: there is no such monitor.
  [[nodiscard]] const Monitor* settled(std::string_view name);
  // Groups and `other` begin again; the whole goes on. False: there is no such monitor.
  bool clear_groups(std::string_view name);

  void take_samples(std::vector<SeriesSample>& samples) override;
  [[nodiscard]] Groupings groupings() const override;
  [[nodiscard]] Overlaps take_overlaps() override;
  PreparedChange prepare(const Config& running, const Config& next) override;

 private:
  struct Entry {
    std::shared_ptr<Monitor> monitor;
    TimeNs idle = 0;  // group_idle as it holds now; 0: groups never leave
    // Rates.
    Volume before;
    Volume recent;
    double recent_s = 0;
    double peak_octets_per_s = 0;
    double peak_packets_per_s = 0;
    MonitorCounts told;  // what the history has
    TopGroups sampled;
    TopGroups top;
  };

  static std::vector<Entry> entries_of(const std::vector<MonitorConfig>& monitors,
                                       const std::vector<Entry>& before);
  void take_over(std::vector<Entry> entries);
  Entry* find(std::string_view name);
  void refresh_top();
  void make_room();
  [[nodiscard]] std::size_t top_of_each() const;
  void sample_groups(Entry& entry, std::vector<SeriesSample>& samples);
  [[nodiscard]] static MonitorSnapshot snapshot_of(const Entry& entry);
  [[nodiscard]] static MonitorStatus status_of(const Entry& entry);

  static constexpr std::size_t kTopSeriesMax = 5000;

  const std::vector<std::uint32_t> ifindex_;
  const std::size_t shards_;
  const Attach attach_;
  std::vector<Entry> entries_;
  std::unique_ptr<MonitorSet> set_;  // null: no monitors
  TimeNs now_ = 0;                   // of the last tick
  TimeNs made_room_at_ = 0;
  TimeNs rated_at_ = 0;
  std::uint32_t top_ = 0;
  bool sampled_ = false;
  std::size_t sampled_groups_ = 0;
  std::vector<SeriesSample> kept_;  // of groups and monitors that are gone
};

}  // namespace wiretally
