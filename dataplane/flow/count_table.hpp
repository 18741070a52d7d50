// SPDX-License-Identifier: Apache-2.0
// The count table of one epoch: find or insert, add. Open addressing with linear probing over
// 64-octet lines, placed by the top bits of a keyed hash, so that a range of lines is a shard for
// the drain.
//
// It never deletes, resizes or clears: each epoch has a number, a line of another number is empty.
// An epoch opens a segment with 2 to 8 lines for each flow seen last time. A packet touches no more
// memory with many lines than with few, and finds a stranger in its place less often; but the drain
// walks them all. A segment that fills up is left as it is and a larger one goes on; a key may then
// stand in both, and the drain adds the two. Past the last segment's limits the overload rule
// applies.
//
// Thread: worker between open() and the flip; control after the flip until recycle() (see
// epoch.hpp). Memory: fixed at construction, 171 to 341 octets an entry (64 octets a line, 2 to 4
// lines an entry, a third more for the smaller segments), three times as much with attributes;
// freed by the destructor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/flow/count_entry.hpp"
#include "dataplane/flow/flow_attributes.hpp"
#include "dataplane/flow/flow_hash.hpp"
#include "dataplane/flow/key_compare.hpp"
#include "dataplane/packet/parsed_packet.hpp"
#include "dataplane/prefetch.hpp"

namespace wiretally {

// What counts were added in an epoch: the worker's own sum, against which the drain is held.
struct CountTotals {
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
  std::int64_t l2_octets = 0;

  friend bool operator==(const CountTotals&, const CountTotals&) = default;
};

// A row of the last resort: one per port, IP version and protocol, outside the table.
struct ProtocolRow {
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
  std::int64_t l2_octets = 0;
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::uint16_t tcp_flags = 0;
};

class CountTable {
 public:
  static constexpr unsigned kProbeMax = 128;  // lines looked at before a key is "without a place"
  static constexpr std::size_t kBatchMax = 256;  // packets counted in one call; indexes are octets
  static constexpr unsigned kSegmentMinLog2 = 10;
  // An epoch opens 2 MiB at least, which the drain walks in 0.2 ms: a thousand flows in 32 lines
  // each hardly meet, and count 1.3 times as fast as in two.
  static constexpr unsigned kSegmentOpenLog2 = 15;
  static constexpr unsigned kGrowLog2 = 2;  // the next segment has four times the lines
  static constexpr std::size_t kSegmentsMax = 16;

  // Coarse rows have lines of their own, few enough to stay in L2 (512 KiB at the most): a flood
  // that finds the table full looks at them three times a packet. Levels 1 to 3 may fill this share
  // of them each.
  static constexpr unsigned kCoarseMaxLog2 = 13;
  static constexpr unsigned kCoarseShareLog2 = 3;

  enum class Memory : std::uint8_t {
    kLazy,
    kPopulated
  };  // populated: no page fault while counting
  // kept: each line has its FlowAttributes, in an arena of their own beside the lines. keyed: their
  // MAC addresses are part of the key too, and of the hashes given (FlowHash::with_link).
  enum class Attributes : std::uint8_t { kNone, kKept, kKeyed };

  // Holds `entries` exact flows of `ports` ports. Throws std::bad_alloc if the memory cannot be
  // had. `instructions`: what the CPU has of them, or less.
  CountTable(std::size_t entries, std::size_t ports, Memory memory,
             Attributes attributes = Attributes::kNone,
             Instructions instructions = instructions_to_use());
  ~CountTable();
  CountTable(const CountTable&) = delete;
  CountTable& operator=(const CountTable&) = delete;

  // -- worker ------------------------------------------------------------------------------------
  // Begins an epoch. Time units are 2^time_shift ns after `base`; `flows_expected` sizes the
  // segment.
  void open(TimeNs base, unsigned time_shift, std::size_t flows_expected);
  [[nodiscard]] bool is_open() const { return segments_ != 0; }
  [[nodiscard]] TimeNs base() const { return base_; }
  [[nodiscard]] unsigned time_shift() const { return time_shift_; }

  // Asks for the line that count_all() will look at first. Before open(): harmless.
  void prefetch(std::uint64_t hash) const { prefetch_line(&lines_[hash >> index_shift_]); }
  [[nodiscard]] unsigned lines_log2() const { return 64 - index_shift_; }  // of the segment filled

  // Counts a burst of at most kBatchMax packets. The indexes of those that are new flows without an
  // exact place go to `unplaced`, in order; returns how many. They are not counted: flip (a
  // recording) or count_coarse() them (a live link). `attributes`: of each packet; a table that
  // keeps them must be given them.
  std::size_t count_all(std::span<const ParsedPacket> packets, const std::uint64_t* hashes,
                        std::uint8_t* unplaced, const FlowAttributes* attributes = nullptr) {
    return (this->*count_burst_)(packets, hashes, unplaced, attributes);
  }

  // The overload rule for one packet; always succeeds. Returns the level it was counted at.
  CoarseLevel count_coarse(const ParsedPacket& packet, const FlowHash& hash,
                           const FlowAttributes* attributes = nullptr);

  // Adds what was counted elsewhere (count_sum.cpp) under the same rules; a coarse key goes to its
  // row. Returns the level it was counted at.
  CoarseLevel count_sum(const FlowKey& key, const CountSum& sum, const FlowHash& hash);

  // -- control -----------------------------------------------------------------------------------
  struct Segment {
    const CountEntry* lines = nullptr;
    unsigned lines_log2 = 0;  // plus kProbeMax lines behind the last, for entries that slid there
  };
  [[nodiscard]] std::span<const Segment> segments() const {
    return {segment_, segments_ + (coarse_entries_ == 0 ? 0 : 1)};
  }
  [[nodiscard]] std::span<const ProtocolRow> protocol_rows() const {
    return rows_used_ ? std::span<const ProtocolRow>(rows_) : std::span<const ProtocolRow>();
  }
  [[nodiscard]] FlowKey protocol_row_key(std::size_t index) const;
  [[nodiscard]] bool live(const CountEntry& entry) const { return entry.epoch() == epoch_; }
  // Of a live line; nullptr if the table keeps none.
  [[nodiscard]] const FlowAttributes* attributes_of(const CountEntry& entry) const {
    return attributes_ == nullptr ? nullptr : &attributes_[&entry - arena_];
  }
  [[nodiscard]] bool link_keyed() const { return link_keyed_; }
  [[nodiscard]] TimeNs time_of(std::uint32_t offset) const {
    return base_ + static_cast<TimeNs>(static_cast<std::uint64_t>(offset) << time_shift_);
  }
  [[nodiscard]] const CountTotals& totals() const { return totals_; }
  [[nodiscard]] std::size_t entries() const { return entries_; }
  [[nodiscard]] std::size_t entries_max() const { return entries_max_; }
  // Forgets the epoch; the table may be opened again. Clears memory only when epoch numbers run
  // out.
  void recycle();

 private:
  enum class Look : std::uint8_t { kCounted, kGoOn, kFull };
  using CountBurst = std::size_t (CountTable::*)(std::span<const ParsedPacket>,
                                                 const std::uint64_t*, std::uint8_t*,
                                                 const FlowAttributes*);
  static CountBurst count_burst_with(Instructions instructions, Attributes attributes);
  template <Attributes kAttributes>
  std::size_t count_sse(std::span<const ParsedPacket> packets, const std::uint64_t* hashes,
                        std::uint8_t* unplaced, const FlowAttributes* attributes);
  template <Attributes kAttributes>
  std::size_t count_avx2(std::span<const ParsedPacket> packets, const std::uint64_t* hashes,
                         std::uint8_t* unplaced, const FlowAttributes* attributes);
  template <Attributes kAttributes>
  std::size_t count_avx512(std::span<const ParsedPacket> packets, const std::uint64_t* hashes,
                           std::uint8_t* unplaced, const FlowAttributes* attributes);
  template <Attributes kAttributes, class Compare>
  std::size_t count_burst(std::span<const ParsedPacket> packets, const std::uint64_t* hashes,
                          std::uint8_t* unplaced, const FlowAttributes* attributes);
  template <Attributes kAttributes, class Compare>
  Look look(CountEntry* line, const ParsedPacket& packet, const CountEntry* end,
            const FlowAttributes* attributes);
  std::size_t count_late(std::span<const ParsedPacket> packets, const std::uint64_t* hashes,
                         std::span<std::uint8_t> late, std::uint8_t* unplaced,
                         const FlowAttributes* attributes);
  bool count_one(const ParsedPacket& packet, std::uint64_t hash, const FlowAttributes* attributes);
  void insert(CountEntry* line, const CountEntry* end, const ParsedPacket& packet,
              std::int64_t extra, const FlowAttributes* attributes);
  void insert_rest(CountEntry* next, const CountEntry* end, const ParsedPacket& packet,
                   std::int64_t rest, const FlowAttributes* attributes);
  [[nodiscard]] bool same_link(const CountEntry& line, const FlowAttributes* attributes) const {
    return !link_keyed_ || attributes_[&line - arena_].same_link(attributes);
  }
  bool find_or_insert(const FlowKey& key, const ParsedPacket& packet, std::uint64_t hash,
                      std::size_t entries_limit, const FlowAttributes* attributes);
  void add_attributes(const CountEntry& line, const FlowAttributes& attributes);
  bool place_sum(const FlowKey& key, const CountSum& sum, std::uint64_t hash,
                 std::size_t entries_limit);
  CoarseLevel place_sum_somewhere(const FlowKey& key, const CountSum& sum, const FlowHash& hash);
  CoarseLevel count_coarse_sum(const FlowKey& exact, const CountSum& sum, const FlowHash& hash,
                               const FlowAttributes* ranges);
  bool place_coarse(const FlowKey& key, const CountSum& sum, std::uint64_t hash,
                    std::size_t entries_limit, const FlowAttributes* ranges);
  CoarseLevel add_to_row(const FlowKey& key, const CountSum& sum);
  void open_segment(unsigned lines_log2);
  bool grow();
  ProtocolRow& row_of(const FlowKey& key);
  void add_totals(std::span<const ParsedPacket> packets);

  CountEntry* lines_ = nullptr;  // the segment being filled
  unsigned index_shift_ = 64 - kSegmentMinLog2;
  std::uint8_t epoch_ = 1;
  bool rows_used_ = false;
  std::size_t segment_limit_ = 0;  // entries at which the segment is full
  std::size_t segment_entries_ = 0;
  std::size_t entries_ = 0;  // all segments
  CountTotals totals_;
  TimeNs base_ = 0;
  unsigned time_shift_ = 0;

  CountEntry* arena_ = nullptr;
  FlowAttributes* attributes_ = nullptr;  // one for each line of the arena, or none at all
  const bool link_keyed_;
  const CountBurst count_burst_;
  std::size_t arena_lines_ = 0;
  std::size_t arena_used_ = 0;     // lines given to segments of this epoch
  std::size_t arena_touched_ = 0;  // lines ever used: what a clear has to clear
  std::size_t entries_max_ = 0;
  unsigned last_log2_ = 0;        // size of the largest segment
  CountEntry* coarse_ = nullptr;  // at the end of the arena
  unsigned coarse_log2_ = 0;
  std::size_t coarse_entries_ = 0;
  bool coarse_touched_ = false;        // ever used: a clear has to clear it
  Segment segment_[kSegmentsMax + 1];  // behind the last one in use: the coarse rows
  std::size_t segments_ = 0;
  std::vector<ProtocolRow> rows_;
};

}  // namespace wiretally
