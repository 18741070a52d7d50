// SPDX-License-Identifier: Apache-2.0
// See collector_slot.hpp.
#include "control/collector_slot.hpp"

#include <array>
#include <utility>

namespace wiretally {
namespace {

void add(const SinkAccount& part, SinkAccount& sum) {
  sum.offered += part.offered;
  sum.delivered += part.delivered;
  sum.queued += part.queued;
  sum.spooled += part.spooled;
  sum.recovered += part.recovered;
  sum.datagrams += part.datagrams;
  sum.send_errors += part.send_errors;
  if (sum.dropped.empty()) sum.dropped.resize(part.dropped.size());
  for (std::size_t i = 0; i < part.dropped.size(); ++i) {
    sum.dropped[i].reason = part.dropped[i].reason;
    sum.dropped[i].records += part.dropped[i].records;
  }
}

// The same for both directions of a flow, and in every run: addresses and ports of its two ends,
// mixed end by end and added. FNV-1a, finished by a multiplication so that every bit counts.
std::uint64_t end_hash(const std::array<std::uint8_t, 16>& address, std::uint16_t port) {
  std::uint64_t hash = 14695981039346656037ull;
  const auto mix = [&hash](unsigned octet) { hash = (hash ^ octet) * 1099511628211ull; };
  for (const std::uint8_t octet : address) mix(octet);
  mix(port & 0xff);
  mix(port >> 8);
  return (hash ^ hash >> 32) * 0x9e3779b97f4a7c15ull;
}

// ICMP has its type where others have a port, and it is not the answer's.
std::size_t share_index(const FlowKey& key, std::size_t count) {
  constexpr std::uint8_t kIcmp = 1;
  constexpr std::uint8_t kIcmpv6 = 58;
  const bool ports = key.protocol != kIcmp && key.protocol != kIcmpv6;
  const std::uint64_t sum = end_hash(key.source, ports ? key.source_port : 0) +
                            end_hash(key.destination, ports ? key.destination_port : 0);
  return ((sum ^ key.protocol) * 0x9e3779b97f4a7c15ull >> 32) % count;
}

RecordBatchPtr share_of(const RecordBatch& batch, std::size_t index, std::size_t count) {
  auto share = std::make_shared<RecordBatch>();
  for (const FlowRecord& record : batch) {
    if (share_index(record.key, count) != index) continue;
    share->push_back(record);
    if (record.attributes == nullptr) continue;
    share->attributes.push_back(*record.attributes);
    share->back().attributes = &share->attributes.back();
  }
  return share;
}

}  // namespace

CollectorSlot::CollectorSlot(std::unique_ptr<RecordSink> link) : link_(std::move(link)) {
  past_.name = link_->account().name;
}

CollectorSlot::~CollectorSlot() {
  clear_away(true);
}

void CollectorSlot::replace(std::unique_ptr<RecordSink> next) {
  clear_away(false);
  const std::lock_guard lock(mutex_);
  if (link_ != nullptr) {
    Leaving& leaving = leaving_.emplace_back();
    leaving.link = std::move(link_);
    leaving.thread = std::thread([&leaving] {
      leaving.link->finish(kLeaveSeconds);
      leaving.done = true;
    });
  }
  link_ = std::move(next);
}

bool CollectorSlot::is_over() {
  clear_away(false);
  return link_ == nullptr && leaving_.empty();
}

void CollectorSlot::clear_away(bool wait) {
  for (auto each = leaving_.begin(); each != leaving_.end();) {
    if (!wait && !each->done) {
      ++each;
      continue;
    }
    each->thread.join();
    const std::lock_guard lock(mutex_);
    add(each->link->account(), past_);
    each = leaving_.erase(each);
  }
}

void CollectorSlot::offer(const RecordBatchPtr& batch) {
  if (!leaving_.empty()) clear_away(false);
  if (link_ == nullptr) return;
  if (share_count_ == 1) return link_->offer(batch);
  const RecordBatchPtr share = share_of(*batch, share_index_, share_count_);
  elsewhere_ += batch->size() - share->size();
  link_->offer(share);
}

void CollectorSlot::set_share(std::size_t index, std::size_t count) {
  share_index_ = index;
  share_count_ = count;
}

// Records of a balanced set that went to another collector have a name of their own here, so that
// each collector's account holds all that were made.
SinkAccount CollectorSlot::account() const {
  const std::lock_guard lock(mutex_);
  SinkAccount sum = past_;
  for (const Leaving& leaving : leaving_) add(leaving.link->account(), sum);
  if (link_ == nullptr) {
    sum.state = leaving_.empty() ? "removed" : "leaving";
  } else {
    const SinkAccount now = link_->account();
    add(now, sum);
    sum.state = now.state;
  }
  const std::uint64_t elsewhere = elsewhere_;
  sum.offered += elsewhere;
  sum.dropped.push_back({"elsewhere", elsewhere});
  return sum;
}

void CollectorSlot::finish(double limit_s) {
  if (link_ != nullptr) link_->finish(limit_s);
  clear_away(true);
}

void CollectorSlot::send_templates() {
  if (link_ != nullptr) link_->send_templates();
}

}  // namespace wiretally
