// SPDX-License-Identifier: Apache-2.0
// Traffic from memory: which flow comes next (a FlowStream), and its frame (a FrameArena of real
// Ethernet frames). A stream is drawn on the fly, so a run over ten million flows meets all of
// them; drawing and writing frames is never timed. The arena holds as many frames as a NIC ring
// with its headers in the last-level cache would: 8192 frames a slot of 128 octets, 1 MiB, written
// anew before each timed piece. Thread: the bench's only one.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/packet/packet_view.hpp"

namespace wiretally::perf {

enum class Pattern : std::uint8_t {
  kUniform,  // every packet of a random flow: the worst for caches
  kZipf,     // exponent 1.0
  kTrains,   // runs of one flow, geometric, 8 packets in the mean; flows uniform
  kChurn,    // uniform; a tenth of the flows ends each second (10G of 64-octet frames) for new ones
  kNew,      // every packet a flow never seen before: a flood
};
Pattern pattern_of(std::string_view name);  // throws std::invalid_argument
std::string_view name_of(Pattern pattern);
// Flows of the pattern never end: a table can hold all of them before the first slice.
constexpr bool is_resident(Pattern pattern) {
  return pattern != Pattern::kNew && pattern != Pattern::kChurn;
}
// A 10G port with frames of 64 octets: what a worker counts between two ticks.
inline constexpr std::uint64_t kPacketsPerSecond10G = 14'880'000;

class FlowStream {
 public:
  FlowStream(Pattern pattern, std::uint32_t flows, std::uint64_t seed);
  std::uint32_t next();

 private:
  std::uint64_t draw();
  std::uint32_t zipf();
  std::uint32_t uniform() {
    return static_cast<std::uint32_t>((static_cast<unsigned __int128>(draw()) * flows_) >> 64);
  }

  Pattern pattern_;
  std::uint32_t flows_;
  std::uint64_t state_;
  std::uint32_t current_ = 0;
  std::uint64_t drawn_ = 0;
};

struct FrameMix {
  unsigned ipv6_percent = 20;  // of flows; half of all flows are UDP, half TCP
  bool imix = false;           // 64, 594 and 1518 octets, 7:4:1; else 64 (IPv6 with TCP: 78)
  // Not empty: IPv4 and UDP; the bits of a flow's number add these up to its source address and
  // ports (tests/support/linear_hash.hpp).
  std::vector<std::uint64_t> crafted;
  bool encapsulated = false;  // two tags and two MPLS labels before the IP header
};

class FrameArena {
 public:
  static constexpr std::size_t kFrames = 8192;

  FrameArena();
  // Writes the next kFrames frames of the stream.
  void fill(FlowStream& stream, const FrameMix& mix);
  // Writes the frames of flows first, first + 1, ... (to fill a table); returns as many views.
  std::span<const PacketView> fill_range(std::uint32_t first, std::size_t count,
                                         const FrameMix& mix);
  [[nodiscard]] std::span<const PacketView> views() const { return views_; }

 private:
  static constexpr std::size_t kSlotOctets = 128;
  void write(std::size_t slot, std::uint32_t flow, const FrameMix& mix);

  std::vector<std::uint8_t> octets_;
  std::uint8_t* first_slot_;
  std::vector<PacketView> views_;
};

}  // namespace wiretally::perf
