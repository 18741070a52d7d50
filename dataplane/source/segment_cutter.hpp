// SPDX-License-Identifier: Apache-2.0
// A frame that the card is still to cut into segments (TSO, GSO), shown as the packets that it
// becomes: each with the headers of the whole, its own length in the frame and in its IP header.
// Made for driver ebpf, whose kernel program hands such a frame up once. Thread: worker.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/packet/packet_view.hpp"

namespace wiretally {

struct Segments {
  std::uint32_t count = 1;
  std::uint32_t octets = 0;          // of every segment but the last, layer 2
  std::uint32_t network_offset = 0;  // of the IP header
};

class SegmentCutter {
 public:
  static constexpr std::size_t kHeadMax = 1028;

  SegmentCutter() : heads_(2 * kBurstMax) {}

  // `whole`: the head of the frame, and in wire_octets what all segments have together. At most
  // kBurstMax in a burst; its octets are copied. All earlier ones must have been shown.
  void take(const PacketView& whole, const Segments& segments);
  // The next segments of the frame taken last, as many as there is room for; how many. Called at
  // the beginning of a burst, when the views of the burst before are no longer looked at.
  std::size_t show(std::span<PacketView> views);

 private:
  using Head = std::array<std::uint8_t, kHeadMax>;
  static void set_length(Head& head, std::size_t captured, const Segments& segments,
                         std::uint32_t wire_octets);

  std::vector<Head> heads_;  // two a frame: of its segments, and of the last of them
  std::size_t place_ = 0;    // of the frame taken last
  PacketView segment_;       // all but the last
  PacketView last_;
  std::uint32_t left_ = 0;
};

}  // namespace wiretally
