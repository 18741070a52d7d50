// SPDX-License-Identifier: Apache-2.0
// Reads the history file, while a meter writes it or not. Thread: one at a time. Errors:
// DatabaseError.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "control/history/calendar.hpp"
#include "control/history/database.hpp"
#include "control/history/history_feed.hpp"

namespace wiretally {

struct HistoryRow {
  std::int64_t start = 0;  // UTC seconds
  DirectedVolume volume;
};

struct GroupRow {
  std::string group;
  HistoryRow row;
};

class HistoryReader {
 public:
  explicit HistoryReader(const std::string& path);

  // Names of the monitors or interfaces, sorted.
  [[nodiscard]] std::vector<std::string> names(SeriesKind kind) const;
  // Rows whose period begins in [from, to), in order.
  [[nodiscard]] std::vector<HistoryRow> rows(Level level, const Series& series, std::int64_t from,
                                             std::int64_t to) const;
  // Rows of a monitor's groups whose period begins in [from, to), group by group.
  [[nodiscard]] std::vector<GroupRow> group_rows(Level level, const std::string& monitor,
                                                 std::int64_t from, std::int64_t to) const;
  // The same, summed.
  [[nodiscard]] std::map<std::string, DirectedVolume> groups(Level level,
                                                             const std::string& monitor,
                                                             std::int64_t from,
                                                             std::int64_t to) const;
  // What the groups of a monitor are: its group_by, with commas; empty: it has none, or an older
  // version wrote the file.
  [[nodiscard]] std::string grouping(const std::string& monitor) const;
  // The monitors that count packets which this one counts too, kAnyMonitor among them if they are
  // too many; empty as well in a file of an older version.
  [[nodiscard]] std::set<std::string> overlaps(const std::string& monitor) const;
  // The first row there is of a level; `none` if there is none.
  [[nodiscard]] std::int64_t first(Level level, std::int64_t none) const;

 private:
  Database database_;
};

}  // namespace wiretally
