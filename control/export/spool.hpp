// SPDX-License-Identifier: Apache-2.0
// Flow Records on disk, in order, within a bound: where a link leaves what its collector cannot be
// given now. Read, but not settled, records are handed out again after rewind() or a restart, so a
// record may come twice and none is missing that was appended.
//
// A folder with segments 00000001.spool, ... of entries of one size (checksum, flags, record, and
// the attributes if any are kept), a file `position` (how far the first segment is settled) and a
// file `lock`. What another version of the meter wrote is set aside, never guessed at. Nothing is
// synced: a killed process loses nothing, a machine without power the last seconds.
//
// Thread: one link thread. Errors: false and trouble(), never thrown.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>

#include "control/export/record_queue.hpp"
#include "control/merge/flow_record.hpp"

namespace wiretally {

class Spool {
 public:
  Spool(std::string folder, std::uint64_t octets_max);
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;
  ~Spool();

  // Takes the folder over and finds what an earlier run left: stored() records. False: another
  // process or link has it, or the disk refuses; may be tried again.
  bool open();
  [[nodiscard]] bool is_open() const { return lock_ >= 0; }
  void close();

  // Puts records behind all others; returns how many of them, from the first, found room.
  std::size_t append(std::span<const FlowRecord> records);
  // The next at most `max` records that were not read yet. Null: none, or the disk refuses.
  RecordBatchPtr read(std::size_t max);
  // The oldest `records` of those read are done with.
  void settle(std::uint64_t records);
  // What was read and is not settled is unread again.
  void rewind();

  // Records of an earlier run that open() found and could not read back.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] std::uint64_t stored() const { return unread_.records + read_.records; }
  [[nodiscard]] std::uint64_t unread() const { return unread_.records; }
  [[nodiscard]] const RecordSum& unread_sum() const { return unread_; }
  [[nodiscard]] std::uint64_t handed_out() const { return read_.records; }  // and not settled
  [[nodiscard]] std::uint64_t octets() const { return octets_; }
  [[nodiscard]] bool is_full() const { return full_; }  // the last append() had to leave some
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  struct Segment {
    std::uint64_t number = 0;
    std::size_t entry_octets = 0;
    std::uint64_t entries = 0;
    std::uint64_t settled = 0;  // entries at its front
  };
  struct Place {
    std::size_t segment = 0;  // index
    std::uint64_t entry = 0;
  };

  [[nodiscard]] std::string path_of(std::uint64_t number) const;
  void recover();
  void recover_segment(std::uint64_t number, std::uint64_t settled, bool last);
  void complain(const std::string& what);
  void keep_damaged(std::uint64_t number, std::uint64_t lost);
  void set_aside(std::uint64_t number);
  bool begin_segment(std::size_t entry_octets);
  std::size_t append_run(std::span<const FlowRecord> records, std::size_t entry_octets);
  bool open_for_reading(std::uint64_t number);
  void remove_first_segment();
  void save_position();
  bool fail(const std::string& what);

  const std::string folder_;
  const std::uint64_t octets_max_;
  const std::uint64_t segment_octets_;
  std::deque<Segment> segments_;
  std::uint64_t next_number_ = 1;
  Place next_read_;
  RecordSum unread_;
  RecordSum read_;
  std::deque<RecordSlice> handed_out_;  // the records of read_
  std::uint64_t octets_ = 0;            // of all segments
  std::uint64_t lost_ = 0;
  bool full_ = false;
  int lock_ = -1;
  int position_ = -1;
  int writer_ = -1;  // the last segment
  int reader_ = -1;
  std::uint64_t reader_number_ = 0;
  std::string trouble_;
};

}  // namespace wiretally
