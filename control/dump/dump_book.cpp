// SPDX-License-Identifier: Apache-2.0
// Periods and what is taken at their ends. Thread: control.
#include "control/dump/dump_book.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace wiretally {
namespace {

// A clock that was set back further than this was wrong before: periods begin anew.
constexpr std::int64_t kStepBackMax_s = 24 * 3600;

// A group's key: the IP version, then the address as in a flow key (control/monitor/group_spec).
HostAddress address_of(std::span<const std::uint8_t> key) {
  HostAddress host;
  host.v6 = static_cast<IpVersion>(key[0]) == IpVersion::kV6;
  std::copy_n(key.begin() + 1, host.octets.size(), host.octets.begin());
  return host;
}

HostCount count_of(const MonitorCounts& counts) {
  const DirectedVolume volume = counts.volume();
  return {volume.in.octets, volume.out.octets, volume.in.packets, volume.out.packets};
}

}  // namespace

DumpBook::DumpBook(const std::vector<MonitorConfig>& monitors, MonitorBook& book,
                   std::string interfaces, bool patient, DumpWriter::Log log)
    : book_(book),
      interfaces_(std::move(interfaces)),
      patient_(patient),
      log_(std::move(log)),
      entries_(entries_of(monitors)) {
  need_writer();
}

std::vector<DumpBook::Entry> DumpBook::entries_of(const std::vector<MonitorConfig>& monitors) {
  std::vector<Entry> entries;
  for (const MonitorConfig& monitor : monitors) {
    if (monitor.dump.file.empty()) continue;
    entries.push_back({monitor, DumpSchedule(monitor.dump), false, 0, 0, 0});
  }
  return entries;
}

void DumpBook::need_writer() {
  if (!entries_.empty() && writer_ == nullptr) writer_ = std::make_unique<DumpWriter>(log_);
}

void DumpBook::begin(Entry& entry, std::int64_t now) {
  entry.begun = true;
  entry.since = now;
  entry.due = entry.schedule.next(now);
}

void DumpBook::advance(std::int64_t now) {
  for (Entry& entry : entries_) {
    if (!entry.begun || now < entry.seen - kStepBackMax_s) begin(entry, now);
    entry.seen = now;
    if (now < entry.due) continue;
    take(entry);
    if (entry.schedule.clears_within(entry.due, now)) {
      book_.clear_groups(entry.config.name);
      entry.since = entry.due;
    }
    entry.due = entry.schedule.next(now);
  }
}

void DumpBook::dump_now() {
  for (const Entry& entry : entries_) {
    if (entry.begun) take(entry);
  }
}

void DumpBook::take(const Entry& entry) {
  const Monitor* const monitor = book_.settled(entry.config.name);
  if (monitor == nullptr) return;
  Dump dump;
  dump.monitor = entry.config.name;
  dump.interfaces = interfaces_;
  dump.since = entry.since;
  dump.end = entry.due;
  dump.config = entry.config.dump;
  dump.rows.reserve(monitor->groups());
  for (std::uint32_t group = 0; group < monitor->groups(); ++group) {
    const HostCount count = count_of(monitor->group(group));
    if (count == HostCount{}) continue;
    dump.rows.push_back({address_of(monitor->group_key(group)), count});
  }
  dump.other = count_of(monitor->other());
  writer_->add(std::move(dump));
  if (patient_) writer_->wait_idle();
}

void DumpBook::finish() {
  dump_now();
  if (writer_ != nullptr) writer_->finish();
}

std::int64_t DumpBook::next_due() const {
  std::int64_t next = std::numeric_limits<std::int64_t>::max();
  for (const Entry& entry : entries_) {
    if (entry.begun) next = std::min(next, entry.due);
  }
  return next;
}

DumpStatus DumpBook::status() const {
  return writer_ == nullptr ? DumpStatus{} : writer_->status();
}

PreparedChange DumpBook::prepare(const Config&, const Config& next) {
  auto entries = std::make_shared<std::vector<Entry>>(entries_of(next.monitors));
  PreparedChange change;
  change.commit = [this, entries](Config&) {
    for (const Entry& before : entries_) {
      const auto same = std::ranges::find_if(
          *entries, [&](const Entry& entry) { return counts_alike(entry.config, before.config); });
      if (same == entries->end()) {
        if (before.begun) take(before);
      } else if (before.begun) {
        begin(*same, before.seen);
        same->since = before.since;
        same->seen = before.seen;
      }
    }
    entries_ = std::move(*entries);
    need_writer();
  };
  return change;
}

std::int64_t dump_grid_s(const std::vector<MonitorConfig>& monitors) {
  std::int64_t grid = 0;
  for (const MonitorConfig& monitor : monitors) {
    if (monitor.dump.file.empty()) continue;
    grid = std::gcd(grid, DumpSchedule(monitor.dump).grid());
  }
  return grid;
}

}  // namespace wiretally
