// SPDX-License-Identifier: Apache-2.0
// One packet view to one ParsedPacket, or to the reason why it is in no flow. What counts as a
// packet, a flow, its octets and ports is said in README.md beside this file. Plain frames
// (Ethernet, at most one tag, IPv4 without options or IPv6 without extensions, TCP or UDP) take the
// inlined path here; everything else the walk in walk.cpp, which gives the same answer for plain
// frames too (tested). Thread: worker. No allocation, no exception, no state between packets.
#pragma once

#include <emmintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

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

// Stores of 16 and 8 octets: the hash reads the key back in the same pieces at once, where narrower
// stores would have to leave the store buffer first. So packets are hashed as they are parsed: with
// the table below, parse and hash went from 14.3 to 8.6 ns a packet.
inline void set_address(std::array<std::uint8_t, 16>& out, __m128i address) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out.data()), address);
}

inline void set_rest(FlowKey& key, std::uint32_t ports, std::uint32_t protocol, PortIndex port,
                     std::uint32_t vlan_and_kind) {
  static_assert(offsetof(FlowKey, source_port) == 32 && offsetof(FlowKey, destination_port) == 34 &&
                offsetof(FlowKey, protocol) == 36 && offsetof(FlowKey, port) == 37 &&
                offsetof(FlowKey, vlan_and_kind) == 38);
  const std::uint32_t labels =
      vlan_and_kind << 16 | static_cast<std::uint32_t>(port) << 8 | protocol;
  const std::uint64_t rest = std::uint64_t{labels} << 32 | std::rotl(ports, 16);
  std::memcpy(reinterpret_cast<std::uint8_t*>(&key) + 32, &rest, sizeof rest);
}

constexpr std::uint32_t kind_of(IpVersion version) {
  return static_cast<std::uint32_t>(version) << 12;
}

inline bool may_be_tunnel(std::uint32_t ports) {
  return tunnel_of_port(static_cast<std::uint16_t>(ports >> 16)) != LayerKind::kNotIp ||
         tunnel_of_port(static_cast<std::uint16_t>(ports)) != LayerKind::kNotIp;
}

// TCP and UDP are told apart by a table, not by a branch: where they mix, half of the guesses are
// wrong.
struct TransportPlan {
  std::uint16_t needed;      // octets of the header that are read
  std::uint16_t flags;       // where two octets may be read that are
  std::uint16_t flags_mask;  // flags under this mask
};
inline constexpr TransportPlan kTransportPlans[2] = {
    {sizeof(TcpHead), offsetof(TcpHead, offset_and_flags), 0x0fff}, {sizeof(TransportPorts), 0, 0}};
inline constexpr std::uint64_t kPlainProtocols =
    std::uint64_t{1} << static_cast<unsigned>(IpProtocol::kTcp) |
    std::uint64_t{1} << static_cast<unsigned>(IpProtocol::kUdp);
static_assert(static_cast<unsigned>(IpProtocol::kTcp) % 2 == 0 &&
              static_cast<unsigned>(IpProtocol::kUdp) % 2 == 1);

// What the two versions have in common, from their payload on.
struct PlainIp {
  const std::uint8_t* transport;
  std::size_t octets;  // of the IP packet
  std::size_t header;  // of these the IP header
  std::uint32_t protocol;
  std::uint32_t vlan_and_kind;
  std::uint32_t tos;
};

// Fills `out` but for its addresses. False if the payload is neither TCP nor UDP, if too few octets
// were captured or belong to it, or if it may be a tunnel.
inline bool read_transport(const PlainIp& ip, std::size_t readable, const PacketView& view,
                           const ParseOptions& options, ParsedPacket& out) {
  if (ip.protocol > 63 || (kPlainProtocols >> ip.protocol & 1) == 0) return false;
  const TransportPlan& plan = kTransportPlans[ip.protocol & 1];
  std::size_t held = ip.octets;
  if (held > readable) {
    const std::size_t cut = view.wire_octets > view.captured ? view.wire_octets - view.captured : 0;
    if (held > readable + cut) return false;  // there never was so much
    held = readable;
  }
  if (held < ip.header + plan.needed) return false;
  const std::uint32_t ports = load_be32(ip.transport);
  if (options.tunnel == TunnelView::kInner && plan.flags == 0 && may_be_tunnel(ports)) return false;
  set_rest(out.key, ports, ip.protocol, view.port, ip.vlan_and_kind);
  out.octets = ip.octets;
  out.wire_octets = view.wire_octets;
  out.time_offset = 0;
  out.tcp_flags = load_be16(ip.transport + plan.flags) & plan.flags_mask;
  out.tos = static_cast<std::uint8_t>(ip.tos);
  out.fragment = FragmentPlace::kNone;
  out.fragment_id = 0;
  return true;
}

inline bool read_ipv4(const std::uint8_t* at, std::size_t readable, std::uint32_t vlan,
                      const PacketView& view, const ParseOptions& options, ParsedPacket& out) {
  if (readable < sizeof(Ipv4Header)) return false;
  // Of the first eight octets: version 4, 20 octets of header, neither more fragments nor offset.
  constexpr std::uint64_t kMask = 0xff3f0000000000ff;
  const std::uint64_t head = load_le64(at);
  if ((head & kMask) != 0x45) return false;
  const PlainIp ip{at + sizeof(Ipv4Header),
                   load_be16(at + offsetof(Ipv4Header, total_octets)),
                   sizeof(Ipv4Header),
                   at[offsetof(Ipv4Header, protocol)],
                   vlan | kind_of(IpVersion::kV4),
                   static_cast<std::uint8_t>(head >> 8)};
  if (!read_transport(ip, readable, view, options, out)) return false;
  const __m128i source = _mm_loadu_si32(at + offsetof(Ipv4Header, source));
  const __m128i destination = _mm_loadu_si32(at + offsetof(Ipv4Header, destination));
  set_address(out.key.source, _mm_slli_si128(source, 12));
  set_address(out.key.destination, _mm_slli_si128(destination, 12));
  return true;
}

inline bool read_ipv6(const std::uint8_t* at, std::size_t readable, std::uint32_t vlan,
                      const PacketView& view, const ParseOptions& options, ParsedPacket& out) {
  if (readable < sizeof(Ipv6Header) || at[0] >> 4 != 6) return false;
  const std::size_t payload = load_be16(at + offsetof(Ipv6Header, payload_octets));
  // None: a jumbogram, maybe. No transport header fits in it.
  const PlainIp ip{at + sizeof(Ipv6Header),
                   payload + sizeof(Ipv6Header),
                   sizeof(Ipv6Header),
                   at[offsetof(Ipv6Header, next_header)],
                   vlan | kind_of(IpVersion::kV6),
                   static_cast<std::uint8_t>(load_be16(at) >> 4)};
  if (!read_transport(ip, readable, view, options, out)) return false;
  const auto* addresses = reinterpret_cast<const __m128i*>(at + offsetof(Ipv6Header, source));
  set_address(out.key.source, _mm_loadu_si128(addresses));
  set_address(out.key.destination, _mm_loadu_si128(addresses + 1));
  return true;
}

// True if the frame was plain and `out` is filled; otherwise `out` holds nothing of use.
inline bool parse(const PacketView& view, const ParseOptions& options, ParsedPacket& out) {
  if (view.link_type != LinkType::kEthernet || view.captured < sizeof(EthernetHeader)) return false;
  const std::uint8_t* at = view.data + sizeof(EthernetHeader);
  std::size_t readable = view.captured - sizeof(EthernetHeader);
  std::uint16_t type = load_be16(at - 2);
  std::uint32_t vlan = 0;
  if (Ethertype{type} == Ethertype::kVlan) {
    if (readable < kTagOctets) return false;
    vlan = load_be16(at) & 0x0fff;
    type = load_be16(at + 2);
    at += kTagOctets;
    readable -= kTagOctets;
  }
  if (Ethertype{type} == Ethertype::kIpv4) {
    return read_ipv4(at, readable, vlan, view, options, out);
  }
  if (Ethertype{type} != Ethertype::kIpv6) return false;
  return read_ipv6(at, readable, vlan, view, options, out);
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
