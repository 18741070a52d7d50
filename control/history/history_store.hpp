// SPDX-License-Identifier: Apache-2.0
// The history file: SQLite in WAL mode, schema in history_store.cpp (and in the folder's README,
// for people who query it). A flush adds a batch of counts to every level in one transaction that
// also notes the batch's number: it is in the file whole, once, or not at all. Thread: one at a
// time. Errors: DatabaseError.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "control/history/calendar.hpp"
#include "control/history/database.hpp"
#include "control/history/history_feed.hpp"
#include "dataplane/descriptor.hpp"

namespace wiretally {

// Counts of one flush: by series and minute (UTC seconds of its beginning).
struct HistoryBatch {
  std::uint64_t number = 0;  // grows from flush to flush of one run
  std::map<std::pair<Series, std::int64_t>, DirectedVolume> counts;
};

// By level; the total is kept for ever.
using KeepTimes = std::array<std::chrono::seconds, kLevels>;

class HistoryStore {
 public:
  // Opens or makes the file. `run`: a number of this run of the meter that no other has. Throws too
  // while another meter has it open (a lock on the file PATH.lock).
  HistoryStore(const std::string& path, const Calendar& calendar, std::uint64_t run);

  // When the run before was killed: when it had flushed last.
  [[nodiscard]] std::optional<std::int64_t> killed_run() const { return killed_run_; }
  // The file at the path is still the one that is open.
  [[nodiscard]] bool is_in_place() const;

  // Does nothing if the file already has the batch (its commit was reported as failed and was not).
  void add(const HistoryBatch& batch, std::int64_t now_s);
  // Removes what is older than it is to be kept. Returns the rows removed.
  std::int64_t prune(const KeepTimes& keep, std::int64_t now_s);
  // What the groups of a monitor are: its group_by.
  void set_grouping(const std::string& monitor, const std::string& grouping);
  // Others that count packets which this monitor counts too: for good, as old rows are there.
  void add_overlaps(const std::string& monitor, const std::set<std::string>& others);
  // The run ended in order.
  void close();

 private:
  void make_schema();
  void begin_run(std::uint64_t run);
  std::int64_t series_id(const Series& series);
  [[nodiscard]] std::string note(const std::string& key) const;
  void set_note(const std::string& key, const std::string& value);

  const Descriptor lock_;  // before the database: who may not write does not open it
  Database database_;
  const Calendar& calendar_;
  const std::string run_;
  std::uint64_t inode_ = 0;
  std::optional<std::int64_t> killed_run_;
  std::map<Series, std::int64_t> ids_;
};

}  // namespace wiretally
