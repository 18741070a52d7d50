// SPDX-License-Identifier: Apache-2.0
// See record_queue.hpp. The lock is held for a few list operations per batch; record by record only
// over those that are dropped.
#include "control/export/record_queue.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>

namespace wiretally {

std::string_view label(ExportDrop reason) {
  switch (reason) {
    case ExportDrop::kQueueFull:
      return "queue_full";
    case ExportDrop::kUnresolved:
      return "unresolved";
    case ExportDrop::kUnreachable:
      return "unreachable";
    case ExportDrop::kRefused:
      return "refused";
    case ExportDrop::kSendError:
      return "send_error";
    case ExportDrop::kNonIp:
      return "non_ip";
    case ExportDrop::kNotInVersion:
      return "not_in_version";
    case ExportDrop::kUntrusted:
      return "untrusted";
    case ExportDrop::kFiltered:
      return "filtered";
    case ExportDrop::kShutdown:
      return "shutdown";
    case ExportDrop::kDisk:
      return "disk";
    case ExportDrop::kSpoolFull:
      return "spool_full";
    case ExportDrop::kSpooled:
      return "spooled";
  }
  return "unknown";
}

RecordSum sum_of(std::span<const RecordSlice> slices) {
  RecordSum sum;
  for (const RecordSlice& slice : slices) sum += sum_of(slice.records());
  return sum;
}

RecordSum remove_oldest(std::deque<RecordSlice>& slices, std::size_t records) {
  RecordSum removed;
  while (removed.records < records) {
    RecordSlice& oldest = slices.front();
    const std::size_t n = std::min(records - removed.records, oldest.size());
    removed += sum_of(oldest.records().first(n));
    oldest.begin += n;
    if (oldest.size() == 0) slices.pop_front();
  }
  return removed;
}

void RecordQueue::offer(const RecordBatchPtr& batch) {
  if (batch == nullptr || batch->empty()) return;
  std::unique_lock lock(mutex_);
  const std::size_t records = batch->size();
  if (lossless_) wait_for_room(lock, records);
  books_.offered += records;
  if (closed_) {
    dropped(ExportDrop::kShutdown) += sum_of(*batch);
    return;
  }
  slices_.push_back({batch, 0, records});
  books_.waiting += records;
  const std::uint64_t held = books_.waiting + books_.taken;
  if (held > records_max_ && !lossless_) drop_oldest(held - records_max_);
}

// A batch larger than the bound goes in when the queue is empty: the caller holds it anyway. A link
// that is down gets a few seconds, then the capture goes on without it.
void RecordQueue::wait_for_room(std::unique_lock<std::mutex>& lock, std::size_t records) {
  constexpr auto kPatience = std::chrono::seconds(5);
  const auto has_room = [&] {
    const std::uint64_t held = books_.waiting + books_.taken;
    return closed_ || held == 0 || held + records <= records_max_;
  };
  while (!has_room()) {
    if (room_.wait_for(lock, kPatience, has_room)) return;
    if (overflow_reason_ == ExportDrop::kQueueFull) continue;  // up, only slow
    drop_oldest(books_.waiting);
    return;
  }
}

void RecordQueue::drop_oldest(std::size_t records) {
  const std::size_t count = std::min<std::size_t>(records, books_.waiting);
  books_.waiting -= count;
  dropped(overflow_reason_) += remove_oldest(slices_, count);
}

std::vector<RecordSlice> RecordQueue::take(std::size_t max) {
  std::vector<RecordSlice> result;
  const std::lock_guard lock(mutex_);
  while (max > 0 && !slices_.empty()) {
    RecordSlice& front = slices_.front();
    const std::size_t n = std::min(max, front.size());
    result.push_back({front.batch, front.begin, front.begin + n});
    front.begin += n;
    max -= n;
    books_.waiting -= n;
    books_.taken += n;
    if (front.size() == 0) slices_.pop_front();
  }
  return result;
}

void RecordQueue::give_back(std::vector<RecordSlice> slices) {
  const std::lock_guard lock(mutex_);
  for (auto slice = slices.rbegin(); slice != slices.rend(); ++slice) {
    assert(slice->size() <= books_.taken);
    books_.taken -= slice->size();
    books_.waiting += slice->size();
    slices_.push_front(std::move(*slice));
  }
}

void RecordQueue::settle(std::uint64_t delivered) {
  if (delivered == 0) return;
  const std::lock_guard lock(mutex_);
  assert(delivered <= books_.taken);
  books_.taken -= delivered;
  books_.delivered += delivered;
  room_.notify_one();
}

void RecordQueue::drop(ExportDrop reason, const RecordSum& records) {
  if (records.records == 0) return;
  const std::lock_guard lock(mutex_);
  assert(records.records <= books_.taken);
  books_.taken -= records.records;
  dropped(reason) += records;
  room_.notify_one();
}

void RecordQueue::drop_waiting(ExportDrop reason) {
  const std::lock_guard lock(mutex_);
  dropped(reason) += remove_oldest(slices_, books_.waiting);
  books_.waiting = 0;
  room_.notify_one();
}

void RecordQueue::spool(std::uint64_t records) {
  const std::lock_guard lock(mutex_);
  assert(records <= books_.taken);
  books_.taken -= records;
  books_.spooled += records;
  room_.notify_one();
}

void RecordQueue::unspool(std::uint64_t records) {
  const std::lock_guard lock(mutex_);
  assert(records <= books_.spooled);
  books_.spooled -= records;
  books_.taken += records;
}

void RecordQueue::recover(std::uint64_t records) {
  const std::lock_guard lock(mutex_);
  books_.offered += records;
  books_.recovered += records;
  books_.spooled += records;
}

void RecordQueue::set_overflow_reason(ExportDrop reason) {
  const std::lock_guard lock(mutex_);
  overflow_reason_ = reason;
}

void RecordQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  room_.notify_all();
}

std::uint64_t RecordQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return books_.waiting;
}

RecordBooks RecordQueue::books() const {
  const std::lock_guard lock(mutex_);
  return books_;
}

}  // namespace wiretally
