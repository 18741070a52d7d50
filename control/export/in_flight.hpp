// SPDX-License-Identifier: Apache-2.0
// Datagrams handed to the kernel a moment ago. UDP never says "delivered", but a collector that is
// not there says so within a round trip (ICMP port unreachable, quoting the datagram). So a
// datagram's records count as delivered only when no such answer came in kSettleNs; one that is
// answered is found here by its quoted header and its records are counted as dropped, exactly.
// Thread: one link thread.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "control/export/pacer.hpp"
#include "control/export/record_sum.hpp"
#include "control/export/udp_socket.hpp"

namespace wiretally {

class InFlight {
 public:
  static constexpr SteadyNs kSettleNs = 50'000'000;
  static constexpr std::size_t kDatagramsMax = 8192;

  void add(SteadyNs now, const MessageQuote& quote, const RecordSum& records) {
    entries_.push_back({now, quote, records});
  }
  // Records of datagrams that are old enough, or too many to remember.
  std::uint64_t settled(SteadyNs now) {
    std::uint64_t records = 0;
    while (!entries_.empty() &&
           (entries_.front().sent + kSettleNs <= now || entries_.size() > kDatagramsMax)) {
      records += entries_.front().records.records;
      entries_.pop_front();
    }
    return records;
  }
  // Records of the datagram that was quoted; none if it is not known any more.
  RecordSum lost(const MessageQuote& quote) {
    for (Entry& entry : entries_) {
      if (entry.quote == quote && entry.records.records != 0) {
        return std::exchange(entry.records, {});
      }
    }
    return {};
  }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] SteadyNs settles_at() const {
    return entries_.empty() ? kNever : entries_.front().sent + kSettleNs;
  }

 private:
  struct Entry {
    SteadyNs sent;
    MessageQuote quote;
    RecordSum records;
  };
  std::deque<Entry> entries_;
};

}  // namespace wiretally
