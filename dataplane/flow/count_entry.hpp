// SPDX-License-Identifier: Apache-2.0
// One line of a count table: a Flow Key and what one epoch (a tick, seconds at most) added to it.
// 64 octets for IPv4 and IPv6 alike, so that a packet touches one cache line. Counters are as small
// as an epoch allows; a sum that would not fit makes a second entry of the same key (drain adds
// them up), so nothing ever wraps. Thread: worker while the epoch is filled, control after the
// flip.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/flow/flow_key.hpp"
#include "dataplane/packet/parsed_packet.hpp"

namespace wiretally {

// Many packets of one flow, counted elsewhere. Times are the table's units since its base.
struct CountSum {
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
  std::uint64_t l2_octets = 0;
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::uint16_t tcp_flags = 0;
  std::uint8_t tos = 0;
};

struct alignas(64) CountEntry {
  FlowKey key;
  // octets:36 | tcp_flags:12 | tos:8 | epoch:8 - one load tells whether the line is live, one store
  // adds octets and flags. The octets stay below 2^36 (has room), so an addition never leaves its
  // bits.
  std::uint64_t word;
  std::uint32_t packets;
  std::int32_t l2_extra;  // layer-2 octets minus layer-3 octets; negative where a header lies
  std::uint32_t first;    // epoch time units; smallest and largest stamp
  std::uint32_t last;

  static constexpr unsigned kFlagsShift = 36;
  static constexpr unsigned kTosShift = 48;
  static constexpr unsigned kEpochShift = 56;
  static constexpr std::uint64_t kOctetsMax = (std::uint64_t{1} << kFlagsShift) - 1;

  [[nodiscard]] std::uint8_t epoch() const {
    return static_cast<std::uint8_t>(word >> kEpochShift);
  }
  [[nodiscard]] std::uint64_t octets() const { return word & kOctetsMax; }
  [[nodiscard]] std::uint16_t tcp_flags() const { return (word >> kFlagsShift) & 0x0fff; }
  [[nodiscard]] std::uint8_t tos() const { return static_cast<std::uint8_t>(word >> kTosShift); }
  [[nodiscard]] std::int64_t l2_octets() const {
    return static_cast<std::int64_t>(octets()) + l2_extra;
  }

  void start(const FlowKey& flow, std::uint64_t octet_count, std::int32_t extra,
             const ParsedPacket& p, std::uint32_t packet_count, std::uint8_t epoch_number) {
    key = flow;
    word = octet_count | static_cast<std::uint64_t>(p.tcp_flags & 0x0fff) << kFlagsShift |
           static_cast<std::uint64_t>(p.tos) << kTosShift |
           static_cast<std::uint64_t>(epoch_number) << kEpochShift;
    packets = packet_count;
    l2_extra = extra;
    first = last = p.time_offset;
  }

  // The same of a sum, as far as it fits (count_sum.cpp).
  void start(const FlowKey& flow, const CountSum& sum, std::int32_t extra,
             std::uint8_t epoch_number);
  bool add(const CountSum& sum, std::int64_t extra);

  // Adds one packet; false, and nothing changed, if a counter has no room for it.
  bool add(const ParsedPacket& p, std::int64_t extra) {
    const std::int64_t extra_sum = l2_extra + extra;
    const bool fits = octets() + p.octets <= kOctetsMax && packets != UINT32_MAX &&
                      extra_sum == static_cast<std::int32_t>(extra_sum);
    if (!fits) [[unlikely]]
      return false;
    word = (word + p.octets) | static_cast<std::uint64_t>(p.tcp_flags & 0x0fff) << kFlagsShift;
    ++packets;
    l2_extra = static_cast<std::int32_t>(extra_sum);
    if (p.time_offset < first) first = p.time_offset;
    if (p.time_offset > last) last = p.time_offset;
    return true;
  }
};
static_assert(sizeof(CountEntry) == 64, "one packet touches one cache line");
static_assert(offsetof(CountEntry, word) == 40, "the key is compared as one piece");

}  // namespace wiretally
