// SPDX-License-Identifier: Apache-2.0
// Taken records to encoded datagrams, a round of up to 32 at a time, each with the way back: what
// the encoder, the announcements and the cursor in the records were before it. commit() keeps the
// datagrams that went out and goes back to the first that did not, so nothing is lost or sent twice
// when the kernel takes only some of a round. Thread: one link thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "control/export/biflow.hpp"
#include "control/export/message_encoder.hpp"
#include "control/export/record_queue.hpp"

namespace wiretally {

class MessageBatch {
 public:
  static constexpr std::size_t kMessagesMax = 32;

  struct Message {
    std::span<const std::uint8_t> octets;
    RecordTally tally;
    RecordSum filtered;
    bool completes_announcements = false;
  };

  MessageBatch(std::unique_ptr<MessageEncoder> encoder,
               std::function<bool(const FlowRecord&)> accepts, std::size_t datagram_octets_max,
               bool biflow = false);

  // Announce everything again from the next message on.
  void announce();
  // The same, and the sequence counts from 0: another file, or another connection.
  void begin_session();
  [[nodiscard]] bool announcing() const { return announce_next_ < encoder_->announcements(); }

  [[nodiscard]] bool has_no_announcements() const { return encoder_->announcements() == 0; }

  // Records in hand: added by the link, not yet in a committed message.
  void add(std::vector<RecordSlice> slices, SteadyNs now = 0);
  // Of a biflow layout: records that wait for their other direction are not in hand yet.
  void release(SteadyNs now, bool all);
  [[nodiscard]] std::uint64_t held() const { return matcher_ ? matcher_->held() : 0; }
  [[nodiscard]] SteadyNs held_until() const { return matcher_ ? matcher_->due_at() : kNever; }
  [[nodiscard]] std::uint64_t in_hand() const { return in_hand_; }
  // Forgets the records in hand and held; returns their sum.
  RecordSum discard();
  // The same, but they are handed back, oldest first, and the sequence begins anew.
  std::vector<RecordSlice> take_back();

  // From the next message on.
  void set_filter(std::function<bool(const FlowRecord&)> accepts) { accepts_ = std::move(accepts); }
  void set_datagram_limit(std::size_t octets) { limit_ = octets; }
  [[nodiscard]] std::size_t datagram_limit() const { return limit_; }
  [[nodiscard]] std::size_t records_in_datagram() const { return encoder_->records_in(limit_); }

  // Encodes announcements that are due, then records, at most `max` messages. `keep_partial`: more
  // records are coming, so a last message that is not full stays in hand.
  void build(TimeNs now, std::size_t max, bool keep_partial);
  // One message only: announcements if this version has any, else records.
  void build_probe(TimeNs now);
  // Announcements without records.
  void build_announcements(TimeNs now);
  [[nodiscard]] const std::vector<Message>& messages() const { return messages_; }
  // The records of a message that is not committed yet, also those that it leaves out.
  [[nodiscard]] std::vector<RecordSlice> records_of(std::size_t message) const;
  // The first `sent` messages are out (or given up); go back to the one after. A message of 0
  // octets holds only records that are not sent; it needs no datagram.
  void commit(std::size_t sent);

 private:
  struct Cursor {
    std::size_t slice = 0;
    std::size_t record = 0;  // within the slice
  };
  struct Before {  // the way back
    EncoderPosition position;
    Cursor cursor;
    std::size_t announce_next = 0;
    std::uint64_t in_hand = 0;
  };

  void put_in_hand(std::vector<RecordSlice> slices);
  [[nodiscard]] std::vector<RecordSlice> between(Cursor from, Cursor to) const;
  [[nodiscard]] Before here() const;
  void go_back(const Before& before);
  bool encode_message(TimeNs now, bool with_records);
  bool add_records(Message& message);
  std::span<const FlowRecord> accepted_run(Message& message);
  void advance(std::size_t records);
  void forget_used_slices();

  std::unique_ptr<MessageEncoder> encoder_;
  std::function<bool(const FlowRecord&)> accepts_;
  std::unique_ptr<BiflowMatcher> matcher_;  // null: uniflows
  std::size_t limit_;
  std::size_t announce_next_ = 0;
  std::vector<RecordSlice> hand_;
  Cursor cursor_;
  std::uint64_t in_hand_ = 0;
  std::vector<std::uint8_t> arena_;  // kMessagesMax datagrams
  std::size_t arena_stride_;
  std::vector<Message> messages_;
  std::vector<Before> before_;  // of each message
};

}  // namespace wiretally
