// SPDX-License-Identifier: Apache-2.0
// See collector_slot.hpp.
#include "control/collector_slot.hpp"

#include <utility>

namespace wiretally {
namespace {

void add(const SinkAccount& part, SinkAccount& sum) {
  sum.offered += part.offered;
  sum.delivered += part.delivered;
  sum.queued += part.queued;
  sum.datagrams += part.datagrams;
  sum.send_errors += part.send_errors;
  if (sum.dropped.empty()) sum.dropped.resize(part.dropped.size());
  for (std::size_t i = 0; i < part.dropped.size(); ++i) {
    sum.dropped[i].reason = part.dropped[i].reason;
    sum.dropped[i].records += part.dropped[i].records;
  }
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
  if (link_ != nullptr) link_->offer(batch);
}

SinkAccount CollectorSlot::account() const {
  const std::lock_guard lock(mutex_);
  SinkAccount sum = past_;
  for (const Leaving& leaving : leaving_) add(leaving.link->account(), sum);
  if (link_ == nullptr) {
    sum.state = leaving_.empty() ? "removed" : "leaving";
    return sum;
  }
  const SinkAccount now = link_->account();
  add(now, sum);
  sum.state = now.state;
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
