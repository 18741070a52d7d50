// SPDX-License-Identifier: Apache-2.0
// The flush, its failures, and when to prune. Thread: its own.
#include "control/history/history_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <random>

namespace wiretally {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

constexpr std::int64_t kPruneEvery_s = 3600;
// A wall clock that jumped may be wrong: what it calls old is spared until it has held for a day.
constexpr std::int64_t kJump_s = 600;
constexpr std::int64_t kTrustAfter_s = 24 * 3600;
constexpr std::int64_t kMinute_s = 60;

std::int64_t clock_s(clockid_t id) {
  timespec t;
  clock_gettime(id, &t);
  return t.tv_sec;
}

KeepTimes keep_times(const HistoryConfig& config) {
  const auto s = [](std::chrono::nanoseconds time) { return duration_cast<seconds>(time); };
  return {
      s(config.keep_minute), s(config.keep_five_minutes), s(config.keep_hour), s(config.keep_day),
      s(config.keep_week),   s(config.keep_month),        s(config.keep_year), seconds::max()};
}

std::uint64_t new_run() {
  std::random_device device;
  return (std::uint64_t{device()} << 31) ^ device();
}

std::string utc(std::int64_t time_s) {
  const std::time_t time = time_s;
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace

HistoryWriter::HistoryWriter(const HistoryConfig& config, Log log)
    : config_(config),
      log_(std::move(log)),
      calendar_(config.timezone, config.week_starts),
      keep_(keep_times(config)),
      run_(new_run()),
      flush_s_(std::max<std::int64_t>(1, duration_cast<seconds>(config.flush).count())),
      book_(config.groups) {
  status_.kept = true;
}

HistoryWriter::~HistoryWriter() {
  finish(clock_s(CLOCK_REALTIME), clock_s(CLOCK_MONOTONIC));
}

void HistoryWriter::start() {
  flush(clock_s(CLOCK_REALTIME), clock_s(CLOCK_MONOTONIC));  // trouble shows at once
  thread_ = std::thread([this] { run(); });
}

bool HistoryWriter::due(std::int64_t wall_s) {
  const std::int64_t minute = wall_s / kMinute_s;
  if (minute == asked_minute_ && wall_s >= asked_s_ && wall_s - asked_s_ < flush_s_) return false;
  asked_minute_ = minute;
  asked_s_ = wall_s;
  return true;
}

void HistoryWriter::add(std::int64_t wall_s, std::span<const SeriesSample> samples) {
  const std::lock_guard lock(mutex_);
  book_.add(wall_s, samples);
  status_.pending_rows = book_.rows();
  status_.lost = book_.lost();
}

void HistoryWriter::describe(const Groupings& groupings) {
  const std::lock_guard lock(mutex_);
  for (const auto& [monitor, grouping] : groupings) groupings_[monitor] = grouping;
}

void HistoryWriter::note_overlaps(const Overlaps& overlaps) {
  const std::lock_guard lock(mutex_);
  constexpr std::size_t kToldMax = 64;
  for (const auto& [monitor, others] : overlaps) {
    std::set<std::string>& told = overlaps_[monitor];
    told.insert(others.begin(), others.end());
    if (told.size() > kToldMax) told = {kAnyMonitor};
  }
}

void HistoryWriter::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, seconds(flush_s_), [this] { return stopping_; });
    if (stopping_) return;
    lock.unlock();
    flush(clock_s(CLOCK_REALTIME), clock_s(CLOCK_MONOTONIC));
    lock.lock();
  }
}

void HistoryWriter::flush(std::int64_t wall_s, std::int64_t steady_s) {
  try {
    if (store_ && !store_->is_in_place()) {
      store_.reset();
      log_(
          fmt::format("history {}: was moved away or removed while it was written; a new one is "
                      "made, and what was flushed before is not in it",
                      config_.path));
    }
    if (!store_) open(wall_s);
    // The batch that failed before, and after it what came since.
    for (int batches = 0; batches < 2; ++batches) {
      const HistoryBatch* batch = nullptr;
      {
        const std::lock_guard lock(mutex_);
        batch = book_.batch();
      }
      if (!batch) break;
      write(*batch, wall_s);
    }
    write_notes();
    prune_if_due(wall_s, steady_s);
  } catch (const DatabaseError& error) {
    store_.reset();
    trouble(error.what());
    return;
  }
  const std::lock_guard lock(mutex_);
  if (!status_.trouble.empty()) log_(fmt::format("history {}: is written again", config_.path));
  status_.trouble.clear();
}

void HistoryWriter::open(std::int64_t wall_s) {
  store_ = std::make_unique<HistoryStore>(config_.path, calendar_, run_);
  if (const auto flushed = store_->killed_run()) {
    log_(
        fmt::format("history {}: the run before did not end in order; what it counted after its "
                    "last flush at {} is not here",
                    config_.path, utc(*flushed == 0 ? wall_s : *flushed)));
  }
}

// Nobody but this thread touches a batch once it is closed.
void HistoryWriter::write(const HistoryBatch& batch, std::int64_t wall_s) {
  store_->add(batch, wall_s);
  const std::lock_guard lock(mutex_);
  book_.written();
  ++status_.flushes;
  status_.pending_rows = book_.rows();
}

void HistoryWriter::write_notes() {
  Groupings groupings;
  Overlaps overlaps;
  {
    const std::lock_guard lock(mutex_);
    groupings.swap(groupings_);
    overlaps = overlaps_;  // all of them each time: the file may be a new one
  }
  for (const auto& [monitor, grouping] : groupings) store_->set_grouping(monitor, grouping);
  for (const auto& [monitor, others] : overlaps) store_->add_overlaps(monitor, others);
}

void HistoryWriter::prune_if_due(std::int64_t wall_s, std::int64_t steady_s) {
  const std::int64_t difference = wall_s - steady_s;
  const bool jumped = wall_minus_steady_ && std::abs(difference - *wall_minus_steady_) > kJump_s;
  wall_minus_steady_ = difference;
  if (jumped) {
    pruned_s_ = steady_s + kTrustAfter_s - kPruneEvery_s;
    return;
  }
  if (pruned_s_ && steady_s - *pruned_s_ < kPruneEvery_s) return;
  store_->prune(keep_, wall_s);
  pruned_s_ = steady_s;
}

void HistoryWriter::trouble(const std::string& text) {
  const std::lock_guard lock(mutex_);
  ++status_.failures;
  if (status_.trouble == text) return;
  status_.trouble = text;
  log_(fmt::format("{}; counts wait in memory, the next flush tries again", text));
}

void HistoryWriter::finish(std::int64_t wall_s, std::int64_t steady_s) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  flush(wall_s, steady_s);
  try {
    if (store_) store_->close();
  } catch (const DatabaseError& error) {
    trouble(error.what());
  }
  const std::lock_guard lock(mutex_);
  if (const Volume left = book_.pending(); !left.is_zero()) {
    log_(fmt::format("history {}: {} packets, {} octets could not be written and are lost",
                     config_.path, left.packets, left.octets));
    status_.lost += left;
  }
}

HistoryStatus HistoryWriter::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace wiretally
