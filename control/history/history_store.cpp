// SPDX-License-Identifier: Apache-2.0
// The schema, the flush, the pruning.
#include "control/history/history_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

namespace wiretally {
namespace {

constexpr const char* kSchemaVersion = "1";
constexpr std::size_t kIdsMax = 1'000'000;  // remembered; more are looked up

// A row holds what was counted in [start, end of its period). in_* and out_* are parts of the
// first three columns.
constexpr const char* kLevelTable =
    "CREATE TABLE IF NOT EXISTS {} ("
    "series INTEGER NOT NULL REFERENCES series(id), start INTEGER NOT NULL, "
    "packets INTEGER NOT NULL, octets INTEGER NOT NULL, l2_octets INTEGER NOT NULL, "
    "in_packets INTEGER NOT NULL, in_octets INTEGER NOT NULL, in_l2_octets INTEGER NOT NULL, "
    "out_packets INTEGER NOT NULL, out_octets INTEGER NOT NULL, out_l2_octets INTEGER NOT NULL, "
    "PRIMARY KEY (series, start)) WITHOUT ROWID";

constexpr const char* kAdd =
    "INSERT INTO {} VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
    "packets=packets+excluded.packets, octets=octets+excluded.octets, "
    "l2_octets=l2_octets+excluded.l2_octets, in_packets=in_packets+excluded.in_packets, "
    "in_octets=in_octets+excluded.in_octets, in_l2_octets=in_l2_octets+excluded.in_l2_octets, "
    "out_packets=out_packets+excluded.out_packets, out_octets=out_octets+excluded.out_octets, "
    "out_l2_octets=out_l2_octets+excluded.out_l2_octets";

std::uint64_t inode_of(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 ? found.st_ino : 0;
}

void bind_volume(Statement& statement, int first, const Volume& volume) {
  statement.bind(first, static_cast<std::int64_t>(volume.packets))
      .bind(first + 1, static_cast<std::int64_t>(volume.octets))
      .bind(first + 2, static_cast<std::int64_t>(volume.l2_octets));
}

using Rows = std::map<std::pair<std::int64_t, std::int64_t>, DirectedVolume>;  // series id, start

void write_rows(const Database& database, std::string_view table, const Rows& rows) {
  Statement add(database, fmt::format(kAdd, table));
  for (const auto& [key, volume] : rows) {
    add.bind(1, key.first).bind(2, key.second);
    bind_volume(add, 3, volume.total);
    bind_volume(add, 6, volume.in);
    bind_volume(add, 9, volume.out);
    add.run();
  }
}

// The folder of the file is made if its parent is there, as systemd's StateDirectory would.
const std::string& with_folder(const std::string& path) {
  std::error_code ignored;
  std::filesystem::create_directory(std::filesystem::path(path).parent_path(), ignored);
  return path;
}

DatabaseError two_meters(const std::string& path) {
  return {SQLITE_BUSY,
          fmt::format("history {}: another meter writes it; give each its own history.path", path)};
}

// Held as long as the store lives, and no longer than the process. Without one, where none can be
// had, SQLite says what is wrong with the place.
Descriptor lock_of(const std::string& path) {
  Descriptor file(::open((with_folder(path) + ".lock").c_str(),
                         O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!file.is_open() || ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno == EWOULDBLOCK) throw two_meters(path);
  return file;
}

}  // namespace

HistoryStore::HistoryStore(const std::string& path, const Calendar& calendar, std::uint64_t run)
    : lock_(lock_of(path)),
      database_(path, Database::Mode::kWrite),
      calendar_(calendar),
      run_(std::to_string(run)) {
  // FULL: a flush survives a power cut, too; one a flush interval costs nothing that matters.
  database_.run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
  Transaction transaction(database_);
  make_schema();
  begin_run(run);
  transaction.commit();
  inode_ = inode_of(path);
}

void HistoryStore::make_schema() {
  database_.run(
      "CREATE TABLE IF NOT EXISTS note (key TEXT PRIMARY KEY, value TEXT NOT NULL) "
      "WITHOUT ROWID");
  const std::string version = note("schema");
  if (!version.empty() && version != kSchemaVersion) {
    throw DatabaseError(SQLITE_MISMATCH,
                        fmt::format("history {}: its schema is version {}, this wiretally writes "
                                    "{}; use another history.path",
                                    database_.path(), version, kSchemaVersion));
  }
  database_.run(
      "CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, "
      "name TEXT NOT NULL, grp TEXT NOT NULL, UNIQUE (kind, name, grp))");
  for (const std::string_view level : kLevelNames) {
    database_.run(fmt::format(kLevelTable, level));
  }
  set_note("schema", kSchemaVersion);
}

void HistoryStore::begin_run(std::uint64_t run) {
  const std::string before = note("run");
  const bool same = before == std::to_string(run);  // opened again by the same run
  if (!before.empty() && !same && note("ended") != "1") {
    killed_run_ = std::strtoll(note("flushed").c_str(), nullptr, 10);
  }
  if (!same) set_note("batch", "0");
  set_note("run", run_);
  set_note("ended", "0");
  set_note("timezone", calendar_.zone_name());
}

bool HistoryStore::is_in_place() const {
  return inode_ == inode_of(database_.path());
}

void HistoryStore::add(const HistoryBatch& batch, std::int64_t now_s) {
  Transaction transaction(database_);
  if (note("run") != run_) {
    throw two_meters(database_.path());
  }
  if (std::strtoull(note("batch").c_str(), nullptr, 10) >= batch.number) return;
  try {
    for (std::size_t l = 0; l < kLevels; ++l) {
      Rows rows;
      for (const auto& [key, volume] : batch.counts) {
        const Period period = calendar_.period(static_cast<Level>(l), key.second);
        rows[{series_id(key.first), period.start}] += volume;
      }
      write_rows(database_, kLevelNames[l], rows);
    }
    set_note("batch", std::to_string(batch.number));
    set_note("flushed", std::to_string(now_s));
    transaction.commit();
  } catch (...) {
    ids_.clear();  // some were made in the transaction that is rolled back
    throw;
  }
}

std::int64_t HistoryStore::series_id(const Series& series) {
  if (const auto known = ids_.find(series); known != ids_.end()) return known->second;
  if (ids_.size() >= kIdsMax) ids_.clear();
  const std::string_view kind = name_of(series.kind);
  Statement find(database_, "SELECT id FROM series WHERE kind=? AND name=? AND grp=?");
  find.bind(1, kind).bind(2, series.name).bind(3, series.group);
  std::int64_t id = 0;
  if (find.step()) {
    id = find.number(0);
  } else {
    Statement insert(database_, "INSERT INTO series (kind, name, grp) VALUES (?,?,?)");
    insert.bind(1, kind).bind(2, series.name).bind(3, series.group).run();
    id = sqlite3_last_insert_rowid(database_.handle());
  }
  ids_.emplace(series, id);
  return id;
}

std::int64_t HistoryStore::prune(const KeepTimes& keep, std::int64_t now_s) {
  Transaction transaction(database_);
  std::int64_t removed = 0;
  for (std::size_t l = 0; l + 1 < kLevels; ++l) {  // the total stays
    // By series, for the key begins with it.
    Statement remove(database_,
                     fmt::format("DELETE FROM {} WHERE series=? AND start<?", kLevelNames[l]));
    Statement all(database_, "SELECT id FROM series");
    const std::int64_t before =
        calendar_.period(static_cast<Level>(l), now_s - keep[l].count()).start;
    while (all.step()) {
      remove.bind(1, all.number(0)).bind(2, before).run();
      removed += database_.changes();
    }
  }
  transaction.commit();
  return removed;
}

void HistoryStore::close() {
  set_note("ended", "1");
}

void HistoryStore::set_grouping(const std::string& monitor, const std::string& grouping) {
  const std::string key = grouping_note(monitor);
  if (note(key) != grouping) set_note(key, grouping);
}

void HistoryStore::add_overlaps(const std::string& monitor, const std::set<std::string>& others) {
  const std::string key = overlap_note(monitor);
  const std::string before = note(key);
  std::set<std::string> all = lines_of(before);
  all.insert(others.begin(), others.end());
  const std::string now = fmt::format("{}", fmt::join(all, "\n"));
  if (now != before) set_note(key, now);
}

std::string HistoryStore::note(const std::string& key) const {
  Statement get(database_, "SELECT value FROM note WHERE key=?");
  get.bind(1, key);
  return get.step() ? get.text(0) : std::string();
}

void HistoryStore::set_note(const std::string& key, const std::string& value) {
  Statement set(database_,
                "INSERT INTO note VALUES (?,?) ON CONFLICT DO UPDATE SET value=excluded.value");
  set.bind(1, key).bind(2, value).run();
}

}  // namespace wiretally
