// SPDX-License-Identifier: Apache-2.0
// See layer_text.hpp. Thread: any.
#include "control/cli/layer_text.hpp"

#include <fmt/format.h>

#include "control/sink/record_text.hpp"
#include "dataplane/packet/ip_headers.hpp"
#include "dataplane/packet/link_headers.hpp"
#include "dataplane/packet/tunnel_headers.hpp"

namespace wiretally {
namespace {

std::string mac_text(const std::uint8_t* octets) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", octets[0], octets[1], octets[2],
                     octets[3], octets[4], octets[5]);
}

std::string ethernet_text(const Cursor& before) {
  const auto* header = before.peek<EthernetHeader>();
  if (header == nullptr) return "";
  const std::uint16_t type = header->type.value();
  const std::string last =
      type <= kLengthMax ? fmt::format("length {}", type) : fmt::format("type 0x{:04x}", type);
  return fmt::format("{} > {}, {}", mac_text(header->source), mac_text(header->destination), last);
}

std::string tag_text(const Cursor& before) {
  const auto* tag = before.peek<VlanTag>();
  if (tag == nullptr) return "";
  const std::uint16_t control = tag->control.value();
  return fmt::format("id {}, priority {}{}, type 0x{:04x}", tag_id(control), tag_priority(control),
                     tag_dei(control) ? ", DEI" : "", tag->type.value());
}

std::string labels_text(const Cursor& before, const Walk& walk) {
  std::string text;
  for (std::size_t at = 0; before.at() + at < walk.cursor.at(); at += sizeof(MplsLabel)) {
    const auto* entry = before.peek<MplsLabel>(at);
    if (entry == nullptr) break;
    text += fmt::format("{}{}", at == 0 ? "label " : " / ", entry->label());
    if (entry->bottom_of_stack()) break;
  }
  return text;
}

std::string ports_text(const Cursor& before) {
  const auto* ports = before.peek<TransportPorts>();
  if (ports == nullptr) return "";
  return fmt::format("{} > {}", ports->source.value(), ports->destination.value());
}

// The kind and number that the header has left in the walk.
std::string hop_text(const Walk& walk) {
  if (walk.hop.kind == TunnelKind::kNone) return "";
  return fmt::format("{} {}", label(walk.hop.kind), walk.hop.id);
}

std::string pppoe_text(const Cursor& before) {
  const auto* header = before.peek<PppoeHeader>();
  return header == nullptr ? "" : fmt::format("session {}", header->session.value());
}

std::string number_text(const Cursor& before, std::string_view what) {
  const auto* number = before.peek<Be16>();
  return number == nullptr ? "" : fmt::format("{} 0x{:04x}", what, number->value());
}

// RFC 1661 section 6.5: one octet if its low bit is set.
std::string ppp_text(const Cursor& before) {
  const auto* first = before.peek<std::uint8_t>();
  if (first == nullptr || (*first & 1) == 0) return number_text(before, "protocol");
  return fmt::format("protocol 0x{:02x}", *first);
}

std::string_view extension_name(IpProtocol protocol) {
  switch (protocol) {
    case IpProtocol::kHopByHop:
      return "hop-by-hop options";
    case IpProtocol::kRouting:
      return "routing";
    case IpProtocol::kFragment:
      return "fragment";
    case IpProtocol::kDestinationOptions:
      return "destination options";
    default:
      return "";
  }
}

// The extension headers between the IPv6 header and what the parser found behind them.
std::string extensions_text(const Cursor& at_header, const IpPacket& ip) {
  const auto* header = at_header.peek<Ipv6Header>();
  std::string text;
  Cursor cursor = at_header;
  cursor.skip(sizeof *header);
  for (std::uint8_t protocol = header->next_header; cursor.at() < ip.payload.at();) {
    const std::string_view name = extension_name(IpProtocol{protocol});
    const auto* extension = cursor.peek<Ipv6Extension>();
    if (name.empty() || extension == nullptr) break;
    text += fmt::format("{}{}", text.empty() ? ", with " : ", ", name);
    const bool fragment = IpProtocol{protocol} == IpProtocol::kFragment;
    protocol = extension->next_header;
    if (!cursor.skip(fragment ? sizeof(Ipv6Fragment) : extension->octets())) break;
  }
  return text;
}

}  // namespace

std::string fields_of(Layer layer, const Cursor& before, const Walk& walk) {
  switch (layer.kind) {
    case LayerKind::kEthernet:
      return ethernet_text(before);
    case LayerKind::kVlanTag:
      return tag_text(before);
    case LayerKind::kMpls:
      return labels_text(before, walk);
    case LayerKind::kPppoe:
      return pppoe_text(before);
    case LayerKind::kPpp:
      return ppp_text(before);
    case LayerKind::kGre:
    case LayerKind::kErspan:
    case LayerKind::kVxlan:
    case LayerKind::kVxlanGpe:
    case LayerKind::kGeneve:
    case LayerKind::kGtp:
    case LayerKind::kL2tp:
    case LayerKind::kL2tpV3:
    case LayerKind::kLisp:
      return hop_text(walk);
    case LayerKind::kUdp:
    case LayerKind::kUdpLite:
      return ports_text(before);
    case LayerKind::kIpProtocol:
      return fmt::format("protocol {}", layer.number);
    default:
      return "";
  }
}

std::string_view ip_name(const IpPacket& ip) {
  return ip.version == IpVersion::kV4 ? "IPv4" : "IPv6";
}

std::string transport_text(const IpPacket& ip) {
  if (ip.later_fragment) return "";
  const Transport transport = read_transport(ip);
  switch (IpProtocol{ip.protocol}) {
    case IpProtocol::kTcp:
      return fmt::format("{} > {}, flags 0x{:03x}", transport.source_port,
                         transport.destination_port, transport.tcp_flags);
    case IpProtocol::kSctp:
    case IpProtocol::kDccp:
      return fmt::format("{} > {}", transport.source_port, transport.destination_port);
    case IpProtocol::kIcmp:
    case IpProtocol::kIcmpv6:
      return fmt::format("type {} code {}", transport.destination_port >> 8,
                         transport.destination_port & 0xff);
    default:
      return "";
  }
}

std::string ip_text(const Walk& walk, const IpPacket& ip) {
  FlowKey key;
  fill_addresses(ip, key);
  key.set_kind(ip.version, CoarseLevel::kExact);
  std::string text = fmt::format("{} > {}, protocol {}, length {}, ttl {}", source_text(key),
                                 destination_text(key), ip.protocol, ip.octets, ip.ttl);
  if (ip.tos != 0) text += fmt::format(", tos {}", ip.tos);
  if ((ip.fragment_flags & kDontFragment) != 0) text += ", do not fragment";
  if (ip.later_fragment) {
    text += fmt::format(", later fragment of {}", ip.identification);
  } else if ((ip.fragment_flags & kMoreFragments) != 0) {
    text += fmt::format(", first fragment of {}", ip.identification);
  }
  if (ip.version == IpVersion::kV6) text += extensions_text(walk.cursor, ip);
  return text;
}

}  // namespace wiretally
