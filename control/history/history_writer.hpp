// SPDX-License-Identifier: Apache-2.0
// The history of a running meter: takes samples from the tick, writes them every flush interval by
// a thread of its own. A disk that is full, a file that is locked, damaged or gone costs no
// metering: the counts wait in memory, one log line says what is wrong and what mends it, and each
// flush tries again. kill -9 loses what came since the last flush, and nothing is written twice.
// Thread: `due` and `add` control, `status` any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "config/config.hpp"
#include "control/history/history_book.hpp"
#include "control/history/history_status.hpp"

namespace wiretally {

class HistoryWriter final : public HistoryFeed {
 public:
  using Log = std::function<void(const std::string&)>;

  // Throws StartupError for an unknown time zone. A file that cannot be opened is trouble, not an
  // error: it is tried again.
  HistoryWriter(const HistoryConfig& config, Log log);
  // Flushes what is left.
  ~HistoryWriter() override;

  void start();  // the thread; without it, `flush` is the caller's to call
  bool due(std::int64_t wall_s) override;
  void add(std::int64_t wall_s, std::span<const SeriesSample> samples) override;
  // What the next flush says of these monitors' groups.
  void describe(const Groupings& groupings);
  // From the next flush on the file knows them, too.
  void note_overlaps(const Overlaps& overlaps);
  // Writes what there is. `steady_s` goes on whatever the wall clock does.
  void flush(std::int64_t wall_s, std::int64_t steady_s);
  // Ends the run in order; after the last `add`.
  void finish(std::int64_t wall_s, std::int64_t steady_s);
  [[nodiscard]] HistoryStatus status() const;

 private:
  void run();
  void open(std::int64_t wall_s);
  void write(const HistoryBatch& batch, std::int64_t wall_s);
  void write_notes();
  void prune_if_due(std::int64_t wall_s, std::int64_t steady_s);
  void trouble(const std::string& text);

  const HistoryConfig config_;
  const Log log_;
  const Calendar calendar_;
  const KeepTimes keep_;
  const std::uint64_t run_;
  std::int64_t flush_s_;
  std::int64_t asked_minute_ = -1;  // control's
  std::int64_t asked_s_ = 0;
  std::unique_ptr<HistoryStore> store_;   // the flushing thread's, like the next two
  std::optional<std::int64_t> pruned_s_;  // steady
  std::optional<std::int64_t> wall_minus_steady_;

  mutable std::mutex mutex_;  // what follows, but for the thread
  std::condition_variable wake_;
  HistoryBook book_;
  HistoryStatus status_;
  Groupings groupings_;
  Overlaps overlaps_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wiretally
