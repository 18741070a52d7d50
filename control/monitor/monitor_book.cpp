// SPDX-License-Identifier: Apache-2.0
// The book of the monitors. Thread: control, between two ticks.
#include "control/monitor/monitor_book.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace wiretally {
namespace {

constexpr const char* kOther = "other";
constexpr TimeNs kMakeRoomEvery = 60 * kNsPerSecond;

// Never of a monitor with a dump, which tells all hosts since the counts began.
TimeNs idle_limit(const MonitorConfig& config) {
  return config.dump.file.empty() ? config.group_idle.count() : 0;
}

DirectedVolume since(const MonitorCounts& now, MonitorCounts& before) {
  DirectedVolume volume = now.volume();
  const DirectedVolume old = before.volume();
  volume.total -= old.total;
  volume.in -= old.in;
  volume.out -= old.out;
  before = now;
  return volume;
}

}  // namespace

bool counts_alike(const MonitorConfig& a, const MonitorConfig& b) {
  return a.name == b.name && a.filter == b.filter && a.group_by == b.group_by &&
         a.local == b.local && a.max_groups == b.max_groups && a.rules == b.rules;
}

MonitorBook::MonitorBook(const std::vector<MonitorConfig>& monitors,
                         std::vector<std::uint32_t> ifindex, std::size_t shards, Attach attach)
    : ifindex_(std::move(ifindex)), shards_(shards), attach_(std::move(attach)) {
  take_over(entries_of(monitors, {}));
}

std::vector<MonitorBook::Entry> MonitorBook::entries_of(const std::vector<MonitorConfig>& monitors,
                                                        const std::vector<Entry>& before) {
  std::vector<Entry> entries;
  for (const MonitorConfig& config : monitors) {
    const auto same = std::ranges::find_if(
        before, [&](const Entry& entry) { return counts_alike(entry.monitor->config(), config); });
    if (same != before.end()) {
      entries.push_back(*same);
    } else {
      entries.emplace_back().monitor = std::make_shared<Monitor>(config);
    }
    entries.back().idle = idle_limit(config);
  }
  return entries;
}

void MonitorBook::take_over(std::vector<Entry> entries) {
  std::vector<std::shared_ptr<Monitor>> monitors;
  for (const Entry& entry : entries) monitors.push_back(entry.monitor);
  auto set = monitors.empty()
                 ? nullptr
                 : std::make_unique<MonitorSet>(std::move(monitors), ifindex_, shards_);
  attach_(set.get());
  set_ = std::move(set);
  entries_ = std::move(entries);
}

MonitorBook::Entry* MonitorBook::find(std::string_view name) {
  const auto found = std::ranges::find_if(
      entries_, [&](const Entry& entry) { return entry.monitor->config().name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

// A tick that was made to come early (an order) is rated with the next one.
void MonitorBook::end_tick(TimeNs now, TimeNs interval) {
  now_ = now;
  if (set_ == nullptr) return;
  set_->settle();
  if (top_ != 0) refresh_top();
  if (now - made_room_at_ >= kMakeRoomEvery) make_room();
  const TimeNs span = now - rated_at_;
  if (rated_at_ != 0 && span < interval / 2) return;
  const double seconds = static_cast<double>(span) / static_cast<double>(kNsPerSecond);
  for (Entry& entry : entries_) {
    const Volume total = entry.monitor->whole().volume().total;
    entry.recent = total - entry.before;
    entry.before = total;
    if (rated_at_ == 0) continue;
    entry.recent_s = seconds;
    entry.peak_octets_per_s =
        std::max(entry.peak_octets_per_s, static_cast<double>(entry.recent.octets) / seconds);
    entry.peak_packets_per_s =
        std::max(entry.peak_packets_per_s, static_cast<double>(entry.recent.packets) / seconds);
  }
  rated_at_ = now;
}

// Groups that have counted nothing for long leave monitors that are full.
void MonitorBook::make_room() {
  made_room_at_ = now_;
  const auto is_full = [](const Entry& entry) {
    return entry.idle != 0 && entry.monitor->is_full();
  };
  if (std::ranges::none_of(entries_, is_full)) return;
  set_->settle_groups(now_);
  bool any_left = false;
  for (Entry& entry : entries_) {
    if (!is_full(entry)) continue;
    Monitor& monitor = *entry.monitor;
    if (sampled_) entry.sampled.refresh(monitor, sampled_groups_);
    if (top_ != 0) entry.top.refresh(monitor, top_of_each());
    const std::vector<std::uint32_t> moved = monitor.drop_idle(now_ - entry.idle);
    if (moved.empty()) continue;
    any_left = true;
    if (sampled_) entry.sampled.renumber(moved, monitor);
    if (top_ != 0) entry.top.renumber(moved, monitor);
  }
  if (any_left) set_->forget_rows(now_);
}

std::size_t MonitorBook::top_of_each() const {
  const auto grouped = static_cast<std::size_t>(std::ranges::count_if(
      entries_, [](const Entry& entry) { return !entry.monitor->spec().is_empty(); }));
  return grouped == 0 ? 0 : std::min<std::size_t>(top_, kTopSeriesMax / grouped);
}

void MonitorBook::refresh_top() {
  const std::size_t each = top_of_each();
  if (each == 0) return;
  set_->settle_groups(now_);
  for (Entry& entry : entries_) {
    if (!entry.monitor->spec().is_empty()) entry.top.refresh(*entry.monitor, each);
  }
}

MonitorStatus MonitorBook::status_of(const Entry& entry) {
  const Monitor& monitor = *entry.monitor;
  MonitorStatus status;
  status.name = monitor.config().name;
  status.volume = monitor.whole().volume();
  status.flows = monitor.whole().flows;
  status.recent = entry.recent;
  status.recent_s = entry.recent_s;
  status.peak_octets_per_s = entry.peak_octets_per_s;
  status.peak_packets_per_s = entry.peak_packets_per_s;
  status.grouped = !monitor.spec().is_empty();
  status.groups = monitor.groups();
  return status;
}

std::vector<MonitorStatus> MonitorBook::status() const {
  std::vector<MonitorStatus> status;
  status.reserve(entries_.size());
  for (const Entry& entry : entries_) {
    status.push_back(status_of(entry));
    if (top_ != 0 && status.back().grouped) status.back().top = entry.top.rows(*entry.monitor);
  }
  return status;
}

std::optional<MonitorSnapshot> MonitorBook::snapshot(std::string_view name) {
  Entry* const entry = find(name);
  if (entry == nullptr) return std::nullopt;
  set_->settle();
  set_->settle_groups(now_);
  return snapshot_of(*entry);
}

const Monitor* MonitorBook::settled(std::string_view name) {
  Entry* const entry = find(name);
  if (entry == nullptr) return nullptr;
  set_->settle();
  set_->settle_groups(now_);
  return entry->monitor.get();
}

MonitorSnapshot MonitorBook::snapshot_of(const Entry& entry) {
  const Monitor& monitor = *entry.monitor;
  MonitorSnapshot snapshot;
  snapshot.whole = status_of(entry);
  snapshot.groups.reserve(monitor.groups());
  for (std::uint32_t g = 0; g < monitor.groups(); ++g) {
    const MonitorCounts& counts = monitor.group(g);
    snapshot.groups.push_back({monitor.group_text(g), counts.volume(), counts.flows});
  }
  snapshot.other = {kOther, monitor.other().volume(), monitor.other().flows};
  return snapshot;
}

std::vector<MonitorSnapshot> MonitorBook::snapshots() {
  std::vector<MonitorSnapshot> snapshots;
  if (set_ == nullptr) return snapshots;
  set_->settle();
  set_->settle_groups(now_);
  for (const Entry& entry : entries_) snapshots.push_back(snapshot_of(entry));
  return snapshots;
}

bool MonitorBook::clear_groups(std::string_view name) {
  Entry* const entry = find(name);
  if (entry == nullptr) return false;
  set_->settle_groups(now_);
  if (sampled_) {
    sample_groups(*entry, kept_);
    entry->sampled.forget();
  }
  if (top_ != 0) {
    entry->top.refresh(*entry->monitor, top_of_each());
    entry->top.forget();
  }
  entry->monitor->clear_groups();
  set_->forget_rows(now_);
  return true;
}

// To tell all of many groups would cost the tick more than counting them: those that may be among
// the heaviest are told, and the others together.
void MonitorBook::sample_groups(Entry& entry, std::vector<SeriesSample>& samples) {
  const Monitor& monitor = *entry.monitor;
  entry.sampled.refresh(monitor, sampled_groups_);
  for (GroupStatus& group : entry.sampled.take(monitor)) {
    if (group.volume.total.is_zero()) continue;
    samples.push_back(
        {{SeriesKind::kMonitor, monitor.config().name, std::move(group.name)}, group.volume});
  }
}

void MonitorBook::take_samples(std::vector<SeriesSample>& samples) {
  std::vector<SeriesSample> kept = std::exchange(kept_, {});
  samples.insert(samples.end(), kept.begin(), kept.end());
  if (set_ == nullptr) return;
  set_->settle();
  set_->settle_groups(now_);
  for (Entry& entry : entries_) {
    const DirectedVolume volume = since(entry.monitor->whole(), entry.told);
    if (volume.total.is_zero()) continue;
    samples.push_back({{SeriesKind::kMonitor, entry.monitor->config().name, ""}, volume});
    if (!entry.monitor->spec().is_empty()) sample_groups(entry, samples);
  }
}

Groupings MonitorBook::groupings() const {
  Groupings groupings;
  for (const Entry& entry : entries_) {
    const MonitorConfig& config = entry.monitor->config();
    groupings[config.name] = fmt::format("{}", fmt::join(config.group_by, ","));
  }
  return groupings;
}

Overlaps MonitorBook::take_overlaps() {
  Overlaps overlaps;
  if (set_ == nullptr) return overlaps;
  const auto name = [this](std::uint32_t monitor) {
    return monitor == MonitorSet::kAnyMonitor ? std::string(kAnyMonitor)
                                              : entries_[monitor].monitor->config().name;
  };
  for (const auto& [one, other] : set_->take_new_overlaps()) {
    overlaps[name(one)].insert(name(other));
    if (other != MonitorSet::kAnyMonitor) overlaps[name(other)].insert(name(one));
  }
  return overlaps;
}

PreparedChange MonitorBook::prepare(const Config&, const Config& next) {
  PreparedChange change;
  if (set_ != nullptr) {
    set_->settle();
    set_->settle_groups(now_);
  }
  auto entries = std::make_shared<std::vector<Entry>>(entries_of(next.monitors, entries_));
  change.commit = [this, entries](Config& taken) {
    top_ = taken.metrics.top;
    if (sampled_) {
      std::vector<SeriesSample> untold;
      take_samples(untold);
      kept_ = std::move(untold);
    }
    for (Entry& entry : *entries) {
      if (const Entry* same = find(entry.monitor->config().name);
          same != nullptr && same->monitor == entry.monitor) {
        const TimeNs idle = entry.idle;
        entry = *same;
        entry.idle = idle;
      }
    }
    take_over(std::move(*entries));
  };
  return change;
}

}  // namespace wiretally
