// SPDX-License-Identifier: Apache-2.0
// Counting: the worker's whole work on a parsed packet. Thread: see count_table.hpp.
#include "dataplane/flow/count_table.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

namespace wiretally {
namespace {

constexpr std::size_t kProtocols = 256;
constexpr std::int64_t kExtraMax = std::numeric_limits<std::int32_t>::max();

template <class Line>
Line* map_lines(std::size_t lines, CountTable::Memory memory) {
  const std::size_t octets = lines * sizeof(Line);
  void* p = mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();  // cold: at start
  // 2 MiB pages: at a million flows a 4 KiB page walk costs about as much as the line itself.
  madvise(p, octets, MADV_HUGEPAGE);
  if (memory == CountTable::Memory::kPopulated) std::memset(p, 0, octets);
  return static_cast<Line*>(p);
}

std::int64_t l2_extra_of(const ParsedPacket& packet) {
  return static_cast<std::int64_t>(packet.wire_octets) - static_cast<std::int64_t>(packet.octets);
}

}  // namespace

CountTable::CountTable(std::size_t entries, std::size_t ports, Memory memory, Attributes attributes,
                       Instructions instructions)
    : link_keyed_(attributes == Attributes::kKeyed),
      count_burst_(count_burst_with(instructions, attributes)),
      entries_max_(entries),
      rows_(ports * kIpVersions * kProtocols) {
  // At most half full, so that a packet looks at 1.5 lines at the most. Three quarters full would
  // be 2.5; at ten million flows 0.6 full instead of 0.3 made counting 1.5 times as slow.
  last_log2_ = std::max<unsigned>(kSegmentMinLog2,
                                  std::bit_width(std::max<std::size_t>(entries, 1) * 2 - 1));
  // Segments have last, last/4, last/16 ... lines: together below 4/3 of the last.
  const std::size_t last = std::size_t{1} << last_log2_;
  coarse_log2_ = std::min(last_log2_, kCoarseMaxLog2);
  const std::size_t exact_lines = last + last / 3 + kSegmentsMax * kProbeMax;
  arena_lines_ = exact_lines + (std::size_t{1} << coarse_log2_) + kProbeMax;
  lines_ = arena_ = map_lines<CountEntry>(arena_lines_, memory);
  coarse_ = arena_ + exact_lines;
  if (attributes != Attributes::kNone) {
    attributes_ = map_lines<FlowAttributes>(arena_lines_, memory);
  }
}

CountTable::~CountTable() {
  munmap(arena_, arena_lines_ * sizeof(CountEntry));
  if (attributes_ != nullptr) munmap(attributes_, arena_lines_ * sizeof(FlowAttributes));
}

void CountTable::open(TimeNs base, unsigned time_shift, std::size_t flows_expected) {
  base_ = base;
  time_shift_ = time_shift;
  const unsigned wanted = std::min(
      std::max<unsigned>(std::bit_width(2 * flows_expected), kSegmentOpenLog2), last_log2_);
  open_segment(wanted + (last_log2_ - wanted) % kGrowLog2);
}

void CountTable::open_segment(unsigned lines_log2) {
  const std::size_t lines = std::size_t{1} << lines_log2;
  lines_ = arena_ + arena_used_;
  arena_used_ += lines + kProbeMax;
  arena_touched_ = std::max(arena_touched_, arena_used_);
  index_shift_ = 64 - lines_log2;
  segment_entries_ = 0;
  // Half full is where a second line per packet starts to show; the last segment has no successor.
  segment_limit_ = lines_log2 == last_log2_ ? entries_max_ : lines / 2;
  segment_[segments_++] = {lines_, lines_log2};
  segment_[segments_] = {coarse_, coarse_log2_};
}

bool CountTable::grow() {
  const unsigned now = segment_[segments_ - 1].lines_log2;
  if (now == last_log2_) return false;
  open_segment(now + kGrowLog2);
  return true;
}

void CountTable::add_totals(std::span<const ParsedPacket> packets) {
  CountTotals sum{packets.size(), 0, 0};
  for (const ParsedPacket& packet : packets) {
    sum.octets += packet.octets;
    sum.l2_octets += packet.wire_octets;
  }
  totals_.packets += sum.packets;
  totals_.octets += sum.octets;
  totals_.l2_octets += sum.l2_octets;
}

// A new key takes an empty line. Inlined: a flood is all new keys.
inline void CountTable::insert(CountEntry* line, const CountEntry* end, const ParsedPacket& packet,
                               std::int64_t extra, const FlowAttributes* attributes) {
  const std::int64_t here = std::clamp(extra, -kExtraMax, kExtraMax);
  line->start(packet.key, packet.octets, static_cast<std::int32_t>(here), packet, 1, epoch_);
  ++segment_entries_;
  ++entries_;
  if (here != extra) [[unlikely]]
    insert_rest(line + 1, end, packet, extra - here, attributes);
}

// A layer-2 surplus beyond 31 bits (a length that lies) goes on in more lines of the same key,
// without packets, and at the worst in its protocol row.
[[gnu::noinline]] void CountTable::insert_rest(CountEntry* next, const CountEntry* end,
                                               const ParsedPacket& packet, std::int64_t rest,
                                               const FlowAttributes* attributes) {
  const FlowKey& key = packet.key;
  for (; rest != 0 && next != end; ++next) {
    if (live(*next)) continue;
    const std::int64_t part = std::clamp(rest, -kExtraMax, kExtraMax);
    next->start(key, 0, static_cast<std::int32_t>(part), packet, 0, epoch_);
    if (attributes_ != nullptr) attributes_[next - arena_] = attributes->link_only();
    ++segment_entries_;
    ++entries_;
    rest -= part;
  }
  if (rest == 0) return;
  row_of(key).l2_octets += rest;
  rows_used_ = true;
}

// The line has just taken the packet in: as its first, or as one more.
void CountTable::add_attributes(const CountEntry& line, const FlowAttributes& attributes) {
  FlowAttributes& kept = attributes_[&line - arena_];
  if (line.packets == 1) {
    kept = attributes;
  } else {
    kept.merge(attributes);
  }
}

bool CountTable::find_or_insert(const FlowKey& key, const ParsedPacket& packet, std::uint64_t hash,
                                std::size_t entries_limit, const FlowAttributes* attributes) {
  const std::int64_t extra = l2_extra_of(packet);
  CountEntry* line = &lines_[hash >> index_shift_];
  const CountEntry* const end = line + kProbeMax;
  for (; line != end; ++line) {
    if (!live(*line)) {
      if (segment_entries_ >= entries_limit) return false;
      insert(line, end, packet, extra, attributes);
    } else if (!(line->key == key) || !same_link(*line, attributes) || !line->add(packet, extra)) {
      continue;
    }
    if (attributes != nullptr) add_attributes(*line, *attributes);
    return true;
  }
  return false;
}

bool CountTable::count_one(const ParsedPacket& packet, std::uint64_t hash,
                           const FlowAttributes* attributes) {
  while (!find_or_insert(packet.key, packet, hash, segment_limit_, attributes)) {
    if (!grow()) return false;
  }
  return true;
}

// One look at one line.
template <CountTable::Attributes kAttributes, class Compare>
inline CountTable::Look CountTable::look(CountEntry* line, const ParsedPacket& packet,
                                         const CountEntry* end, const FlowAttributes* attributes) {
  const std::int64_t extra = l2_extra_of(packet);
  if (live(*line)) [[likely]] {
    if constexpr (kAttributes == Attributes::kKeyed) {
      if (!same_link(*line, attributes)) return Look::kGoOn;
    }
    return Compare::same(line->key, packet.key) && line->add(packet, extra) ? Look::kCounted
                                                                            : Look::kGoOn;
  }
  if (segment_entries_ >= segment_limit_) return Look::kFull;
  insert(line, end, packet, extra, attributes);
  return Look::kCounted;
}

// In rounds: all packets look at the line their hash names, which prefetch() has asked for; those
// that find a stranger there ask for the next line and look again when every other packet has
// had its turn, so that a probe costs a burst, not a packet, the wait for memory. Packets of one
// key stay in step and in order.
template <CountTable::Attributes kAttributes, class Compare>
inline std::size_t CountTable::count_burst(std::span<const ParsedPacket> packets,
                                           const std::uint64_t* hashes, std::uint8_t* unplaced,
                                           const FlowAttributes* attributes) {
  std::array<std::uint8_t, kBatchMax> waiting;
  std::array<std::uint8_t, kBatchMax> late;
  std::size_t waiting_size = 0;
  std::size_t late_size = 0;
  const auto place = [&](std::size_t i, std::size_t round) {
    CountEntry* home = &lines_[hashes[i] >> index_shift_];
    const FlowAttributes* own = kAttributes == Attributes::kNone ? nullptr : attributes + i;
    const Look seen = look<kAttributes, Compare>(home + round, packets[i], home + kProbeMax, own);
    if (seen == Look::kCounted) [[likely]] {
      if constexpr (kAttributes != Attributes::kNone) add_attributes(home[round], *own);
      return;
    }
    if (seen == Look::kFull) {
      late[late_size++] = static_cast<std::uint8_t>(i);
      return;
    }
    prefetch_line(home + round + 1);
    waiting[waiting_size++] = static_cast<std::uint8_t>(i);
  };
  for (std::size_t i = 0; i < packets.size(); ++i) place(i, 0);
  for (std::size_t round = 1; waiting_size != 0 && round < kProbeMax; ++round) {
    const std::size_t size = std::exchange(waiting_size, 0);
    for (std::size_t j = 0; j < size; ++j) place(waiting[j], round);
  }
  add_totals(packets);
  if (waiting_size + late_size == 0) [[likely]]
    return 0;
  std::copy_n(waiting.begin(), waiting_size, late.begin() + static_cast<std::ptrdiff_t>(late_size));
  return count_late(packets, hashes, {late.data(), late_size + waiting_size}, unplaced, attributes);
}

// The same for each set of instructions: everything is inlined (flatten), as only what is inlined
// is compiled for them.
template <CountTable::Attributes kAttributes>
std::size_t CountTable::count_sse(std::span<const ParsedPacket> packets,
                                  const std::uint64_t* hashes, std::uint8_t* unplaced,
                                  const FlowAttributes* attributes) {
  return count_burst<kAttributes, SseCompare>(packets, hashes, unplaced, attributes);
}

template <CountTable::Attributes kAttributes>
[[gnu::target("avx2,bmi,bmi2"), gnu::flatten]] std::size_t CountTable::count_avx2(
    std::span<const ParsedPacket> packets, const std::uint64_t* hashes, std::uint8_t* unplaced,
    const FlowAttributes* attributes) {
  return count_burst<kAttributes, Avx2Compare>(packets, hashes, unplaced, attributes);
}

template <CountTable::Attributes kAttributes>
[[gnu::target("avx512f,avx512vl,avx512bw,bmi,bmi2"), gnu::flatten]] std::size_t
CountTable::count_avx512(std::span<const ParsedPacket> packets, const std::uint64_t* hashes,
                         std::uint8_t* unplaced, const FlowAttributes* attributes) {
  return count_burst<kAttributes, Avx512Compare>(packets, hashes, unplaced, attributes);
}

CountTable::CountBurst CountTable::count_burst_with(Instructions instructions,
                                                    Attributes attributes) {
  const auto pick = [instructions]<Attributes kAttributes>() -> CountBurst {
    switch (instructions) {
      case Instructions::kAvx512:
        return &CountTable::count_avx512<kAttributes>;
      case Instructions::kAvx2:
        return &CountTable::count_avx2<kAttributes>;
      default:
        return &CountTable::count_sse<kAttributes>;
    }
  };
  switch (attributes) {
    case Attributes::kKept:
      return pick.operator()<Attributes::kKept>();
    case Attributes::kKeyed:
      return pick.operator()<Attributes::kKeyed>();
    default:
      return pick.operator()<Attributes::kNone>();
  }
}

// What found no room in this segment: in a larger one, or nowhere.
[[gnu::noinline]] std::size_t CountTable::count_late(std::span<const ParsedPacket> packets,
                                                     const std::uint64_t* hashes,
                                                     std::span<std::uint8_t> late,
                                                     std::uint8_t* unplaced,
                                                     const FlowAttributes* attributes) {
  std::sort(late.begin(), late.end());
  std::size_t size = 0;
  for (const std::uint8_t i : late) {
    const FlowAttributes* own = attributes == nullptr ? nullptr : attributes + i;
    if (count_one(packets[i], hashes[i], own)) continue;
    unplaced[size++] = i;
    --totals_.packets;
    totals_.octets -= packets[i].octets;
    totals_.l2_octets -= packets[i].wire_octets;
  }
  return size;
}

// The overload rule. A row of many flows has no first packet, so of attributes only ranges.
CoarseLevel CountTable::count_coarse(const ParsedPacket& packet, const FlowHash& hash,
                                     const FlowAttributes* attributes) {
  FlowAttributes ranges;
  if (attributes_ != nullptr) ranges = attributes->ranges_only();
  add_totals({&packet, 1});
  return count_coarse_sum(packet.key,
                          {1, packet.octets, packet.wire_octets, packet.time_offset,
                           packet.time_offset, packet.tcp_flags, packet.tos},
                          hash, attributes_ == nullptr ? nullptr : &ranges);
}

ProtocolRow& CountTable::row_of(const FlowKey& key) {
  const auto version = static_cast<std::size_t>(key.ip_version());
  const auto port = static_cast<std::size_t>(key.port);
  return rows_[(port * kIpVersions + version) * kProtocols + key.protocol];
}

FlowKey CountTable::protocol_row_key(std::size_t index) const {
  FlowKey key;
  key.protocol = static_cast<std::uint8_t>(index % kProtocols);
  key.port = static_cast<PortIndex>(index / kProtocols / kIpVersions);
  key.set_kind(static_cast<IpVersion>(index / kProtocols % kIpVersions), CoarseLevel::kProtocol);
  return key;
}

void CountTable::recycle() {
  if (rows_used_) std::fill(rows_.begin(), rows_.end(), ProtocolRow{});
  rows_used_ = false;
  segments_ = 0;
  segment_entries_ = entries_ = arena_used_ = coarse_entries_ = 0;
  totals_ = {};
  if (++epoch_ != 0) return;
  // 255 epochs have passed: old lines could be taken for live ones. Once in about four minutes of
  // ticks.
  std::memset(static_cast<void*>(arena_), 0, arena_touched_ * sizeof(CountEntry));
  arena_touched_ = 0;
  if (coarse_touched_) {
    std::memset(static_cast<void*>(coarse_), 0,
                ((std::size_t{1} << coarse_log2_) + kProbeMax) * sizeof(CountEntry));
  }
  coarse_touched_ = false;
  epoch_ = 1;
}

}  // namespace wiretally
