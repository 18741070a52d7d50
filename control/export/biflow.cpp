// SPDX-License-Identifier: Apache-2.0
// See biflow.hpp. Thread: one link thread.
#include "control/export/biflow.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace wiretally {
namespace {

constexpr std::uint16_t kSyn = 0x02;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kIcmpv6 = 58;

// The ICMP type that answers `type`; types that nothing answers are their own.
std::uint8_t answering_type(std::uint8_t protocol, std::uint8_t type) {
  constexpr std::pair<std::uint8_t, std::uint8_t> kV4[] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}};
  constexpr std::pair<std::uint8_t, std::uint8_t> kV6[] = {
      {128, 129}, {133, 134}, {135, 136}, {139, 140}};
  const auto pairs = protocol == kIcmp ? std::span(kV4) : std::span(kV6);
  for (const auto& [request, answer] : pairs) {
    if (type == request) return answer;
    if (type == answer) return request;
  }
  return type;
}

// A key of a flow, whatever VLAN and port it was first seen on.
FlowKey plain(const FlowKey& key) {
  FlowKey result = key;
  result.port = PortIndex{};
  result.set_vlan(0);
  return result;
}

FlowKey reversed(const FlowKey& key) {
  FlowKey result = plain(key);
  std::swap(result.source, result.destination);
  if (key.protocol == kIcmp || key.protocol == kIcmpv6) {
    const auto type = static_cast<std::uint8_t>(key.destination_port >> 8);
    result.destination_port = static_cast<std::uint16_t>(answering_type(key.protocol, type) << 8 |
                                                         (key.destination_port & 0xff));
  } else {
    std::swap(result.source_port, result.destination_port);
  }
  return result;
}

bool can_pair(const FlowKey& key) {
  return key.ip_version() != IpVersion::kNone && key.level() == CoarseLevel::kExact &&
         !(plain(key) == reversed(key));
}

bool has_syn(const FlowRecord& record) {
  return record.key.protocol == kTcp && (record.tcp_flags & kSyn) != 0;
}

}  // namespace

bool is_reverse(const FlowRecord& a, const FlowRecord& b) {
  return a.key.protocol == b.key.protocol && can_pair(a.key) && reversed(a.key) == plain(b.key);
}

// A SYN of one side only tells; of both, and of none, the earlier packet does.
BiflowDirection biflow_direction(const FlowRecord& forward, const FlowRecord& reverse) {
  const bool told = has_syn(forward) != has_syn(reverse) || forward.first != reverse.first;
  return told ? BiflowDirection::kInitiator : BiflowDirection::kArbitrary;
}

struct BiflowMatcher::Making {
  std::shared_ptr<RecordBatch> batch = std::make_shared<RecordBatch>();

  void add(const FlowRecord& record) {
    batch->push_back(record);
    if (record.attributes == nullptr) return;
    batch->attributes.push_back(*record.attributes);
    batch->back().attributes = &batch->attributes.back();
  }
  [[nodiscard]] std::vector<RecordSlice> slices() const {
    if (batch->empty()) return {};
    return {{batch, 0, batch->size()}};
  }
};

std::size_t BiflowMatcher::KeyHash::operator()(const FlowKey& key) const {
  constexpr std::uint64_t kPrime = 0x9e3779b97f4a7c15;
  std::uint64_t words[5];
  static_assert(sizeof words == sizeof key);
  std::memcpy(words, &key, sizeof words);
  std::uint64_t hash = 0;
  for (const std::uint64_t word : words) {
    hash = (hash ^ word) * kPrime;
    hash ^= hash >> 29;
  }
  return hash;
}

std::vector<RecordSlice> BiflowMatcher::match(std::vector<RecordSlice> slices, SteadyNs now) {
  Making out;
  for (const RecordSlice& slice : slices) {
    for (const FlowRecord& record : slice.records()) take(record, slice.batch, now, out);
  }
  while (held_.size() > kHeldMax) release_oldest(out);
  forget_gone();
  return out.slices();
}

std::vector<RecordSlice> BiflowMatcher::release(SteadyNs now, bool all) {
  Making out;
  while (!held_.empty() && (all || due_at() <= now)) {
    release_oldest(out);
    forget_gone();
  }
  return out.slices();
}

SteadyNs BiflowMatcher::due_at() const {
  if (order_.empty()) return kNever;
  return held_.at(order_.front().first).since + kHoldNs;
}

// The front of the order is a record that waits.
void BiflowMatcher::forget_gone() {
  while (!order_.empty()) {
    const auto found = held_.find(order_.front().first);
    if (found != held_.end() && found->second.number == order_.front().second) return;
    order_.pop_front();
  }
}

void BiflowMatcher::take(const FlowRecord& record, const RecordBatchPtr& batch, SteadyNs now,
                         Making& out) {
  if (!can_pair(record.key)) return out.add(record);
  const auto other = held_.find(reversed(record.key));
  if (other != held_.end()) {
    const Held held = std::move(other->second);
    held_.erase(other);
    const bool held_first = first_is_initiator(held.record, record);
    out.add(held_first ? held.record : record);
    out.add(held_first ? record : held.record);
    return;
  }
  const FlowKey key = plain(record.key);
  const auto same = held_.find(key);  // the next part of one direction: the first waits no longer
  if (same != held_.end()) {
    out.add(same->second.record);
    held_.erase(same);
  }
  held_.insert({key, {record, batch, now, next_number_}});
  order_.emplace_back(key, next_number_++);
}

void BiflowMatcher::release_oldest(Making& out) {
  while (!order_.empty()) {
    const auto [key, number] = order_.front();
    order_.pop_front();
    const auto found = held_.find(key);
    if (found == held_.end() || found->second.number != number) continue;  // has gone already
    out.add(found->second.record);
    held_.erase(found);
    return;
  }
}

bool BiflowMatcher::first_is_initiator(const FlowRecord& a, const FlowRecord& b) {
  const FlowKey key_a = plain(a.key);
  const FlowKey key_b = plain(b.key);
  const bool goes_on = a.end_reason == FlowEndReason::kActiveTimeout ||
                       b.end_reason == FlowEndReason::kActiveTimeout;
  const bool known_a = initiators_.contains(key_a);
  const bool known_b = !known_a && initiators_.contains(key_b);
  bool a_first = known_a;
  if (!known_a && !known_b) {
    const bool one_syn = has_syn(a) != has_syn(b);
    a_first = one_syn ? has_syn(a) : a.first <= b.first;
  }
  if (!goes_on) {
    initiators_.erase(key_a);
    initiators_.erase(key_b);
  } else if (!known_a && !known_b && initiators_.size() < kRememberedMax) {
    initiators_.insert(a_first ? key_a : key_b);
  }
  return a_first;
}

}  // namespace wiretally
