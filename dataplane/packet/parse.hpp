// SPDX-License-Identifier: Apache-2.0
// One packet view to one ParsedPacket, or to the reason why it is in no flow. What counts as a
// packet, a flow, its octets and ports is said in README.md beside this file. Plain frames
// (Ethernet, at most one tag, IPv4 without options or IPv6 without extensions, TCP or UDP) take the
// inlined path here; everything else the walk in walk.cpp, which gives the same answer for plain
// frames too (tested). Thread: worker. No allocation, no exception, no state between packets.
#pragma once

#include <cstdint>

#include "dataplane/flow/flow_attributes.hpp"
#include "dataplane/packet/ip_headers.hpp"
#include "dataplane/packet/link_headers.hpp"
#include "dataplane/packet/numbers.hpp"
#include "dataplane/packet/packet_view.hpp"
#include "dataplane/packet/parse_error.hpp"
#include "dataplane/packet/parsed_packet.hpp"
#include "dataplane/packet/tunnel.hpp"

namespace wiretally {

enum class TunnelView : std::uint8_t { kOuter, kInner };

struct ParseOptions {
  TunnelView tunnel = TunnelView::kOuter;
};

// True if frames of this link type can be read; others are counted as non-IP with a note.
bool is_known(LinkType type);

class WalkObserver;

// The whole parser, without the short cut. `attributes`, if not null, is filled whole as well;
// `observer`, if not null, is told of each header.
[[gnu::noinline]] ParseError parse_general(const PacketView& view, const ParseOptions& options,
                                           ParsedPacket& out, FlowAttributes* attributes = nullptr,
                                           WalkObserver* observer = nullptr);

// parse(), and the packet's attributes: of the header its key comes from, of the frame's link
// layers, and of the tunnel outside or inside.
ParseError parse_with_attributes(const PacketView& view, const ParseOptions& options,
                                 ParsedPacket& out, FlowAttributes& attributes);

namespace plain {

inline constexpr std::size_t kTagOctets = sizeof(VlanTag);

// Fills ports, protocol and flags of `out` from the transport header at `at`. False if it is
// neither TCP nor UDP, if too few of its octets were captured or belong to it, or if it may be a
// tunnel.
inline bool read_transport(const std::uint8_t* at, std::size_t octets, std::uint8_t protocol,
                           const ParseOptions& options, ParsedPacket& out) {
  if (octets < sizeof(TransportPorts)) return false;
  const std::uint16_t source = load_be16(at);
  const std::uint16_t destination = load_be16(at + 2);
  if (IpProtocol{protocol} == IpProtocol::kTcp) {
    if (octets < sizeof(TcpHead)) return false;
    out.tcp_flags = load_be16(at + offsetof(TcpHead, offset_and_flags)) & 0x0fff;
  } else {
    if (IpProtocol{protocol} != IpProtocol::kUdp) return false;
    const bool tunnel =
        options.tunnel == TunnelView::kInner && (tunnel_of_port(source) != LayerKind::kNotIp ||
                                                 tunnel_of_port(destination) != LayerKind::kNotIp);
    if (tunnel) return false;
    out.tcp_flags = 0;
  }
  out.key.source_port = source;
  out.key.destination_port = destination;
  out.key.protocol = protocol;
  return true;
}

// True if an IP packet of so many octets was on the wire, of which `readable` were captured.
inline bool was_on_wire(std::size_t octets, std::size_t readable, const PacketView& view) {
  const std::size_t cut = view.wire_octets > view.captured ? view.wire_octets - view.captured : 0;
  return octets <= readable || octets <= readable + cut;
}

inline bool read_ipv4(const std::uint8_t* at, std::size_t readable, const PacketView& view,
                      const ParseOptions& options, ParsedPacket& out) {
  constexpr std::uint8_t kVersion4Length20 = 0x45;
  constexpr std::uint16_t kFragment = 0x3fff;  // more fragments, offset
  if (readable < sizeof(Ipv4Header) || at[0] != kVersion4Length20) return false;
  const std::size_t total = load_be16(at + 2);
  if ((load_be16(at + 6) & kFragment) != 0 || total <= sizeof(Ipv4Header)) return false;
  if (!was_on_wire(total, readable, view)) return false;
  const std::size_t octets = std::min(total, readable) - sizeof(Ipv4Header);
  if (!read_transport(at + sizeof(Ipv4Header), octets, at[9], options, out)) return false;
  std::memset(out.key.source.data(), 0, 12);
  std::memcpy(out.key.source.data() + 12, at + 12, 4);
  std::memset(out.key.destination.data(), 0, 12);
  std::memcpy(out.key.destination.data() + 12, at + 16, 4);
  out.octets = total;
  out.tos = at[1];
  return true;
}

inline bool read_ipv6(const std::uint8_t* at, std::size_t readable, const PacketView& view,
                      const ParseOptions& options, ParsedPacket& out) {
  if (readable < sizeof(Ipv6Header) || at[0] >> 4 != 6) return false;
  const std::size_t payload = load_be16(at + 4);
  if (payload == 0) return false;  // a jumbogram, maybe
  if (!was_on_wire(payload + sizeof(Ipv6Header), readable, view)) return false;
  const std::size_t octets = std::min(payload, readable - sizeof(Ipv6Header));
  if (!read_transport(at + sizeof(Ipv6Header), octets, at[6], options, out)) return false;
  std::memcpy(out.key.source.data(), at + 8, 16);
  std::memcpy(out.key.destination.data(), at + 24, 16);
  out.octets = payload + sizeof(Ipv6Header);
  out.tos = static_cast<std::uint8_t>(load_be16(at) >> 4);
  return true;
}

// True if the frame was plain and `out` is filled; otherwise `out` holds nothing of use.
inline bool parse(const PacketView& view, const ParseOptions& options, ParsedPacket& out) {
  if (view.link_type != LinkType::kEthernet || view.captured < sizeof(EthernetHeader)) return false;
  const std::uint8_t* at = view.data + sizeof(EthernetHeader);
  std::size_t readable = view.captured - sizeof(EthernetHeader);
  std::uint16_t type = load_be16(at - 2);
  std::uint16_t vlan = 0;
  if (Ethertype{type} == Ethertype::kVlan) {
    if (readable < kTagOctets) return false;
    vlan = load_be16(at) & 0x0fff;
    type = load_be16(at + 2);
    at += kTagOctets;
    readable -= kTagOctets;
  }
  IpVersion version = IpVersion::kV4;
  if (Ethertype{type} == Ethertype::kIpv4) {
    if (!read_ipv4(at, readable, view, options, out)) return false;
  } else {
    if (Ethertype{type} != Ethertype::kIpv6) return false;
    if (!read_ipv6(at, readable, view, options, out)) return false;
    version = IpVersion::kV6;
  }
  out.key.port = view.port;
  out.key.vlan_and_kind = vlan;
  out.key.set_kind(version, CoarseLevel::kExact);
  out.wire_octets = view.wire_octets;
  out.time_offset = 0;
  out.fragment = FragmentPlace::kNone;
  out.fragment_id = 0;
  return true;
}

// Of a frame that parse() took: everything stands at a known place.
inline void note_attributes(const PacketView& view, const ParsedPacket& packet,
                            FlowAttributes& out) {
  out = FlowAttributes{};
  const auto& ethernet = *reinterpret_cast<const EthernetHeader*>(view.data);
  std::memcpy(out.destination_mac.data(), ethernet.destination, out.destination_mac.size());
  std::memcpy(out.source_mac.data(), ethernet.source, out.source_mac.size());
  out.has_macs = true;
  const std::uint8_t* at = view.data + sizeof ethernet;
  if (Ethertype{ethernet.type.value()} == Ethertype::kVlan) {
    out.outer_tag = load_be16(at);
    out.tags = 1;
    out.link_type[out.link_types++] = ethernet.type.value();
    at += kTagOctets;
  }
  out.link_type[out.link_types++] = load_be16(at - 2);
  out.has_next_header = true;
  out.next_header = packet.key.protocol;
  out.length_min = out.length_max = static_cast<std::uint32_t>(packet.octets);
  out.tos_or = packet.tos;
  if (packet.key.ip_version() == IpVersion::kV4) {
    const auto& ip = *reinterpret_cast<const Ipv4Header*>(at);
    out.ttl_min = out.ttl_max = ip.ttl;
    out.fragment_flags = ip.flags();
  } else {
    const auto& ip = *reinterpret_cast<const Ipv6Header*>(at);
    out.ttl_min = out.ttl_max = ip.hop_limit;
    out.flow_label = ip.flow_label();
  }
}

}  // namespace plain

// Fills `out` (whole, padding zeroed) and returns how it went: kNone or a note ("metered, but ...")
// if the packet belongs to a flow, or the reason why it does not (see is_metered()).
// `out.time_offset` is left 0.
inline ParseError parse(const PacketView& view, const ParseOptions& options, ParsedPacket& out) {
  if (plain::parse(view, options, out)) [[likely]]
    return ParseError::kNone;
  return parse_general(view, options, out);
}

}  // namespace wiretally
