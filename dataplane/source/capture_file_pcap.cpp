// SPDX-License-Identifier: Apache-2.0
// See capture_file_pcap.hpp. HOT: one record is four loads, two compares and one view written; the
// next record's place depends on this one's length, so the octets ahead are prefetched blindly.
#include "dataplane/source/capture_file_pcap.hpp"

#include <algorithm>
#include <utility>

#include "dataplane/source/capture_file_order.hpp"

namespace wiretally {
namespace {

constexpr std::uint32_t kMagicMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kMagicNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kMagicKuznetzov = 0xa1b2cd34;
constexpr std::uint32_t kMicrosecondNs = 1000;

// The upper octets say whether frames end with an FCS, and how long it is.
constexpr std::uint32_t kLinkTypeMask = 0x0000ffff;

// Record header: seconds, fraction, captured octets, octets on the wire.
constexpr std::size_t kFractionAt = 4;
constexpr std::size_t kCapturedAt = 8;
constexpr std::size_t kWireAt = 12;

bool understand_magic(std::uint32_t magic, PcapFormat::Header& header) {
  switch (magic) {
    case kMagicMicroseconds:
      header.fraction_ns = kMicrosecondNs;
      return true;
    case kMagicNanoseconds:
      header.fraction_ns = 1;
      return true;
    case kMagicKuznetzov:
      header.fraction_ns = kMicrosecondNs;
      header.record_header_octets = 24;
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<PcapFormat::Header> PcapFormat::read_header(const std::uint8_t* octets) {
  Header header;
  const std::uint32_t magic = load_host32(octets);
  if (!understand_magic(magic, header)) {
    header.swapped = true;
    if (!understand_magic(__builtin_bswap32(magic), header)) return std::nullopt;
  }
  header.version_major = load_ordered16(octets + 4, header.swapped);
  header.version_minor = load_ordered16(octets + 6, header.swapped);
  header.link_type =
      static_cast<LinkType>(load_ordered32(octets + 20, header.swapped) & kLinkTypeMask);
  return header;
}

bool PcapFormat::Header::lengths_swapped() const {
  return version_major == 543 || (version_major == 2 && version_minor < 3);
}

bool PcapFormat::Header::lengths_perhaps_swapped() const {
  return version_major == 2 && version_minor == 3;
}

std::size_t PcapFormat::poll(ByteWindow& window, std::span<PacketView> views) {
  return header_.swapped ? poll_records<true>(window, views) : poll_records<false>(window, views);
}

template <bool kSwapped>
std::size_t PcapFormat::poll_records(ByteWindow& window, std::span<PacketView> views) {
  const std::size_t header_octets = header_.record_header_octets;
  const auto fraction_ns = static_cast<TimeNs>(header_.fraction_ns);
  // Where the captured length stands: the place the old writers swapped costs nothing here.
  const std::size_t captured_at = header_.lengths_swapped() ? kWireAt : kCapturedAt;
  const std::size_t wire_at = kCapturedAt + kWireAt - captured_at;
  const bool sort = header_.lengths_perhaps_swapped();
  const LinkType link_type = header_.link_type;
  const PortIndex port = port_;
  const std::uint8_t* at = window.begin();
  const std::uint8_t* const end = window.end();
  std::size_t count = 0;
  while (count < views.size()) {
    const auto left = static_cast<std::size_t>(end - at);
    if (left < header_octets) [[unlikely]] {
      octets_needed_ = header_octets;
      break;
    }
    __builtin_prefetch(at + kPrefetchOctets);
    PacketView& view = views[count];
    view.captured = load_ordered32(at + captured_at, kSwapped);
    view.wire_octets = load_ordered32(at + wire_at, kSwapped);
    if (sort) [[unlikely]]
      sort_lengths(view);
    if (view.captured > std::min<std::size_t>(left - header_octets, kCapturedOctetsMax))
        [[unlikely]] {
      octets_needed_ = header_octets + view.captured;
      if (view.captured > kCapturedOctetsMax)
        set_fault(CaptureFault::kCapturedLength, view.captured);
      break;
    }
    view.data = at + header_octets;
    view.time = static_cast<TimeNs>(load_ordered32(at, kSwapped)) * kNsPerSecond +
                static_cast<TimeNs>(load_ordered32(at + kFractionAt, kSwapped)) * fraction_ns;
    view.link_type = link_type;
    view.port = port;
    at += header_octets + view.captured;
    ++count;
  }
  window.consume_to(at);
  return count;
}

// Version 2.3: the captured length is the smaller one.
void PcapFormat::sort_lengths(PacketView& view) const {
  if (view.captured > view.wire_octets) std::swap(view.captured, view.wire_octets);
}

}  // namespace wiretally
