// SPDX-License-Identifier: Apache-2.0
// Samples into minutes, groups into the heaviest and the rest. Thread: none of its own.
#include "control/history/history_book.hpp"

#include <algorithm>
#include <utility>

namespace wiretally {
namespace {

constexpr std::int64_t kMinute_s = 60;
constexpr std::int64_t kHour_s = 3600;

// Offsets from UTC are whole minutes, so minutes are the same everywhere.
std::int64_t floor_to(std::int64_t time_s, std::int64_t length_s) {
  const std::int64_t into = time_s % length_s;
  return time_s - (into < 0 ? into + length_s : into);
}

}  // namespace

void HistoryBook::add(std::int64_t wall_s, std::span<const SeriesSample> samples) {
  const std::int64_t minute = floor_to(wall_s, kMinute_s);
  std::map<std::string, DirectedVolume> rest;  // by monitor, of those that have groups
  for (const SeriesSample& sample : samples) {
    const Series& series = sample.series;
    if (series.group.empty()) {
      put(series, minute, sample.volume);
      continue;
    }
    HeaviestGroups& heaviest =
        heaviest_.try_emplace(series.name, HeaviestGroups(groups_max_)).first->second;
    DirectedVolume& others = rest[series.name];
    if (series.group != kOther && heaviest.count(series.group, sample.volume.total.octets)) {
      put(series, minute, sample.volume);
    } else {
      others += sample.volume;
    }
  }
  for (const auto& [name, volume] : rest) {
    put({SeriesKind::kMonitor, name, kOther}, minute, volume);
    heaviest_.at(name).settle(floor_to(wall_s, kHour_s));
  }
}

void HistoryBook::put(const Series& series, std::int64_t minute, const DirectedVolume& volume) {
  if (volume.total.is_zero()) return;
  const auto key = std::pair(series, minute);
  const auto found = open_.counts.find(key);
  if (found != open_.counts.end()) {
    found->second += volume;
  } else if (rows() < kRowsMax) {
    open_.counts.emplace(key, volume);
  } else if (series.group.empty()) {
    lost_[series] += volume.total;
  }
}

const HistoryBatch* HistoryBook::batch() {
  if (closed_.counts.empty()) {
    if (open_.counts.empty()) return nullptr;
    closed_ = std::exchange(open_, {});
    closed_.number = ++batches_;
  }
  return &closed_;
}

void HistoryBook::written() {
  closed_ = {};
}

Volume HistoryBook::counted_once(const BySeries& volumes) {
  Volume interfaces;
  for (const auto& [series, volume] : volumes) {
    if (series.kind == SeriesKind::kInterface) interfaces += volume;
  }
  Volume once = interfaces;
  for (const auto& [series, volume] : volumes) {
    if (series.kind == SeriesKind::kInterface) continue;
    once.packets = std::max(once.packets, volume.packets);
    once.octets = std::max(once.octets, volume.octets);
    once.l2_octets = std::max(once.l2_octets, volume.l2_octets);
  }
  return once;
}

Volume HistoryBook::pending() const {
  BySeries waiting;
  for (const HistoryBatch* batch : {&open_, &closed_}) {
    for (const auto& [key, volume] : batch->counts) {
      if (key.first.group.empty()) waiting[key.first] += volume.total;
    }
  }
  return counted_once(waiting);
}

}  // namespace wiretally
