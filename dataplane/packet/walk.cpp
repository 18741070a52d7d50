// SPDX-License-Identifier: Apache-2.0
// The loop over headers, and the choice of the one IP header a packet is counted under.
// Thread: worker.
#include "dataplane/packet/walk.hpp"

#include <algorithm>

#include "dataplane/packet/limits.hpp"
#include "dataplane/packet/link_headers.hpp"
#include "dataplane/packet/link_layer.hpp"
#include "dataplane/packet/network.hpp"
#include "dataplane/packet/tunnel.hpp"
#include "dataplane/packet/walk_observer.hpp"

namespace wiretally {
namespace {

// What is not opened, wherever it stands.
ParseError unread_note(LayerKind end) {
  switch (end) {
    case LayerKind::kEncrypted:
      return ParseError::kEncryptedLink;
    case LayerKind::kLinkFragment:
      return ParseError::kLinkFragment;
    case LayerKind::kUnreadTunnel:
      return ParseError::kUnreadTunnel;
    default:
      return ParseError::kNone;
  }
}

ParseError non_ip(const PacketView& view, const Walk& walk, Layer end, ParsedPacket& out) {
  out.key.destination_port = walk.protocol_number;
  out.key.vlan_and_kind = 0;
  out.key.set_vlan(walk.vlan);
  out.key.port = view.port;
  out.wire_octets = view.wire_octets;
  switch (end.kind) {
    case LayerKind::kTruncated:
      return ParseError::kTruncatedLink;
    case LayerKind::kTooDeep:
      return ParseError::kTooManyLinkHeaders;
    case LayerKind::kUnknownLinkType:
      return ParseError::kUnknownLinkType;
    default:
      return unread_note(end.kind);
  }
}

FragmentPlace place_of(const IpPacket& ip, const Transport& transport) {
  if (ip.later_fragment) return FragmentPlace::kLater;
  const bool more = (ip.fragment_flags & kMoreFragments) != 0;
  return more && transport.note == ParseError::kNone ? FragmentPlace::kFirst : FragmentPlace::kNone;
}

ParseError in_flow(const PacketView& view, const Walk& walk, const IpPacket& ip,
                   ParsedPacket& out) {
  const Transport transport = read_transport(ip);
  fill_addresses(ip, out.key);
  out.key.source_port = transport.source_port;
  out.key.destination_port = transport.destination_port;
  out.key.protocol = ip.protocol;
  out.key.port = view.port;
  out.key.set_kind(ip.version, CoarseLevel::kExact);
  out.key.set_vlan(walk.vlan);
  out.octets = ip.octets;
  out.wire_octets = view.wire_octets;
  out.tcp_flags = transport.tcp_flags;
  out.tos = ip.tos;
  out.fragment = place_of(ip, transport);
  if (out.fragment != FragmentPlace::kNone) out.fragment_id = ip.identification;
  return transport.note;
}

// The header a packet is counted under, as ranges over this one packet.
void note_ip(const IpPacket& ip, FlowAttributes& attributes) {
  const auto octets = static_cast<std::uint32_t>(std::min<std::uint64_t>(ip.octets, UINT32_MAX));
  attributes.length_min = attributes.length_max = octets;
  attributes.ttl_min = attributes.ttl_max = ip.ttl;
  attributes.tos_or = ip.tos;
  attributes.fragment_flags = ip.fragment_flags;
  attributes.flow_label = ip.flow_label;
  attributes.has_next_header = true;
  attributes.next_header = ip.next_header;
}

// The IP header at the far end of its tunnels: the innermost if the outermost is the key, and the
// other way round.
void note_other_end(const IpPacket& other, FlowAttributes& attributes) {
  FlowKey addresses;
  fill_addresses(other, addresses);
  attributes.other_source = addresses.source;
  attributes.other_destination = addresses.destination;
  attributes.other_version = other.version;
}

void keep_hop(Walk& walk, const IpPacket& outside, bool inside_is_ip) {
  if (walk.hop.kind == TunnelKind::kNone) {
    if (!inside_is_ip) return;
    const bool frame = IpProtocol{outside.protocol} == IpProtocol::kEthernet;
    walk.hop.kind = frame ? TunnelKind::kOther : TunnelKind::kIpInIp;
  }
  walk.last_hop = walk.hop;
  if (walk.first_hop.kind == TunnelKind::kNone) walk.first_hop = walk.hop;
}

ParseError read_ip_observed(const Walk& walk, LayerKind kind, IpPacket& ip) {
  const ParseError error = read_ip(walk, kind, ip);
  if (walk.observer != nullptr) [[unlikely]]
    walk.observer->on_ip(walk, ip, error);
  return error;
}

// Replaces `ip` by the innermost IP header that can be reached. Returns why it went no further, if
// that was for want of octets or sense; a payload that is no IP is a good end.
ParseError follow_tunnels(Walk& walk, IpPacket& ip) {
  walk.below_first_ip = false;
  for (unsigned depth = 0; !ip.later_fragment; ++depth) {
    if (ip.note != ParseError::kNone) return ParseError::kNone;
    walk.cursor = ip.payload;
    walk.vlan_tags = 0;
    walk.hop = {};
    walk.inside_ipv6 = ip.version == IpVersion::kV6;
    const Layer end = walk_to_ip(walk, layer_of_ip_protocol(ip.protocol));
    keep_hop(walk, ip, end.kind == LayerKind::kIpv4 || end.kind == LayerKind::kIpv6);
    switch (end.kind) {
      case LayerKind::kIpv4:
      case LayerKind::kIpv6:
        break;
      case LayerKind::kTruncated:
        return ParseError::kTruncatedTunnel;
      case LayerKind::kTooDeep:
        return ParseError::kTooManyTunnels;
      default:
        return unread_note(end.kind);
    }
    if (depth == kTunnelsMax) return ParseError::kTooManyTunnels;
    IpPacket inner;
    if (read_ip_observed(walk, end.kind, inner) != ParseError::kNone) {
      return ParseError::kBadInnerIp;
    }
    ip = inner;
  }
  return ParseError::kNone;
}

// With the outer view the tunnels are followed for their attributes alone.
void note_attributes(Walk& walk, TunnelView view, const IpPacket& outermost,
                     const IpPacket& counted) {
  FlowAttributes& attributes = *walk.attributes;
  note_ip(counted, attributes);
  IpPacket other = outermost;
  if (view == TunnelView::kOuter) follow_tunnels(walk, other);
  const TunnelHop& hop = view == TunnelView::kOuter ? walk.first_hop : walk.last_hop;
  attributes.tunnel = hop.kind;
  attributes.tunnel_id = hop.id;
  if (other.source != counted.source) note_other_end(other, attributes);
}

}  // namespace

// long: one line a layer, and the compiler tells which one was forgotten.
Layer read_layer(Walk& walk, Layer layer) {
  switch (layer.kind) {
    case LayerKind::kNullLoopback:
      return read_null_loopback(walk);
    case LayerKind::kLinuxSll:
      return read_linux_sll(walk);
    case LayerKind::kLinuxSll2:
      return read_linux_sll2(walk);
    case LayerKind::kNflog:
      return read_nflog(walk);
    case LayerKind::kJuniper:
      return read_juniper(walk);
    case LayerKind::kIpnet:
      return read_ipnet(walk);
    case LayerKind::kArcnet:
      return read_arcnet(walk);
    case LayerKind::kPpi:
      return read_ppi(walk);
    case LayerKind::kRadiotap:
      return read_radiotap(walk);
    case LayerKind::kPrism:
      return read_prism(walk);
    case LayerKind::kAvs:
      return read_avs(walk);
    case LayerKind::kRawIp:
      return read_raw_ip(walk);
    case LayerKind::kEthernet:
      return read_ethernet(walk);
    case LayerKind::kVlanTag:
      return read_vlan_tag(walk);
    case LayerKind::kServiceInstance:
      return read_service_instance(walk);
    case LayerKind::kMacsec:
      return read_macsec(walk);
    case LayerKind::kVnTag:
      return read_opaque_tag<VnTag>(walk);
    case LayerKind::kExtensionTag:
      return read_opaque_tag<ExtensionTag>(walk);
    case LayerKind::kRedundancyTag:
      return read_opaque_tag<RedundancyTag>(walk);
    case LayerKind::kCiscoMetadata:
      return read_opaque_tag<CiscoMetadata>(walk);
    case LayerKind::kAristaTimestamp:
      return read_arista_timestamp(walk);
    case LayerKind::kTrill:
      return read_trill(walk);
    case LayerKind::kFabricPath:
      return read_fabric_path(walk);
    case LayerKind::kBatman:
      return read_batman(walk);
    case LayerKind::kIsl:
      return read_isl(walk);
    case LayerKind::kLlc:
      return read_llc(walk);
    case LayerKind::kSnap:
      return read_snap(walk, 2);
    case LayerKind::kSnapFrameRelay:
      return read_snap(walk, 0);
    case LayerKind::kNlpid:
      return read_nlpid(walk);
    case LayerKind::kFddi:
      return read_fddi(walk);
    case LayerKind::kTokenRing:
      return read_token_ring(walk);
    case LayerKind::kWlan:
      return read_wlan(walk, false);
    case LayerKind::kWlanSwapped:
      return read_wlan(walk, true);
    case LayerKind::kMpls:
      return read_mpls(walk);
    case LayerKind::kPseudowire:
      return read_pseudowire(walk);
    case LayerKind::kAssociatedChannel:
      return read_associated_channel(walk);
    case LayerKind::kPppoe:
      return read_pppoe(walk);
    case LayerKind::kPppHdlc:
      return read_ppp_hdlc(walk);
    case LayerKind::kPpp:
      return read_ppp(walk);
    case LayerKind::kCiscoHdlc:
      return read_cisco_hdlc(walk);
    case LayerKind::kFrameRelay:
      return read_frame_relay(walk);
    case LayerKind::kNsh:
      return read_nsh(walk);
    case LayerKind::kIpProtocol:
      return read_ip_protocol(walk, layer.number);
    case LayerKind::kGre:
      return read_gre(walk);
    case LayerKind::kErspan:
      return read_erspan(walk);
    case LayerKind::kAh:
      return read_ah(walk);
    case LayerKind::kEtherIp:
      return read_ether_ip(walk);
    case LayerKind::kUdp:
      return read_udp(walk, false);
    case LayerKind::kUdpLite:
      return read_udp(walk, true);
    case LayerKind::kVxlan:
      return read_vxlan(walk);
    case LayerKind::kVxlanGpe:
      return read_vxlan_gpe(walk);
    case LayerKind::kGeneve:
      return read_geneve(walk);
    case LayerKind::kGtp:
      return read_gtp(walk);
    case LayerKind::kL2tp:
      return read_l2tp(walk);
    case LayerKind::kL2tpV3:
      return read_l2tp_v3(walk);
    case LayerKind::kTeredo:
      return read_teredo(walk);
    case LayerKind::kAyiya:
      return read_ayiya(walk);
    case LayerKind::kLisp:
      return read_lisp(walk);
    case LayerKind::kCapwap:
      return read_capwap(walk);
    case LayerKind::kTzsp:
      return read_tzsp(walk);
    case LayerKind::kIpv4:
    case LayerKind::kIpv6:
    case LayerKind::kNotIp:
    case LayerKind::kTruncated:
    case LayerKind::kTooDeep:
    case LayerKind::kEncrypted:
    case LayerKind::kLinkFragment:
    case LayerKind::kUnreadTunnel:
    case LayerKind::kUnknownLinkType:
      break;
  }
  return layer;
}

Layer walk_to_ip(Walk& walk, Layer layer) {
  for (unsigned headers = 0; !ends_walk(layer.kind); ++headers) {
    if (headers == kLinkHeadersMax) return kTooDeep;
    const Layer standing = layer;
    const Cursor before = walk.cursor;
    layer = read_layer(walk, standing);
    if (walk.observer != nullptr) [[unlikely]]
      walk.observer->on_header(standing, before, walk, layer);
  }
  return layer;
}

bool is_known(LinkType type) {
  Walk nowhere{.cursor{nullptr, 0, 0}};
  return layer_of_link_type(nowhere, type).kind != LayerKind::kUnknownLinkType;
}

ParseError parse_general(const PacketView& view, const ParseOptions& options, ParsedPacket& out,
                         FlowAttributes* attributes, WalkObserver* observer) {
  Walk walk{.cursor{view.data, view.captured, view.wire_octets},
            .frame_octets = view.wire_octets,
            .attributes = attributes,
            .observer = observer};
  if (attributes != nullptr) *attributes = FlowAttributes{};
  out = ParsedPacket{};
  const Layer end = walk_to_ip(walk, layer_of_link_type(walk, view.link_type));
  if (end.kind != LayerKind::kIpv4 && end.kind != LayerKind::kIpv6) {
    return non_ip(view, walk, end, out);
  }
  IpPacket ip;
  const ParseError error = read_ip_observed(walk, end.kind, ip);
  if (error != ParseError::kNone) return error;
  const IpPacket outermost = ip;
  ParseError tunnel_note = ParseError::kNone;
  if (options.tunnel == TunnelView::kInner) tunnel_note = follow_tunnels(walk, ip);
  const ParseError note = in_flow(view, walk, ip, out);
  if (attributes != nullptr) note_attributes(walk, options.tunnel, outermost, ip);
  if (note != ParseError::kNone) return note;
  return tunnel_note != ParseError::kNone ? tunnel_note : ip.length_note;
}

ParseError parse_with_attributes(const PacketView& view, const ParseOptions& options,
                                 ParsedPacket& out, FlowAttributes& attributes) {
  // The short cut as for the inner view: it leaves whatever may be a tunnel to the walk.
  if (!plain::parse(view, {TunnelView::kInner}, out)) {
    return parse_general(view, options, out, &attributes);
  }
  plain::note_attributes(view, out, attributes);
  return ParseError::kNone;
}

}  // namespace wiretally
