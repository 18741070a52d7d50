// SPDX-License-Identifier: Apache-2.0
// Sums of packets that were counted elsewhere (the kernel's maps) into the table: find or insert,
// overload rule and totals as for packets, but counters may be larger than a line's. Thread:
// worker.
#include <algorithm>
#include <array>
#include <limits>

#include "dataplane/flow/coarsen.hpp"
#include "dataplane/flow/count_table.hpp"

namespace wiretally {
namespace {

constexpr std::uint64_t kExtraMax = std::numeric_limits<std::int32_t>::max();

// As much of `rest` as one line can take: its octets, and a layer-2 surplus of 31 bits either way.
CountSum part_of(const CountSum& rest) {
  CountSum part = rest;
  part.packets = std::min<std::uint64_t>(rest.packets, std::numeric_limits<std::uint32_t>::max());
  part.octets = std::min(rest.octets, CountEntry::kOctetsMax);
  part.l2_octets = std::min(rest.l2_octets, part.octets + kExtraMax);
  part.octets = std::min(part.octets, part.l2_octets + kExtraMax);
  return part;
}

}  // namespace

void CountEntry::start(const FlowKey& flow, const CountSum& sum, std::int32_t extra,
                       std::uint8_t epoch_number) {
  key = flow;
  word = sum.octets | static_cast<std::uint64_t>(sum.tcp_flags & 0x0fff) << kFlagsShift |
         static_cast<std::uint64_t>(sum.tos) << kTosShift |
         static_cast<std::uint64_t>(epoch_number) << kEpochShift;
  packets = static_cast<std::uint32_t>(sum.packets);
  l2_extra = extra;
  first = sum.first;
  last = sum.last;
}

bool CountEntry::add(const CountSum& sum, std::int64_t extra) {
  const std::int64_t extra_sum = l2_extra + extra;
  const bool fits = octets() + sum.octets <= kOctetsMax && packets + sum.packets <= UINT32_MAX &&
                    extra_sum == static_cast<std::int32_t>(extra_sum);
  if (!fits) return false;
  word = (word + sum.octets) | static_cast<std::uint64_t>(sum.tcp_flags & 0x0fff) << kFlagsShift;
  packets += static_cast<std::uint32_t>(sum.packets);
  l2_extra = static_cast<std::int32_t>(extra_sum);
  first = std::min(first, sum.first);
  last = std::max(last, sum.last);
  return true;
}

bool CountTable::place_sum(const FlowKey& key, const CountSum& sum, std::uint64_t hash,
                           std::size_t entries_limit) {
  const auto extra =
      static_cast<std::int64_t>(sum.l2_octets) - static_cast<std::int64_t>(sum.octets);
  CountEntry* line = &lines_[hash >> index_shift_];
  for (const CountEntry* const end = line + kProbeMax; line != end; ++line) {
    if (!live(*line)) {
      if (segment_entries_ >= entries_limit) return false;
      line->start(key, sum, static_cast<std::int32_t>(extra), epoch_);
      if (attributes_ != nullptr) attributes_[line - arena_] = FlowAttributes{};  // not known
      ++segment_entries_;
      ++entries_;
      return true;
    }
    if (line->key == key && same_link(*line, nullptr) && line->add(sum, extra)) return true;
  }
  return false;
}

// As place_sum(), in the lines of the coarse rows; of a sum that fits a line.
bool CountTable::place_coarse(const FlowKey& key, const CountSum& sum, std::uint64_t hash,
                              std::size_t entries_limit, const FlowAttributes* ranges) {
  const auto extra =
      static_cast<std::int64_t>(sum.l2_octets) - static_cast<std::int64_t>(sum.octets);
  CountEntry* line = coarse_ + (hash >> (64 - coarse_log2_));
  for (const CountEntry* const end = line + kProbeMax; line != end; ++line) {
    const bool fresh = !live(*line);
    if (fresh) {
      if (coarse_entries_ >= entries_limit) return false;
      line->start(key, sum, static_cast<std::int32_t>(extra), epoch_);
      ++coarse_entries_;
      ++entries_;
    } else if (!(line->key == key) || !line->add(sum, extra)) {
      continue;
    }
    if (attributes_ == nullptr) return true;
    FlowAttributes& kept = attributes_[line - arena_];
    if (fresh) kept = FlowAttributes{};
    if (ranges != nullptr && fresh) kept = *ranges;
    if (ranges != nullptr && !fresh) kept.merge(*ranges);
    return true;
  }
  return false;
}

CoarseLevel CountTable::count_coarse_sum(const FlowKey& exact, const CountSum& sum,
                                         const FlowHash& hash, const FlowAttributes* ranges) {
  const CountSum part = part_of(sum);
  if (part.packets != sum.packets || part.octets != sum.octets || part.l2_octets != sum.l2_octets) {
    return add_to_row(exact, sum);  // a length that lies by gigabytes
  }
  coarse_touched_ = true;
  const std::size_t share = (std::size_t{1} << coarse_log2_) >> kCoarseShareLog2;
  // All keys, then all hashes: a flood of random keys asks for every level, and a key that is read
  // by the hash as soon as it is written waits for its stores, one level after the other.
  const std::array keys = {coarsen(exact, CoarseLevel::kNoPorts),
                           coarsen(exact, CoarseLevel::kDestinationHost),
                           coarsen(exact, CoarseLevel::kSourceHost)};
  static_assert(keys.size() == kCoarseLevels - 2, "all but the exact key and the last resort");
  std::array<std::uint64_t, keys.size()> hashes;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    hashes[i] = hash(keys[i]);
    prefetch_line(coarse_ + (hashes[i] >> (64 - coarse_log2_)));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (place_coarse(keys[i], sum, hashes[i], (i + 1) * share, ranges)) return keys[i].level();
  }
  return add_to_row(exact, sum);
}

CoarseLevel CountTable::add_to_row(const FlowKey& key, const CountSum& sum) {
  ProtocolRow& row = row_of(key);
  if (row.packets == 0) {
    row.first = sum.first;
    row.last = sum.last;
  }
  row.packets += sum.packets;
  row.octets += sum.octets;
  row.l2_octets += static_cast<std::int64_t>(sum.l2_octets);
  row.first = std::min(row.first, sum.first);
  row.last = std::max(row.last, sum.last);
  row.tcp_flags |= sum.tcp_flags;
  rows_used_ = true;
  return CoarseLevel::kProtocol;
}

CoarseLevel CountTable::place_sum_somewhere(const FlowKey& key, const CountSum& sum,
                                            const FlowHash& hash) {
  if (key.level() != CoarseLevel::kExact) return add_to_row(key, sum);
  if (entries_max_ == 0) return count_coarse_sum(key, sum, hash, nullptr);
  const std::uint64_t exact = hash(key);
  do {
    if (place_sum(key, sum, exact, segment_limit_)) return CoarseLevel::kExact;
  } while (grow());
  return count_coarse_sum(key, sum, hash, nullptr);
}

CoarseLevel CountTable::count_sum(const FlowKey& key, const CountSum& sum, const FlowHash& hash) {
  totals_.packets += sum.packets;
  totals_.octets += sum.octets;
  totals_.l2_octets += static_cast<std::int64_t>(sum.l2_octets);
  CoarseLevel coarsest = CoarseLevel::kExact;
  for (CountSum rest = sum; rest.packets != 0 || rest.octets != 0 || rest.l2_octets != 0;) {
    const CountSum part = part_of(rest);
    coarsest = std::max(coarsest, place_sum_somewhere(key, part, hash));
    rest.packets -= part.packets;
    rest.octets -= part.octets;
    rest.l2_octets -= part.l2_octets;
  }
  return coarsest;
}

}  // namespace wiretally
