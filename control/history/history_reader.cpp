// SPDX-License-Identifier: Apache-2.0
// Queries by series first, as the tables' keys are laid. Thread: one at a time.
#include "control/history/history_reader.hpp"

#include <fmt/format.h>

#include <filesystem>

namespace wiretally {
namespace {

std::string_view table(Level level) {
  return kLevelNames[static_cast<std::size_t>(level)];
}

Volume read_volume(const Statement& row, int column) {
  return {static_cast<std::uint64_t>(row.number(column)),
          static_cast<std::uint64_t>(row.number(column + 1)),
          static_cast<std::uint64_t>(row.number(column + 2))};
}

DirectedVolume read_directed(const Statement& row, int column) {
  return {read_volume(row, column), read_volume(row, column + 3), read_volume(row, column + 6)};
}

constexpr std::string_view kVolumes =
    "packets, octets, l2_octets, in_packets, in_octets, in_l2_octets, out_packets, out_octets, "
    "out_l2_octets";

const std::string& existing(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    throw DatabaseError(
        SQLITE_CANTOPEN,
        fmt::format(
            "history {}: there is no such file; give --database FILE, or --config FILE with "
            "the meter's history.path; a meter makes it with its first history.flush",
            path));
  }
  return path;
}

}  // namespace

HistoryReader::HistoryReader(const std::string& path)
    : database_(existing(path), Database::Mode::kRead) {}

std::vector<std::string> HistoryReader::names(SeriesKind kind) const {
  Statement all(database_, "SELECT name FROM series WHERE kind=? AND grp='' ORDER BY name");
  all.bind(1, name_of(kind));
  std::vector<std::string> names;
  while (all.step()) names.push_back(all.text(0));
  return names;
}

std::vector<HistoryRow> HistoryReader::rows(Level level, const Series& series, std::int64_t from,
                                            std::int64_t to) const {
  Statement select(database_,
                   fmt::format("SELECT start, {} FROM {} WHERE series=(SELECT id FROM series WHERE "
                               "kind=? AND name=? AND grp=?) AND start>=? AND start<? "
                               "ORDER BY start",
                               kVolumes, table(level)));
  select.bind(1, name_of(series.kind)).bind(2, series.name).bind(3, series.group);
  select.bind(4, from).bind(5, to);
  std::vector<HistoryRow> rows;
  while (select.step()) rows.push_back({select.number(0), read_directed(select, 1)});
  return rows;
}

std::vector<GroupRow> HistoryReader::group_rows(Level level, const std::string& monitor,
                                                std::int64_t from, std::int64_t to) const {
  Statement select(database_,
                   fmt::format("SELECT grp, start, {} FROM series JOIN {} ON series=id WHERE "
                               "kind='monitor' AND name=? AND grp<>'' AND start>=? AND start<?",
                               kVolumes, table(level)));
  select.bind(1, monitor).bind(2, from).bind(3, to);
  std::vector<GroupRow> rows;
  while (select.step()) {
    rows.push_back({select.text(0), {select.number(1), read_directed(select, 2)}});
  }
  return rows;
}

std::map<std::string, DirectedVolume> HistoryReader::groups(Level level, const std::string& monitor,
                                                            std::int64_t from,
                                                            std::int64_t to) const {
  std::map<std::string, DirectedVolume> groups;
  for (const GroupRow& each : group_rows(level, monitor, from, to)) {
    groups[each.group] += each.row.volume;
  }
  return groups;
}

std::string HistoryReader::grouping(const std::string& monitor) const {
  Statement get(database_, "SELECT value FROM note WHERE key=?");
  get.bind(1, grouping_note(monitor));
  return get.step() ? get.text(0) : std::string();
}

std::set<std::string> HistoryReader::overlaps(const std::string& monitor) const {
  Statement get(database_, "SELECT value FROM note WHERE key=?");
  get.bind(1, overlap_note(monitor));
  return get.step() ? lines_of(get.text(0)) : std::set<std::string>();
}

std::int64_t HistoryReader::first(Level level, std::int64_t none) const {
  Statement select(database_, fmt::format("SELECT min(first) FROM (SELECT (SELECT min(start) FROM "
                                          "{} WHERE series=id) AS first FROM series)",
                                          table(level)));
  if (!select.step()) return none;
  const std::int64_t first = select.number(0);
  return first == 0 && level != Level::kTotal ? none : first;
}

}  // namespace wiretally
