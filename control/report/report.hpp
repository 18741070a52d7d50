// SPDX-License-Identifier: Apache-2.0
// What a report says, as values: periods of local time with what each monitor counted in them, read
// from the history file. How it looks is report_text and report_chart. Thread: any. Errors:
// DatabaseError; StartupError for a name that is not in the history.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/history/history_reader.hpp"

namespace wiretally {

struct ReportQuery {
  Level level = Level::kHour;
  SeriesKind kind = SeriesKind::kMonitor;
  std::vector<std::string> names;    // empty: all of the kind
  std::size_t periods = 24;          // the latest so many
  std::optional<std::int64_t> from;  // UTC seconds: every period since, instead of `periods`
  std::int64_t to = 0;               // UTC seconds, usually now
  bool groups = false;
  std::size_t groups_max = 10;  // beside `other`; 0: all
};

struct ReportGroup {
  std::string name;
  DirectedVolume volume;
  // What the group had while it had no row is in `other`: it came late, or gave way for a while.
  bool at_least = false;
};

struct ReportCell {  // one monitor in one period
  DirectedVolume volume;
  std::vector<ReportGroup> groups;  // the heaviest first, `other` last: together the monitor
};

struct ReportRow {
  Period period;
  std::string label;
  std::vector<ReportCell> cells;  // by Report::names
  [[nodiscard]] Volume total() const;
};

struct Report {
  Level level = Level::kHour;
  SeriesKind kind = SeriesKind::kMonitor;
  std::vector<std::string> names;
  std::vector<bool> directed;  // by name: it tells in from out somewhere in this report
  std::vector<ReportRow> rows;
  // Names of those that count packets together with another of this report: the sum over the names
  // has such packets twice.
  std::vector<std::string> overlapping;
};

// The rows go from the oldest to the one that `to` is in; none is before the history begins.
[[nodiscard]] Report make_report(const HistoryReader& history, const Calendar& calendar,
                                 const ReportQuery& query);

// The names that a query means, all of them known.
[[nodiscard]] std::vector<std::string> report_names(const HistoryReader& history,
                                                    const ReportQuery& query);
// The periods that a query means.
[[nodiscard]] std::vector<Period> report_periods(const HistoryReader& history,
                                                 const Calendar& calendar,
                                                 const ReportQuery& query);

}  // namespace wiretally
