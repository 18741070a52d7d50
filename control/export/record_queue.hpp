// SPDX-License-Identifier: Apache-2.0
// The bounded queue between control and one link thread, and the books over its records: every
// record offered is queued (waiting here, or taken by the link and not settled yet), delivered, or
// dropped under one reason. All of it changes under one lock, so a reading always balances. Thread:
// offer() control; take(), settle(), drop() the link thread; books() any.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "control/export/record_sum.hpp"
#include "control/merge/flow_record.hpp"

namespace wiretally {

enum class ExportDrop : std::uint8_t {
  kQueueFull,     // the collector's rate is too low for what is offered
  kUnresolved,    // the collector's name has no address
  kUnreachable,   // no route, no host, no source address
  kRefused,       // nobody listens on the collector's port
  kSendError,     // any other error of the socket
  kNonIp,         // records of non-IP frames, which this collector is not to get
  kNotInVersion,  // NetFlow v1 and v5 have no IPv6
  kUntrusted,     // the collector's certificate was refused, or it refused ours
  kFiltered,      // taken out by the collector's filter
  kShutdown,      // still queued when the time to finish was over
  kDisk,          // the disk refuses the file
  kSpoolFull,     // neither the spool nor memory has room
  kSpooled,       // left on disk when the link ended: the next one to have the spool sends them
};
inline constexpr std::size_t kExportDrops = static_cast<std::size_t>(ExportDrop::kSpooled) + 1;

std::string_view label(ExportDrop reason);

// A range of one batch.
struct RecordSlice {
  RecordBatchPtr batch;
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] std::size_t size() const { return end - begin; }
  [[nodiscard]] std::span<const FlowRecord> records() const {
    return std::span(*batch).subspan(begin, size());
  }
};

RecordSum sum_of(std::span<const RecordSlice> slices);
// Takes the oldest `records` out; there are at least so many.
RecordSum remove_oldest(std::deque<RecordSlice>& slices, std::size_t records);

struct RecordBooks {
  std::uint64_t offered = 0;  // with the recovered ones
  std::uint64_t delivered = 0;
  std::uint64_t waiting = 0;    // in the queue
  std::uint64_t taken = 0;      // with the link, not settled
  std::uint64_t spooled = 0;    // on disk
  std::uint64_t recovered = 0;  // found on disk; an earlier run was offered them
  std::array<RecordSum, kExportDrops> dropped{};
};

class RecordQueue {
 public:
  // `records_max` bounds waiting + taken. `lossless`: offer() waits for room while the link can
  // send.
  RecordQueue(std::size_t records_max, bool lossless)
      : records_max_(records_max), lossless_(lossless) {}

  // Past the bound the oldest waiting records go, under the reason set last.
  void offer(const RecordBatchPtr& batch);
  // At most `max` records from the front.
  std::vector<RecordSlice> take(std::size_t max);
  // Of the taken ones, oldest first: they wait again, before all others.
  void give_back(std::vector<RecordSlice> slices);
  void settle(std::uint64_t delivered);                    // of the taken ones
  void drop(ExportDrop reason, const RecordSum& records);  // of the taken ones
  void drop_waiting(ExportDrop reason);
  void spool(std::uint64_t records);    // of the taken ones: they are on disk now
  void unspool(std::uint64_t records);  // they are taken again, and settled next
  void recover(std::uint64_t records);  // so many were on disk
  // Why records that find no room are lost: kQueueFull while the link is up, else the link's
  // trouble.
  void set_overflow_reason(ExportDrop reason);
  // From now on every batch is dropped under kShutdown.
  void close();

  [[nodiscard]] std::uint64_t waiting() const;
  [[nodiscard]] RecordBooks books() const;

 private:
  void wait_for_room(std::unique_lock<std::mutex>& lock, std::size_t records);
  void drop_oldest(std::size_t records);
  RecordSum& dropped(ExportDrop reason) { return books_.dropped[static_cast<std::size_t>(reason)]; }

  const std::size_t records_max_;
  const bool lossless_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::deque<RecordSlice> slices_;
  RecordBooks books_;
  ExportDrop overflow_reason_ = ExportDrop::kQueueFull;
  bool closed_ = false;
};

}  // namespace wiretally
