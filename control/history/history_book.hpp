// SPDX-License-Identifier: Apache-2.0
// Counts on their way to the history file: what came since the last flush, and the batch that is
// being written. A batch that could not be written stays and is tried again, with the same number;
// what comes meanwhile goes into the next one. Bounded: beyond kRowsMax rows new minutes are
// counted as lost. Thread: none of its own; HistoryWriter locks.
#pragma once

#include <map>
#include <string>

#include "control/history/heaviest_groups.hpp"
#include "control/history/history_store.hpp"

namespace wiretally {

class HistoryBook {
 public:
  static constexpr std::size_t kRowsMax = 250'000;
  static constexpr const char* kOther = "other";

  explicit HistoryBook(std::size_t groups_max) : groups_max_(groups_max) {}

  // Of one moment: a monitor's own sample and those of its groups, in any order.
  void add(std::int64_t wall_s, std::span<const SeriesSample> samples);

  // The batch to write now: the one that failed, or all that came since; null if there is nothing.
  const HistoryBatch* batch();
  // It is in the file.
  void written();

  [[nodiscard]] std::size_t rows() const { return open_.counts.size() + closed_.counts.size(); }
  // Of the meter, once, however many series would have had it: what all interfaces together lost,
  // or the monitor that lost most, whichever is more.
  [[nodiscard]] Volume lost() const { return counted_once(lost_); }
  // The same of what waits.
  [[nodiscard]] Volume pending() const;

 private:
  using BySeries = std::map<Series, Volume>;  // without groups, which are parts of these
  static Volume counted_once(const BySeries& volumes);
  void put(const Series& series, std::int64_t minute, const DirectedVolume& volume);

  const std::size_t groups_max_;
  std::map<std::string, HeaviestGroups> heaviest_;  // by monitor
  HistoryBatch open_;
  HistoryBatch closed_;
  std::uint64_t batches_ = 0;
  BySeries lost_;
};

}  // namespace wiretally
