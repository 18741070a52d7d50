// SPDX-License-Identifier: Apache-2.0
// See message_batch.hpp. Thread: one link thread.
#include "control/export/message_batch.hpp"

#include <algorithm>

namespace wiretally {

MessageBatch::MessageBatch(std::unique_ptr<MessageEncoder> encoder,
                           std::function<bool(const FlowRecord&)> accepts,
                           std::size_t datagram_octets_max, bool biflow)
    : encoder_(std::move(encoder)),
      accepts_(std::move(accepts)),
      matcher_(biflow ? std::make_unique<BiflowMatcher>() : nullptr),
      limit_(datagram_octets_max),
      announce_next_(encoder_->announcements()),
      arena_(datagram_octets_max * kMessagesMax),
      arena_stride_(datagram_octets_max) {
  messages_.reserve(kMessagesMax);
  before_.reserve(kMessagesMax);
}

void MessageBatch::announce() {
  announce_next_ = 0;
}

void MessageBatch::begin_session() {
  encoder_->rewind({});
  announce();
}

void MessageBatch::add(std::vector<RecordSlice> slices, SteadyNs now) {
  put_in_hand(matcher_ ? matcher_->match(std::move(slices), now) : std::move(slices));
}

void MessageBatch::release(SteadyNs now, bool all) {
  if (matcher_) put_in_hand(matcher_->release(now, all));
}

void MessageBatch::put_in_hand(std::vector<RecordSlice> slices) {
  for (RecordSlice& slice : slices) {
    in_hand_ += slice.size();
    hand_.push_back(std::move(slice));
  }
}

RecordSum MessageBatch::discard() {
  release(kNever, true);
  const RecordSum records = sum_of(between(cursor_, {hand_.size(), 0}));
  hand_.clear();
  cursor_ = {};
  in_hand_ = 0;
  EncoderPosition position = encoder_->position();
  position.piece = 0;  // the rest of a v5 record goes with it
  encoder_->rewind(position);
  return records;
}

std::vector<RecordSlice> MessageBatch::take_back() {
  release(kNever, true);
  auto slices = between(cursor_, {hand_.size(), 0});
  discard();
  encoder_->rewind({});
  return slices;
}

std::vector<RecordSlice> MessageBatch::records_of(std::size_t message) const {
  const bool last = message + 1 == before_.size();
  return between(before_[message].cursor, last ? cursor_ : before_[message + 1].cursor);
}

std::vector<RecordSlice> MessageBatch::between(Cursor from, Cursor to) const {
  std::vector<RecordSlice> slices;
  for (std::size_t i = from.slice; i <= to.slice && i < hand_.size(); ++i) {
    const RecordSlice& whole = hand_[i];
    const std::size_t begin = i == from.slice ? from.record : 0;
    const std::size_t end = i == to.slice ? to.record : whole.size();
    if (begin < end) slices.push_back({whole.batch, whole.begin + begin, whole.begin + end});
  }
  return slices;
}

void MessageBatch::build(TimeNs now, std::size_t max, bool keep_partial) {
  messages_.clear();
  before_.clear();
  max = std::min(max, kMessagesMax);
  while (messages_.size() < max && (announcing() || in_hand_ > 0)) {
    const bool announced = announcing();
    const bool full = encode_message(now, true);
    if (keep_partial && !full && !announced && !messages_.back().octets.empty()) {
      go_back(before_.back());
      messages_.pop_back();
      before_.pop_back();
      return;
    }
  }
}

void MessageBatch::build_probe(TimeNs now) {
  messages_.clear();
  before_.clear();
  if (encoder_->announcements() > 0) announce();
  if (announcing() || in_hand_ > 0) encode_message(now, !announcing());
}

void MessageBatch::build_announcements(TimeNs now) {
  messages_.clear();
  before_.clear();
  while (messages_.size() < kMessagesMax && announcing()) encode_message(now, false);
}

// Appends a message; true if it is full.
bool MessageBatch::encode_message(TimeNs now, bool with_records) {
  before_.push_back(here());
  const auto buffer = std::span(arena_).subspan(messages_.size() * arena_stride_, limit_);
  Message message;
  encoder_->begin(buffer, now);
  if (announcing()) {
    announce_next_ = encoder_->add_announcements(announce_next_);
    message.completes_announcements = !announcing();
  }
  const bool full = announcing() || (with_records && add_records(message));
  message.octets = buffer.first(encoder_->finish());
  messages_.push_back(message);
  return full;
}

// Data only after all that describes it. True if the message is full.
bool MessageBatch::add_records(Message& message) {
  while (in_hand_ > 0) {
    const auto run = accepted_run(message);
    if (run.empty()) continue;
    const std::size_t taken = encoder_->add_records(run, message.tally);
    advance(taken);
    if (taken < run.size()) return true;
  }
  return false;
}

// The longest run at the cursor that the filter lets through; steps over what it does not.
std::span<const FlowRecord> MessageBatch::accepted_run(Message& message) {
  const auto rest = hand_[cursor_.slice].records().subspan(cursor_.record);
  if (!accepts_) return rest;
  const auto first = std::find_if(rest.begin(), rest.end(), accepts_);
  const auto refused = static_cast<std::size_t>(first - rest.begin());
  message.filtered += sum_of(rest.first(refused));
  advance(refused);
  const auto end = std::find_if_not(first, rest.end(), accepts_);
  return rest.subspan(refused, static_cast<std::size_t>(end - first));
}

void MessageBatch::advance(std::size_t records) {
  cursor_.record += records;
  in_hand_ -= records;
  while (cursor_.slice < hand_.size() && cursor_.record == hand_[cursor_.slice].size()) {
    cursor_ = {cursor_.slice + 1, 0};
  }
}

void MessageBatch::commit(std::size_t sent) {
  if (sent < messages_.size()) go_back(before_[sent]);
  messages_.clear();
  before_.clear();
  forget_used_slices();
}

MessageBatch::Before MessageBatch::here() const {
  return {encoder_->position(), cursor_, announce_next_, in_hand_};
}

void MessageBatch::go_back(const Before& before) {
  encoder_->rewind(before.position);
  cursor_ = before.cursor;
  announce_next_ = before.announce_next;
  in_hand_ = before.in_hand;
}

void MessageBatch::forget_used_slices() {
  hand_.erase(hand_.begin(), hand_.begin() + static_cast<std::ptrdiff_t>(cursor_.slice));
  cursor_.slice = 0;
}

}  // namespace wiretally
