// SPDX-License-Identifier: Apache-2.0
// Collect, sort, print.
// Thread: control. From: batches of records. To: a format and its file.
#include "control/sink/ordered_sink.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace wiretally {
namespace {

// The time beside the pointer: a million comparisons stay in a compact array, and only records of
// one instant are looked up.
struct Entry {
  TimeNs first;
  const FlowRecord* record;
};

auto rest_of(const FlowRecord& r) {
  const FlowKey& k = r.key;
  return std::make_tuple(k.protocol, k.source_port, k.destination_port, k.vlan(), k.vlan_and_kind,
                         r.ingress_ifindex, r.last, r.packets, r.octets, r.l2_octets, r.tcp_flags,
                         r.tos, r.end_reason);
}

OrderedRecords in_order(const std::vector<RecordBatchPtr>& batches) {
  std::size_t count = 0;
  for (const RecordBatchPtr& batch : batches) count += batch->size();
  std::vector<Entry> entries;
  entries.reserve(count);
  for (const RecordBatchPtr& batch : batches) {
    for (const FlowRecord& record : *batch) entries.push_back({record.first, &record});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.first != b.first ? a.first < b.first : record_before(*a.record, *b.record);
  });
  OrderedRecords records;
  records.reserve(count);
  for (const Entry& entry : entries) records.push_back(entry.record);
  return records;
}

}  // namespace

bool record_before(const FlowRecord& a, const FlowRecord& b) {
  if (a.first != b.first) return a.first < b.first;
  const int source = std::memcmp(a.key.source.data(), b.key.source.data(), 16);
  if (source != 0) return source < 0;
  const int destination = std::memcmp(a.key.destination.data(), b.key.destination.data(), 16);
  if (destination != 0) return destination < 0;
  return rest_of(a) < rest_of(b);
}

OrderedSink::OrderedSink(std::string name, int fd, RecordFormat format)
    : name_(std::move(name)), fd_(fd), format_(std::move(format)) {}

void OrderedSink::offer(const RecordBatchPtr& batch) {
  if (!batch || batch->empty()) return;
  batches_.push_back(batch);
  const std::lock_guard lock(mutex_);
  offered_ += batch->size();
}

SinkAccount OrderedSink::account() const {
  const std::lock_guard lock(mutex_);
  SinkAccount account;
  account.name = name_;
  account.offered = offered_;
  account.delivered = delivered_;
  account.queued = offered_ - delivered_ - dropped_;
  account.dropped = {{"write_error", dropped_}};
  account.state = dropped_ == 0 ? "up" : "cannot write";
  return account;
}

void OrderedSink::finish(double /*limit_s*/) {
  FileWriter writer(fd_);
  format_(in_order(batches_), writer);
  writer.flush();
  error_ = writer.error();
  batches_.clear();
  const std::lock_guard lock(mutex_);
  const std::uint64_t waiting = offered_ - delivered_ - dropped_;
  (error_.empty() ? delivered_ : dropped_) += waiting;
}

}  // namespace wiretally
