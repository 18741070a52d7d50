// SPDX-License-Identifier: Apache-2.0
// From key and attributes to a frame. Thread: any.
#include "control/filter/key_frame.hpp"

#include <algorithm>

#include "dataplane/packet/numbers.hpp"

namespace wiretally {
namespace {

constexpr std::uint32_t kMacs = 12;
constexpr std::uint32_t kTransport = 24;  // enough for what a filter may read of it, and zeros
constexpr std::uint16_t kLlcLength = 3;
constexpr std::uint8_t kSapSnap = 0xaa;
constexpr std::uint8_t kBottomOfStack = 0x01;
constexpr std::uint16_t kPppIpv4 = 0x0021;
constexpr std::uint16_t kPppIpv6 = 0x0057;

// By convention a later fragment is counted under ports 0 and 0, and nothing else is but oddities.
bool is_later_fragment(const FlowKey& key) {
  return has_ports(IpProtocol{key.protocol}) && key.source_port == 0 && key.destination_port == 0;
}

std::uint16_t type_of(IpVersion version) {
  return static_cast<std::uint16_t>(version == IpVersion::kV4 ? Ethertype::kIpv4
                                                              : Ethertype::kIpv6);
}

}  // namespace

KeyFrame::KeyFrame(const FlowKey& key, const FlowAttributes* attributes) {
  size_ = kMacs;
  write_link(key, attributes);
  const std::uint32_t ip = size_;
  switch (key.ip_version()) {
    case IpVersion::kNone:
      break;
    case IpVersion::kV4:
      write_ipv4(key);
      break;
    case IpVersion::kV6:
      write_ipv6(key, attributes);
      break;
  }
  if (size_ == kMacs) return;  // no type field
  if (size_ != ip) {
    has_ip_ = true;
    const std::uint32_t transport = size_;
    vary(4);
    if (IpProtocol{key.protocol} == IpProtocol::kIcmp ||
        IpProtocol{key.protocol} == IpProtocol::kIcmpv6) {
      be16(key.destination_port);  // type, code
    } else {
      be16(key.source_port);
      be16(key.destination_port);
    }
    size_ = transport;
  }
  size_ = std::min<std::uint32_t>(size_ + kTransport, kOctetsMax);
}

FrameShape KeyFrame::shape() const {
  FrameShape shape;
  shape.octets = octets_;
  shape.size = static_cast<std::uint8_t>(size_);
  shape.varying = varying_;
  for (const auto& [at, count] : shape.varying) {
    std::fill_n(shape.octets.begin() + at, count, std::uint8_t{0});
  }
  return shape;
}

void KeyFrame::be16(std::uint16_t value) {
  octet(static_cast<std::uint8_t>(value >> 8));
  octet(static_cast<std::uint8_t>(value));
}

void KeyFrame::copy(const std::uint8_t* from, std::size_t count) {
  std::copy_n(from, count, octets_.data() + size_);
  size_ += static_cast<std::uint32_t>(count);
}

void KeyFrame::write_link(const FlowKey& key, const FlowAttributes* attributes) {
  if (attributes != nullptr && attributes->link_types != 0) {
    return write_known_link(key, *attributes);
  }
  const bool cut_off =
      attributes != nullptr && key.ip_version() == IpVersion::kNone && key.destination_port == 0;
  if (cut_off) return;  // too short for a type field: tcpdump matches such a frame with nothing
  if (key.vlan() != 0) {
    be16(static_cast<std::uint16_t>(Ethertype::kVlan));
    vary(2);
    be16(key.vlan());
  }
  const bool ip = key.ip_version() != IpVersion::kNone;
  write_type(key, ip ? type_of(key.ip_version()) : key.destination_port, attributes);
}

// The type fields as they stood in the frame, with the tags between them.
void KeyFrame::write_known_link(const FlowKey& key, const FlowAttributes& attributes) {
  const std::uint16_t tags[] = {attributes.outer_tag, attributes.inner_tag, 0};
  std::size_t i = 0;
  while (i + 1 < attributes.link_types && is_tag(Ethertype{attributes.link_type[i]})) {
    be16(attributes.link_type[i]);
    vary(2);
    be16(tags[i]);
    ++i;
  }
  const std::uint16_t type = attributes.link_type[i];
  const bool ip = Ethertype{type} == Ethertype::kIpv4 || Ethertype{type} == Ethertype::kIpv6;
  // An inner header's key stands where the outer header was, which the type announced. What else
  // is not of the announced version (an IPv6 header under IPv4's type) stays so.
  const bool other = ip && key.ip_version() != IpVersion::kNone &&
                     attributes.other_version != IpVersion::kNone &&
                     type_of(attributes.other_version) == type;
  write_type(key, other ? type_of(key.ip_version()) : type, &attributes);
}

// The last type field, and the shim that it announces before the IP header.
void KeyFrame::write_type(const FlowKey& key, std::uint16_t type,
                          const FlowAttributes* attributes) {
  if (type <= kLengthMax) {  // 802.3: what the key calls a type below 256 is the LLC address
    be16(kLlcLength);
    octet(key.destination_port < 0x100 ? static_cast<std::uint8_t>(key.destination_port)
                                       : kSapSnap);
    return;
  }
  be16(type);
  const bool v4 = key.ip_version() == IpVersion::kV4;
  switch (Ethertype{type}) {
    case Ethertype::kMpls:
    case Ethertype::kMplsUpstream: {
      const std::size_t labels =
          attributes == nullptr
              ? 0
              : std::min<std::size_t>(attributes->labels, FlowAttributes::kLabelsMax);
      for (std::size_t i = 0; i < labels; ++i) {
        be16(0);  // the label: not asked for
        octet(attributes->label_stack[i][2] & kBottomOfStack);
        octet(0);  // TTL
      }
      break;
    }
    case Ethertype::kPppoeSession:
      size_ += 6;  // version, code, session, length
      if (key.ip_version() != IpVersion::kNone) be16(v4 ? kPppIpv4 : kPppIpv6);
      break;
    default:
      break;
  }
}

void KeyFrame::write_ipv4(const FlowKey& key) {
  octet(0x45);
  octet(0);
  be16(20 + kTransport);
  be16(0);                               // identification
  be16(is_later_fragment(key) ? 1 : 0);  // offset
  octet(0);                              // TTL
  octet(key.protocol);
  be16(0);
  vary(8);
  copy(key.source.data() + 12, 4);
  copy(key.destination.data() + 12, 4);
}

// Without attributes the protocol follows at once, but in later fragments.
void KeyFrame::write_ipv6(const FlowKey& key, const FlowAttributes* attributes) {
  constexpr auto kFragment = static_cast<std::uint8_t>(IpProtocol::kFragment);
  const bool later = is_later_fragment(key);
  std::uint8_t next = later ? kFragment : key.protocol;
  if (attributes != nullptr && attributes->has_next_header) next = attributes->next_header;
  octet(0x60);
  size_ += 3;
  be16(kTransport);
  octet(next);
  octet(0);
  vary(32);
  copy(key.source.data(), 16);
  copy(key.destination.data(), 16);
  if (next != kFragment) return;
  octet(key.protocol);
  octet(0);
  be16(later ? 8 : 0);
  size_ += 4;
}

}  // namespace wiretally
