// SPDX-License-Identifier: Apache-2.0
// Rows of the history into the periods of a report. Thread: any.
#include "control/report/report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/startup_error.hpp"
#include "control/history/history_book.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kPeriodsMax = 100'000;

constexpr const char* kOther = HistoryBook::kOther;

// `other` takes in those that are not shown, too, so that the rows add up to the monitor. While it
// held anything in the file, no group's figure is sure to be all of it.
std::vector<ReportGroup> heaviest(std::map<std::string, DirectedVolume> groups, std::size_t most) {
  ReportGroup other{kOther, {}, false};
  if (auto found = groups.extract(kOther)) other.volume = found.mapped();
  const bool at_least = !other.volume.total.is_zero();
  std::vector<ReportGroup> sorted;
  for (auto& [name, volume] : groups) sorted.push_back({name, volume, at_least});
  std::stable_sort(sorted.begin(), sorted.end(), [](const ReportGroup& a, const ReportGroup& b) {
    return a.volume.total.octets > b.volume.total.octets;
  });
  for (; most != 0 && sorted.size() > most; sorted.pop_back()) other.volume += sorted.back().volume;
  if (!other.volume.total.is_zero()) sorted.push_back(other);
  return sorted;
}

std::vector<std::string> overlapping(const HistoryReader& history, const Report& report) {
  std::vector<std::string> names;
  if (report.kind != SeriesKind::kMonitor || report.names.size() < 2) return names;
  for (const std::string& name : report.names) {
    const std::set<std::string> others = history.overlaps(name);
    const bool any = std::ranges::any_of(report.names, [&](const std::string& other) {
      return other != name && (others.contains(other) || others.contains(kAnyMonitor));
    });
    if (any) names.push_back(name);
  }
  return names;
}

// Levels whose periods may make up those of another, the coarsest first.
std::vector<Level> parts_of(Level level) {
  switch (level) {
    case Level::kYear:
      return {Level::kMonth, Level::kDay, Level::kHour};
    case Level::kMonth:
    case Level::kWeek:
      return {Level::kDay, Level::kHour, Level::kFiveMinutes};
    case Level::kDay:
      return {Level::kHour, Level::kFiveMinutes};
    case Level::kHour:
      return {Level::kFiveMinutes};
    default:
      return {};
  }
}

// Half of what a row of `level` lasts.
std::int64_t half_of(const Calendar& calendar, Level level, const Period& window) {
  if (level == Level::kTotal) return 0;
  const Period period = calendar.period(level, window.start);
  return (period.end - period.start) / 2;
}

// The rows to read: those of `level`, unless they began on another day of the week or in another
// time zone than `calendar` has, so that they lie in two of its periods. Then finer ones that do
// not, if they are still there. Else each row counts where `middle` behind its beginning is: a year
// of Paris, which begins at 23:00 UTC, is the same year in UTC.
struct RowsToRead {
  Level level;
  std::int64_t middle;
};
RowsToRead rows_to_read(const HistoryReader& history, const Calendar& calendar, Level level,
                        const Series& series, const Period& window) {
  const auto is_whole = [&](Level l, const std::vector<HistoryRow>& rows) {
    return std::ranges::all_of(rows, [&](const HistoryRow& row) {
      return calendar.period(l, row.start).start == row.start;
    });
  };
  const std::int64_t half = half_of(calendar, level, window);
  const std::vector<HistoryRow> rows = history.rows(level, series, window.start - half, window.end);
  if (is_whole(level, rows)) return {level, 0};
  const std::int64_t covered = rows.front().start + 2 * half;
  for (const Level part : parts_of(level)) {
    if (history.first(part, INT64_MAX) >= covered) continue;
    if (is_whole(part, history.rows(part, series, window.start, window.end))) {
      return {part, 0};
    }
  }
  return {level, half};
}

void fill_column(std::vector<ReportRow>& rows, std::size_t column,
                 const std::vector<HistoryRow>& history, std::int64_t middle) {
  auto row = rows.begin();
  for (const HistoryRow& each : history) {
    const std::int64_t at = each.start + middle;
    while (row != rows.end() && row->period.end <= at) ++row;
    if (row == rows.end()) return;
    if (at >= row->period.start) row->cells[column].volume += each.volume;
  }
}

// One look for all periods: a look for each would search the groups again and again.
void fill_groups(std::vector<ReportRow>& rows, std::size_t column,
                 const std::vector<GroupRow>& history, std::int64_t middle, std::size_t most) {
  std::vector<std::map<std::string, DirectedVolume>> groups(rows.size());
  for (const GroupRow& each : history) {
    const std::int64_t at = each.row.start + middle;
    const auto row =
        std::ranges::upper_bound(rows, at, {}, [](const ReportRow& r) { return r.period.end; });
    if (row == rows.end() || at < row->period.start) continue;
    groups[static_cast<std::size_t>(row - rows.begin())][each.group] += each.row.volume;
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    rows[r].cells[column].groups = heaviest(std::move(groups[r]), most);
  }
}

}  // namespace

Volume ReportRow::total() const {
  Volume sum;
  for (const ReportCell& cell : cells) sum += cell.volume.total;
  return sum;
}

std::vector<std::string> report_names(const HistoryReader& history, const ReportQuery& query) {
  const std::vector<std::string> known = history.names(query.kind);
  if (query.names.empty()) return known;
  for (const std::string& name : query.names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw StartupError(
        ExitCode::kUsage,
        fmt::format("the history knows no {} `{}`; it has {}", name_of(query.kind), name,
                    known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  }
  return query.names;
}

std::vector<Period> report_periods(const HistoryReader& history, const Calendar& calendar,
                                   const ReportQuery& query) {
  const std::int64_t first = history.first(query.level, query.to);
  const std::int64_t oldest = std::max(query.from.value_or(first), first);
  const std::size_t most = query.from ? kPeriodsMax : std::min(query.periods, kPeriodsMax);
  std::vector<Period> periods;
  // A given end is exclusive; "now" is in the period that goes on.
  std::int64_t inside = query.from ? query.to - 1 : query.to;
  while (periods.size() < most) {
    const Period period = calendar.period(query.level, inside);
    if (period.end <= oldest || (!periods.empty() && period.start >= periods.back().start)) break;
    periods.push_back(period);
    inside = period.start - 1;
  }
  std::reverse(periods.begin(), periods.end());
  return periods;
}

Report make_report(const HistoryReader& history, const Calendar& calendar,
                   const ReportQuery& query) {
  Report report;
  report.level = query.level;
  report.kind = query.kind;
  report.names = report_names(history, query);
  report.directed.resize(report.names.size());
  report.overlapping = overlapping(history, report);
  for (const Period& period : report_periods(history, calendar, query)) {
    report.rows.push_back({period, calendar.label(query.level, period),
                           std::vector<ReportCell>(report.names.size())});
  }
  if (report.rows.empty()) return report;
  for (std::size_t c = 0; c < report.names.size(); ++c) {
    const Series series{query.kind, report.names[c], ""};
    const Period window{report.rows.front().period.start, report.rows.back().period.end};
    const auto [level, middle] = rows_to_read(history, calendar, query.level, series, window);
    fill_column(report.rows, c, history.rows(level, series, window.start - middle, window.end),
                middle);
    for (const ReportRow& row : report.rows) {
      const DirectedVolume& volume = row.cells[c].volume;
      if (!volume.in.is_zero() || !volume.out.is_zero()) report.directed[c] = true;
    }
    if (query.groups && query.kind == SeriesKind::kMonitor) {
      fill_groups(report.rows, c,
                  history.group_rows(level, series.name, window.start - middle, window.end), middle,
                  query.groups_max);
    }
  }
  return report;
}

}  // namespace wiretally
