// SPDX-License-Identifier: Apache-2.0
// Tunnels straight over IP: IP-in-IP, GRE in all versions, ERSPAN, AH, EtherIP, Ethernet, MPLS; and
// UDP, which announces more by its ports. Thread: worker.
#include "dataplane/packet/attribute_notes.hpp"
#include "dataplane/packet/ip_headers.hpp"
#include "dataplane/packet/limits.hpp"
#include "dataplane/packet/link_layer.hpp"
#include "dataplane/packet/tunnel.hpp"
#include "dataplane/packet/tunnel_headers.hpp"

namespace wiretally {
namespace {

// UDP services that answer to any port their client happened to choose, a tunnel's too: 53 to 4789
// is DNS, not VXLAN.
bool names_plain_service(std::uint16_t port) {
  switch (port) {
    case 53:   // DNS
    case 67:   // DHCP
    case 68:   // DHCP
    case 69:   // TFTP
    case 88:   // Kerberos
    case 123:  // NTP
    case 137:  // NetBIOS names
    case 138:  // NetBIOS datagrams
    case 161:  // SNMP
    case 162:  // SNMP traps
    case 389:  // LDAP
    case 443:  // QUIC
    case 500:  // IKE
    case 514:  // syslog
    case 520:  // RIP
    case 546:  // DHCPv6
    case 547:  // DHCPv6
      return true;
    default:
      return false;
  }
}

// RFC 1701 section "Routing": entries until one of family 0 and length 0.
bool skip_gre_routes(Cursor& cursor) {
  for (unsigned entries = 0; entries < kHeaderElementsMax; ++entries) {
    const auto* entry = cursor.take<GreRouteEntry>();
    if (entry == nullptr) return false;
    if (entry->address_family.value() == 0 && entry->octets == 0) return true;
    if (!cursor.skip(entry->octets)) return false;
  }
  return false;
}

// Octets of the fields that the flags announce, in front of routes and payload.
unsigned gre_option_octets(std::uint16_t flags, std::uint16_t protocol) {
  unsigned octets = 0;
  if ((flags & (GreHeader::kChecksum | GreHeader::kRouting)) != 0) octets += 4;
  if ((flags & GreHeader::kKey) != 0) octets += 4;
  if ((flags & GreHeader::kSequence) != 0) octets += 4;
  const bool pptp =
      (flags & GreHeader::kVersion) == 1 && Ethertype{protocol} == Ethertype::kPpp;  // RFC 2637
  if (pptp && (flags & GreHeader::kAcknowledgment) != 0) octets += 4;
  return octets;
}

// RFC 2890: behind the checksum, if there is one; 0 without a key.
std::uint32_t gre_key(const Cursor& cursor, std::uint16_t flags) {
  if ((flags & GreHeader::kKey) == 0) return 0;
  const bool checksum = (flags & (GreHeader::kChecksum | GreHeader::kRouting)) != 0;
  const auto* key = cursor.peek<Be32>(checksum ? 4 : 0);
  return key == nullptr ? 0 : key->value();
}

// WCCP version 2 puts four octets between GRE and the packet; version 1 does not.
Layer layer_of_wccp(Walk& walk) {
  const auto* first = walk.cursor.peek<std::uint8_t>();
  if (first == nullptr) return kTruncated;
  if (*first >> 4 != 4 && !walk.cursor.skip(4)) return kTruncated;
  return {LayerKind::kIpv4};
}

Layer layer_of_gre_protocol(Walk& walk, std::uint16_t protocol, bool sequence) {
  switch (Ethertype{protocol}) {
    // Type I of ERSPAN has neither sequence number nor a header of its own.
    case Ethertype::kErspan:
      note_tunnel(walk, TunnelKind::kErspan, 0);
      return {sequence ? LayerKind::kErspan : LayerKind::kEthernet};
    case Ethertype::kErspan3:
      return {LayerKind::kErspan};
    case Ethertype::kMikrotikEoip:
      return {LayerKind::kEthernet};
    case Ethertype::kWccp:
      return layer_of_wccp(walk);
    default:
      break;
  }
  // Aruba access points number their 802.11 tunnels 0x8200 to 0x8370 in steps of 16.
  if (protocol >= 0x8200 && protocol <= 0x8370 && protocol % 16 == 0) return {LayerKind::kWlan};
  return layer_of_ethertype(walk, protocol);
}

}  // namespace

Layer layer_of_ip_protocol(std::uint8_t protocol) {
  switch (IpProtocol{protocol}) {
    case IpProtocol::kIpv4:
      return {LayerKind::kIpv4};
    case IpProtocol::kIpv6:
      return {LayerKind::kIpv6};
    case IpProtocol::kGre:
      return {LayerKind::kGre};
    case IpProtocol::kAh:
      return {LayerKind::kAh};
    case IpProtocol::kEtherIp:
      return {LayerKind::kEtherIp};
    case IpProtocol::kEthernet:
      return {LayerKind::kEthernet};
    case IpProtocol::kMplsInIp:
      return {LayerKind::kMpls};
    case IpProtocol::kL2tpV3:
      return {LayerKind::kL2tpV3};
    case IpProtocol::kUdp:
      return {LayerKind::kUdp};
    case IpProtocol::kUdpLite:
      return {LayerKind::kUdpLite};
    case IpProtocol::kHopByHop:
    case IpProtocol::kRouting:
    case IpProtocol::kFragment:
    case IpProtocol::kDestinationOptions:
      return {LayerKind::kIpProtocol, protocol};
    default:
      return kNotIp;
  }
}

Layer read_ip_protocol(Walk& walk, std::uint8_t protocol) {
  const auto* header = walk.cursor.peek<Ipv6Extension>();
  if (header == nullptr) return kTruncated;
  unsigned octets = header->octets();
  if (IpProtocol{protocol} == IpProtocol::kFragment) {
    if (walk.cursor.peek<Ipv6Fragment>()->later()) return kNotIp;
    octets = sizeof(Ipv6Fragment);
  }
  return walk.cursor.skip(octets) ? layer_of_ip_protocol(header->next_header) : kTruncated;
}

// Versions above 1 were never defined; their headers are read like those of version 0 (RFC 2784),
// and what stands behind has to be a packet all the same.
Layer read_gre(Walk& walk) {
  const auto* header = walk.cursor.take<GreHeader>();
  if (header == nullptr) return kTruncated;
  const std::uint16_t flags = header->flags.value();
  const std::uint16_t protocol = header->protocol.value();
  note_tunnel(walk, TunnelKind::kGre, gre_key(walk.cursor, flags));
  if (!walk.cursor.skip(gre_option_octets(flags, protocol))) return kTruncated;
  if ((flags & GreHeader::kRouting) != 0 && !skip_gre_routes(walk.cursor)) return kTruncated;
  if (walk.cursor.on_wire() == 0) return kNotIp;  // an acknowledgment or a keep-alive
  return layer_of_gre_protocol(walk, protocol, (flags & GreHeader::kSequence) != 0);
}

Layer read_erspan(Walk& walk) {
  constexpr unsigned kPlatformSubheaderOctets = 8;
  const auto* header = walk.cursor.take<ErspanHeader>();
  if (header == nullptr) return kTruncated;
  note_tunnel(walk, TunnelKind::kErspan, header->session_id());
  if (header->version() == 1) return {LayerKind::kEthernet};
  if (header->version() != 2) return kUnreadTunnel;
  const auto* tail = walk.cursor.take<Erspan3Tail>();
  if (tail == nullptr) return kTruncated;
  if (tail->platform_subheader() && !walk.cursor.skip(kPlatformSubheaderOctets)) {
    return kTruncated;
  }
  return tail->frame_type() == 0 ? Layer{LayerKind::kEthernet} : kUnreadTunnel;
}

Layer read_ah(Walk& walk) {
  const auto* header = walk.cursor.peek<AuthenticationHeader>();
  if (header == nullptr || !walk.cursor.skip(header->octets())) return kTruncated;
  return layer_of_ip_protocol(header->next_header);
}

Layer read_ether_ip(Walk& walk) {
  if (walk.cursor.take<EtherIpHeader>() == nullptr) return kTruncated;
  note_tunnel(walk, TunnelKind::kEtherIp, 0);
  return {LayerKind::kEthernet};
}

// Either port can announce the tunnel (a Teredo server or a GTP peer answers from it); the lower
// one is asked first, and may name another service.
Layer read_udp(Walk& walk, bool lite) {
  const auto* header = walk.cursor.take<UdpHeader>();
  if (header == nullptr) return kNotIp;  // no telling whether a tunnel was to follow
  const std::uint16_t octets = header->octets.value();
  // UDP-Lite has its checksum's coverage there. 0 is a jumbogram's, over IPv6 only (RFC 2675).
  if (!lite && !(octets == 0 && walk.inside_ipv6)) {
    if (octets < sizeof *header) return kNotIp;
    walk.cursor.limit(octets - sizeof *header);
  }
  if (walk.cursor.on_wire() == 0) return kNotIp;
  const std::uint16_t source = header->ports.source.value();
  const std::uint16_t destination = header->ports.destination.value();
  const std::uint16_t low = std::min(source, destination);
  const LayerKind by_low = tunnel_of_port(low);
  if (by_low != LayerKind::kNotIp) return {by_low};
  if (names_plain_service(low)) return kNotIp;
  return {tunnel_of_port(std::max(source, destination))};
}

}  // namespace wiretally
