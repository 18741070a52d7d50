// SPDX-License-Identifier: Apache-2.0
// Serial and access links: PPP in its framings, PPP over Ethernet, Cisco HDLC, Frame Relay.
// Thread: worker.
#include "dataplane/packet/limits.hpp"
#include "dataplane/packet/link_headers.hpp"
#include "dataplane/packet/link_layer.hpp"

namespace wiretally {
namespace {

constexpr std::uint8_t kHdlcUnicast = 0x0f;
constexpr std::uint8_t kHdlcMulticast = 0x8f;
constexpr std::uint8_t kAllStations = 0xff;

// RFC 3518: only bridged Ethernet is followed.
Layer read_bridging(Walk& walk) {
  constexpr std::uint8_t kFcsPresent = 0x80;
  constexpr std::uint8_t kBridgeControl = 0x10;
  constexpr std::uint8_t kPadCount = 0x0f;
  constexpr std::uint8_t kMacEthernet = 1;
  const auto* header = walk.cursor.take<BridgingHeader>();
  if (header == nullptr) return kTruncated;
  if ((header->flags & kBridgeControl) != 0 || header->mac_type != kMacEthernet) return kNotIp;
  walk.cursor.drop_tail(header->flags & kPadCount);
  if ((header->flags & kFcsPresent) != 0) walk.cursor.drop_tail(4);
  return {LayerKind::kEthernet};
}

// RFC 1990: a fragment that is both first and last holds a whole frame.
Layer read_multilink(Walk& walk) {
  constexpr std::uint8_t kFirstAndLast = 0xc0;
  const auto* header = walk.cursor.take<MultilinkHeader>();
  if (header == nullptr) return kTruncated;
  return (header->flags & kFirstAndLast) == kFirstAndLast ? Layer{LayerKind::kPpp} : kLinkFragment;
}

// Numbers in the place of a PPP protocol, as Cisco HDLC and its Frame Relay cousin use them.
Layer layer_of_hdlc_protocol(Walk& walk, std::uint16_t protocol) {
  switch (Ethertype{protocol}) {
    case Ethertype::kIpv4:
    case Ethertype::kIpv6:
    case Ethertype::kMpls:
    case Ethertype::kMplsUpstream:
    case Ethertype::kTransparentEthernet:
      return layer_of_ethertype(walk, protocol);
    default:
      break;
  }
  if (walk.below_first_ip) walk.protocol_number = protocol;
  return kNotIp;
}

}  // namespace

Layer read_pppoe(Walk& walk) {
  const auto* header = walk.cursor.take<PppoeHeader>();
  if (header == nullptr) return kTruncated;
  walk.cursor.limit(header->payload_octets.value());
  return {LayerKind::kPpp};
}

// RFC 1662 framing; address and control may have been negotiated away, and Cisco HDLC shares the
// link.
Layer read_ppp_hdlc(Walk& walk) {
  const auto* first = walk.cursor.peek<std::uint8_t>();
  if (first == nullptr) return kTruncated;
  if (*first == kHdlcUnicast || *first == kHdlcMulticast) return {LayerKind::kCiscoHdlc};
  if (*first == kAllStations && !walk.cursor.skip(2)) return kTruncated;
  return {LayerKind::kPpp};
}

Layer read_ppp(Walk& walk) {
  const auto* first = walk.cursor.peek<std::uint8_t>();
  if (first == nullptr) return kTruncated;
  std::uint16_t protocol = *first;
  if ((protocol & 1) != 0) {  // RFC 1661 section 6.5: compressed to one octet
    walk.cursor.skip(1);
  } else {
    const Be16* field = walk.cursor.take<Be16>();
    if (field == nullptr) return kTruncated;
    protocol = field->value();
  }
  if (walk.below_first_ip && walk.protocol_number == 0) walk.protocol_number = protocol;
  switch (PppProtocol{protocol}) {
    case PppProtocol::kIpv4:
      return {LayerKind::kIpv4};
    case PppProtocol::kIpv6:
      return {LayerKind::kIpv6};
    case PppProtocol::kMpls:
    case PppProtocol::kMplsUpstream:
      return {LayerKind::kMpls};
    case PppProtocol::kBridging:
      return read_bridging(walk);
    case PppProtocol::kMultilink:
      return read_multilink(walk);
    case PppProtocol::kLlc:
      return {LayerKind::kLlc};
    default:
      break;
  }
  // Some stacks put an ethertype here; IANA has never assigned these two to PPP.
  if (Ethertype{protocol} == Ethertype::kIpv4) return {LayerKind::kIpv4};
  if (Ethertype{protocol} == Ethertype::kIpv6) return {LayerKind::kIpv6};
  return kNotIp;
}

Layer read_cisco_hdlc(Walk& walk) {
  const auto* header = walk.cursor.take<CiscoHdlcHeader>();
  return header == nullptr ? kTruncated : layer_of_hdlc_protocol(walk, header->protocol.value());
}

// Q.922 address, then RFC 2427 (control, padding, NLPID) or Cisco's two octets of ethertype.
Layer read_frame_relay(Walk& walk) {
  constexpr std::uint8_t kUnnumberedInformation = 0x03;
  constexpr unsigned kAddressOctetsMax = 4;
  bool signalling = true;  // DLCI 0
  for (unsigned octet = 0;; ++octet) {
    if (octet == kAddressOctetsMax) return kNotIp;
    const auto* address = walk.cursor.take<std::uint8_t>();
    if (address == nullptr) return kTruncated;
    if ((*address & (octet == 0 ? 0xfc : octet == 1 ? 0xf0 : 0xfe)) != 0) signalling = false;
    if ((*address & 1) != 0) break;
  }
  const auto* control = walk.cursor.peek<std::uint8_t>();
  if (control == nullptr) return kTruncated;
  if (*control == kUnnumberedInformation) {
    walk.cursor.skip(1);
    const auto* padding = walk.cursor.peek<std::uint8_t>();
    if (padding != nullptr && *padding == 0) walk.cursor.skip(1);
    return {LayerKind::kNlpid};
  }
  if (signalling) return kNotIp;
  const Be16* protocol = walk.cursor.take<Be16>();
  return protocol == nullptr ? kTruncated : layer_of_hdlc_protocol(walk, protocol->value());
}

}  // namespace wiretally
