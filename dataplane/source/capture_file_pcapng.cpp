// SPDX-License-Identifier: Apache-2.0
// See capture_file_pcapng.hpp. Every block: type, length, body, the length again (section 3.1).
#include "dataplane/source/capture_file_pcapng.hpp"

#include <algorithm>
#include <limits>

#include "dataplane/source/capture_file_order.hpp"

namespace wiretally {
namespace {

// Block types (section 11.1).
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kObsoletePacket = 2;
constexpr std::uint32_t kSimplePacket = 3;
constexpr std::uint32_t kEnhancedPacket = 6;

constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint16_t kVersionMajor = 1;

constexpr std::size_t kBlockHeadOctets = 8;  // type, length
constexpr std::size_t kTrailerOctets = 4;
constexpr std::size_t kBlockOctetsMin = kBlockHeadOctets + kTrailerOctets;

// Enhanced and obsolete Packet Block: interface, stamp (high, low), captured, on the wire, octets.
constexpr std::size_t kPacketStampAt = 12;
constexpr std::size_t kPacketCapturedAt = 20;
constexpr std::size_t kPacketWireAt = 24;
constexpr std::size_t kPacketDataAt = 28;
constexpr std::size_t kPacketOctetsMin = kPacketDataAt + kTrailerOctets;

// Simple Packet Block: octets on the wire, octets.
constexpr std::size_t kSimpleDataAt = 12;
constexpr std::size_t kSimpleOctetsMin = kSimpleDataAt + kTrailerOctets;

// Interface Description Block: link type, reserved, snap length, options.
constexpr std::size_t kInterfaceOptionsAt = 16;
constexpr std::size_t kInterfaceOctetsMin = kInterfaceOptionsAt + kTrailerOctets;
constexpr std::uint16_t kOptionEnd = 0;
constexpr std::uint16_t kOptionResolution = 9;
constexpr std::uint16_t kOptionOffset = 14;

constexpr std::size_t padded(std::size_t octets) {
  return (octets + 3) & ~std::size_t{3};
}

}  // namespace

void PcapngClock::set_resolution(std::uint8_t tsresol) {
  tsresol_ = tsresol;
  multiplier_ = 1;
  for (unsigned n = tsresol; n < kNanoseconds; ++n) multiplier_ *= 10;
  plain_ = tsresol <= kNanoseconds && offset_s_ == 0;
}

void PcapngClock::set_offset_s(std::int64_t seconds) {
  offset_s_ = seconds;
  set_resolution(tsresol_);
}

TimeNs PcapngClock::to_ns_slowly(std::uint64_t stamp) const {
  using Wide = __int128;
  Wide ns = stamp;
  const unsigned digits = tsresol_ & ~kBinary;
  if ((tsresol_ & kBinary) != 0) {
    ns = ns * kNsPerSecond >> digits;  // below 2^94 before the shift; digits is below 128
  } else if (digits <= kNanoseconds) {
    ns *= multiplier_;
  } else {
    for (unsigned n = kNanoseconds; n < digits && ns > 0; ++n) ns /= 10;
  }
  ns += static_cast<Wide>(offset_s_) * kNsPerSecond;
  using Limits = std::numeric_limits<TimeNs>;
  return static_cast<TimeNs>(std::clamp<Wide>(ns, Limits::min(), Limits::max()));
}

std::uint16_t PcapngFormat::u16(const std::uint8_t* p) const {
  return load_ordered16(p, swapped_);
}
std::uint32_t PcapngFormat::u32(const std::uint8_t* p) const {
  return load_ordered32(p, swapped_);
}
std::uint64_t PcapngFormat::u64(const std::uint8_t* p) const {
  return load_ordered64(p, swapped_);
}

bool PcapngFormat::fail(CaptureFault fault, std::uint32_t value) {
  set_fault(fault, value);
  return false;
}

std::size_t PcapngFormat::poll(ByteWindow& window, std::span<PacketView> views) {
  const std::uint8_t* at = window.begin();
  std::size_t count = 0;
  while (count < views.size()) {
    const Step step = next_block(at, window.end(), views[count]);
    if (step == Step::kStop) break;
    if (step == Step::kPacket) ++count;
  }
  window.consume_to(at);
  return count;
}

// One block: a packet into `view`, something else into our state, or stop (more octets, or a
// fault). Moves `at` behind what is done with; a block that stops us stays.
PcapngFormat::Step PcapngFormat::next_block(const std::uint8_t*& at, const std::uint8_t* end,
                                            PacketView& view) {
  if (skip_octets_ > 0) [[unlikely]]
    return skip(at, end);
  Block block;
  const auto left = static_cast<std::size_t>(end - at);
  if (!read_block_head(at, left, block)) return Step::kStop;
  __builtin_prefetch(at + kPrefetchOctets);
  bool good = false;
  switch (block.type) {
    case kEnhancedPacket:
    case kObsoletePacket:
      good = hold_whole(block, left, kPacketOctetsMin) && read_packet(block, view);
      break;
    case kSimplePacket:
      good = hold_whole(block, left, kSimpleOctetsMin) && read_simple_packet(block, view);
      break;
    case kSectionHeaderType:
      if (!hold_whole(block, left, kSectionHeaderOctetsMin) || !begin_section(block))
        return Step::kStop;
      at += block.octets;
      return Step::kDone;
    case kInterfaceDescription:
      if (!hold_whole(block, left, kInterfaceOctetsMin) || !describe_interface(block))
        return Step::kStop;
      at += block.octets;
      return Step::kDone;
    default:
      skip_octets_ = block.octets;
      skip_length_ = block.length;
      return skip(at, end);
  }
  if (!good) return Step::kStop;
  at += block.octets;
  return Step::kPacket;
}

PcapngFormat::Step PcapngFormat::skip(const std::uint8_t*& at, const std::uint8_t* end) {
  const auto left = static_cast<std::uint64_t>(end - at);
  const std::uint64_t body = std::min(left, skip_octets_ - kTrailerOctets);
  at += body;
  skip_octets_ -= body;
  octets_needed_ = kTrailerOctets;
  if (skip_octets_ > kTrailerOctets || left - body < kTrailerOctets) return Step::kStop;
  if (u32(at) != skip_length_) {
    set_fault(CaptureFault::kBlockTrailer, u32(at));
    return Step::kStop;
  }
  at += kTrailerOctets;
  skip_octets_ = 0;
  return Step::kDone;
}

// A section header says in which order it, and what follows, is written. Its type reads the same in
// both; its length does not.
bool PcapngFormat::read_block_head(const std::uint8_t* at, std::size_t left, Block& block) {
  octets_needed_ = kBlockOctetsMin;
  if (left < kBlockOctetsMin) return false;
  block.at = at;
  block.type = u32(at);
  if (block.type == kSectionHeaderType) [[unlikely]] {
    const std::uint32_t magic = load_host32(at + kBlockHeadOctets);
    if (magic != kByteOrderMagic && magic != __builtin_bswap32(kByteOrderMagic))
      return fail(CaptureFault::kSectionHeader, magic);
    swapped_ = magic != kByteOrderMagic;
  }
  block.length = u32(at + 4);
  if (block.length < kBlockOctetsMin) return fail(CaptureFault::kBlockLength, block.length);
  block.octets = padded(block.length);  // some writers leave the padding out of the length
  return true;
}

bool PcapngFormat::hold_whole(const Block& block, std::size_t left, std::size_t octets_min) {
  if (block.length < octets_min || block.octets > kBlockOctetsMax)
    return fail(CaptureFault::kBlockLength, block.length);
  octets_needed_ = block.octets;
  if (left < block.octets) return false;
  const std::uint32_t trailer = u32(block.at + block.octets - kTrailerOctets);
  if (trailer != block.length) return fail(CaptureFault::kBlockTrailer, trailer);
  return true;
}

bool PcapngFormat::read_packet(const Block& block, PacketView& view) {
  const std::uint8_t* const fields = block.at + kBlockHeadOctets;
  // The obsolete block has a 16-bit interface and a 16-bit drop counter where the newer has 32
  // bits.
  const std::uint32_t id = block.type == kEnhancedPacket ? u32(fields) : u16(fields);
  if (id >= interfaces_.size()) return fail(CaptureFault::kNoInterface, id);
  view.captured = u32(block.at + kPacketCapturedAt);
  if (view.captured > std::min<std::size_t>(block.octets - kPacketOctetsMin, kCapturedOctetsMax))
    return fail(CaptureFault::kCapturedLength, view.captured);
  const Interface& interface = interfaces_[id];
  const std::uint64_t stamp =
      std::uint64_t{u32(block.at + kPacketStampAt)} << 32 | u32(block.at + kPacketStampAt + 4);
  view.data = block.at + kPacketDataAt;
  view.wire_octets = u32(block.at + kPacketWireAt);
  view.time = interface.clock.to_ns(stamp);
  view.link_type = interface.link_type;
  view.port = port_;
  return true;
}

// No interface, captured length or time: it is interface 0, cut at its snap length, at time 0.
bool PcapngFormat::read_simple_packet(const Block& block, PacketView& view) {
  if (interfaces_.empty()) return fail(CaptureFault::kNoInterface, 0);
  const Interface& interface = interfaces_.front();
  view.wire_octets = u32(block.at + kBlockHeadOctets);
  view.captured = view.wire_octets;
  if (interface.snap_octets > 0) view.captured = std::min(view.captured, interface.snap_octets);
  if (view.captured > std::min<std::size_t>(block.octets - kSimpleOctetsMin, kCapturedOctetsMax))
    return fail(CaptureFault::kCapturedLength, view.captured);
  view.data = block.at + kSimpleDataAt;
  view.time = 0;
  view.link_type = interface.link_type;
  view.port = port_;
  return true;
}

bool PcapngFormat::begin_section(const Block& block) {
  const std::uint16_t major = u16(block.at + kBlockOctetsMin);
  if (major != kVersionMajor) return fail(CaptureFault::kSectionVersion, major);
  interfaces_.clear();
  return true;
}

bool PcapngFormat::describe_interface(const Block& block) {
  if (interfaces_.size() == kInterfacesMax)
    return fail(CaptureFault::kTooManyInterfaces, kInterfacesMax);
  Interface interface;
  interface.link_type = static_cast<LinkType>(u16(block.at + kBlockHeadOctets));
  interface.snap_octets = u32(block.at + kBlockHeadOctets + 4);
  read_interface_options(block.at + kInterfaceOptionsAt, block.at + block.octets - kTrailerOctets,
                         interface);
  interfaces_.push_back(interface);
  return true;
}

// Code, length, value padded to four octets. A list that runs out of its block ends there.
void PcapngFormat::read_interface_options(const std::uint8_t* at, const std::uint8_t* end,
                                          Interface& out) const {
  constexpr std::size_t kOptionHeadOctets = 4;
  while (static_cast<std::size_t>(end - at) >= kOptionHeadOctets) {
    const std::uint16_t code = u16(at);
    const std::size_t length = u16(at + 2);
    at += kOptionHeadOctets;
    if (code == kOptionEnd || length > static_cast<std::size_t>(end - at)) return;
    if (code == kOptionResolution && length >= 1) out.clock.set_resolution(*at);
    if (code == kOptionOffset && length >= 8)
      out.clock.set_offset_s(static_cast<std::int64_t>(u64(at)));
    at += std::min(padded(length), static_cast<std::size_t>(end - at));
  }
}

}  // namespace wiretally
