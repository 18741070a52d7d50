// SPDX-License-Identifier: Apache-2.0
// Two copies of the head a frame, whatever the number of its segments. Thread: worker.
#include "dataplane/source/segment_cutter.hpp"

#include <algorithm>
#include <cstring>

namespace wiretally {

// IPv4: total length; IPv6: payload length. What the header cannot say (a segment has never more
// than 65,535 octets) is left to the frame's length.
void SegmentCutter::set_length(Head& head, std::size_t captured, const Segments& segments,
                               std::uint32_t wire_octets) {
  constexpr std::uint32_t kIpv6Header = 40;
  const std::size_t at = segments.network_offset;
  if (at == 0 || at + kIpv6Header > captured || wire_octets < at + kIpv6Header) return;
  const bool ipv6 = head[at] >> 4 == 6;
  const std::uint32_t octets =
      wire_octets - static_cast<std::uint32_t>(at) - (ipv6 ? kIpv6Header : 0);
  const std::size_t field = at + (ipv6 ? 4 : 2);
  head[field] = static_cast<std::uint8_t>(octets >> 8);
  head[field + 1] = static_cast<std::uint8_t>(octets);
}

void SegmentCutter::take(const PacketView& whole, const Segments& segments) {
  place_ = (place_ + 1) % kBurstMax;
  const std::size_t captured = std::min<std::size_t>(whole.captured, kHeadMax);
  const std::uint32_t before_last = (segments.count - 1) * segments.octets;
  segment_ = last_ = whole;
  segment_.wire_octets = segments.octets;
  last_.wire_octets = whole.wire_octets - std::min(before_last, whole.wire_octets);
  for (PacketView* view : {&segment_, &last_}) {
    Head& head = heads_[2 * place_ + (view == &last_ ? 1 : 0)];
    std::memcpy(head.data(), whole.data, captured);
    set_length(head, captured, segments, view->wire_octets);
    view->data = head.data();
    view->captured = std::min(static_cast<std::uint32_t>(captured), view->wire_octets);
  }
  left_ = segments.count;
}

std::size_t SegmentCutter::show(std::span<PacketView> views) {
  const std::size_t count = std::min<std::size_t>(left_, views.size());
  for (std::size_t i = 0; i < count; ++i) views[i] = --left_ == 0 ? last_ : segment_;
  return count;
}

}  // namespace wiretally
