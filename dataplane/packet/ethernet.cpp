// SPDX-License-Identifier: Apache-2.0
// Ethernet and what stands between its addresses and its payload: VLAN and other tags, 802.3 length
// with LLC and SNAP, MAC-in-MAC shims. Thread: worker.
#include "dataplane/packet/attribute_notes.hpp"
#include "dataplane/packet/limits.hpp"
#include "dataplane/packet/link_headers.hpp"
#include "dataplane/packet/link_layer.hpp"

namespace wiretally {
namespace {

constexpr std::uint16_t kNovellRaw = 0xffff;  // IPX straight behind the length field, no LLC
constexpr std::uint8_t kSapIp = 0x06;
constexpr std::uint8_t kSapSnap = 0xaa;
constexpr std::uint8_t kSapIso = 0xfe;

bool is_unnumbered(std::uint8_t control) {
  return (control & 0x03) == 0x03;
}
// I or UI frame, poll bit aside: only those carry a packet.
bool carries_information(std::uint8_t control) {
  return (control & 0x01) == 0 || (control & ~0x10) == 0x03;
}

Layer layer_behind_type(Ethertype type) {
  switch (type) {
    case Ethertype::kIpv4:
      return {LayerKind::kIpv4};
    case Ethertype::kIpv6:
      return {LayerKind::kIpv6};
    case Ethertype::kMpls:
    case Ethertype::kMplsUpstream:
      return {LayerKind::kMpls};
    case Ethertype::kPppoeSession:
      return {LayerKind::kPppoe};
    case Ethertype::kPpp:
      return {LayerKind::kPppHdlc};
    case Ethertype::kTransparentEthernet:
      return {LayerKind::kEthernet};
    case Ethertype::kRawFrameRelay:
      return {LayerKind::kFrameRelay};
    case Ethertype::kBackboneService:
      return {LayerKind::kServiceInstance};
    case Ethertype::kMacsec:
      return {LayerKind::kMacsec};
    case Ethertype::kVnTag:
      return {LayerKind::kVnTag};
    case Ethertype::kExtensionTag:
      return {LayerKind::kExtensionTag};
    case Ethertype::kRedundancyTag:
    case Ethertype::kHsr:
      return {LayerKind::kRedundancyTag};
    case Ethertype::kCiscoMetadata:
      return {LayerKind::kCiscoMetadata};
    case Ethertype::kAristaTimestamp:
      return {LayerKind::kAristaTimestamp};
    case Ethertype::kTrill:
      return {LayerKind::kTrill};
    case Ethertype::kFabricPath:
      return {LayerKind::kFabricPath};
    case Ethertype::kBatman:
      return {LayerKind::kBatman};
    case Ethertype::kNsh:
      return {LayerKind::kNsh};
    case Ethertype::kJumboLlc:
      return {LayerKind::kLlc};
    default:
      return kNotIp;
  }
}

}  // namespace

Layer layer_of_ethertype(Walk& walk, std::uint16_t type) {
  switch (Ethertype{type}) {
    case Ethertype::kVlan:
    case Ethertype::kProviderVlan:
    case Ethertype::kOldQinq:
      return {LayerKind::kVlanTag};
    default:
      break;
  }
  if (walk.below_first_ip) walk.protocol_number = type;
  return layer_behind_type(Ethertype{type});
}

Layer layer_of_type_or_length(Walk& walk, std::uint16_t value) {
  note_type(walk, value);
  if (value > kLengthMax) {
    // 1501 to 1535 is neither a length nor a type.
    return value < kEthertypeMin ? kNotIp : layer_of_ethertype(walk, value);
  }
  if (value == 0) return kNotIp;
  walk.cursor.limit(value);
  const Be16* head = walk.cursor.peek<Be16>();
  if (head != nullptr && head->value() == kNovellRaw) return kNotIp;
  return {LayerKind::kLlc};
}

Layer read_ethernet(Walk& walk) {
  const auto* header = walk.cursor.peek<EthernetHeader>();
  if (header == nullptr) return kTruncated;
  const std::uint8_t* to = header->destination;
  const bool isl_address =
      (to[0] == 0x01 || to[0] == 0x0c) && to[1] == 0 && to[2] == 0x0c && to[3] == 0 && to[4] == 0;
  if (isl_address && header->type.value() <= kLengthMax) return {LayerKind::kIsl};
  note_macs(walk, header->destination, header->source);
  walk.cursor.skip(sizeof *header);
  return layer_of_type_or_length(walk, header->type.value());
}

Layer read_vlan_tag(Walk& walk) {
  const auto* tag = walk.cursor.take<VlanTag>();
  if (tag == nullptr) return kTruncated;
  if (walk.vlan_tags == 0 && walk.below_first_ip) walk.vlan = tag->id();
  note_tag(walk, tag->control.value());
  if (++walk.vlan_tags > kVlanTagsMax) return kTooDeep;
  return layer_of_type_or_length(walk, tag->type.value());
}

Layer read_service_instance(Walk& walk) {
  if (walk.cursor.take<ServiceInstanceTag>() == nullptr) return kTruncated;
  return {LayerKind::kEthernet};
}

// Integrity only (neither encrypted nor changed) is readable; the check value ends the frame.
Layer read_macsec(Walk& walk) {
  constexpr std::uint8_t kChannelIdentifier = 0x20;
  constexpr std::uint8_t kEncryptedOrChanged = 0x0c;
  constexpr unsigned kChannelIdentifierOctets = 8;
  constexpr unsigned kCheckValueOctets = 16;
  const auto* tag = walk.cursor.take<MacsecTag>();
  if (tag == nullptr) return kTruncated;
  if ((tag->control & kEncryptedOrChanged) != 0) return kEncrypted;
  if ((tag->control & kChannelIdentifier) != 0 && !walk.cursor.skip(kChannelIdentifierOctets)) {
    return kTruncated;
  }
  walk.cursor.drop_tail(kCheckValueOctets);
  const Be16* type = walk.cursor.take<Be16>();
  return type == nullptr ? kTruncated : layer_of_type_or_length(walk, type->value());
}

Layer read_arista_timestamp(Walk& walk) {
  constexpr std::uint16_t kTimestamp = 1;
  const auto* header = walk.cursor.take<AristaHeader>();
  if (header == nullptr) return kTruncated;
  if (header->subtype.value() != kTimestamp) return kNotIp;
  unsigned octets = 0;
  switch (header->version.value() & 0xff) {  // the second octet's 1 says UTC instead of TAI
    case 0x10:
      octets = 8;
      break;
    case 0x20:
      octets = 6;
      break;
    default:
      return kNotIp;
  }
  if (!walk.cursor.skip(octets)) return kTruncated;
  const Be16* type = walk.cursor.take<Be16>();
  return type == nullptr ? kTruncated : layer_of_type_or_length(walk, type->value());
}

Layer read_trill(Walk& walk) {
  const auto* header = walk.cursor.take<TrillHeader>();
  if (header == nullptr) return kTruncated;
  const unsigned option_octets = (header->control.value() >> 6 & 0x1fU) * 4;
  return walk.cursor.skip(option_octets) ? Layer{LayerKind::kEthernet} : kTruncated;
}

Layer read_fabric_path(Walk& walk) {
  constexpr unsigned kForwardingTagOctets = 2;
  return walk.cursor.skip(kForwardingTagOctets) ? Layer{LayerKind::kEthernet} : kTruncated;
}

// Only packets that carry a whole client frame are followed: broadcast and unicast.
Layer read_batman(Walk& walk) {
  const auto* header = walk.cursor.peek<BatmanHeader>();
  if (header == nullptr) return kTruncated;
  unsigned octets = 0;
  if (header->version == 15) {
    octets = header->packet_type == 0x01 ? 14 : header->packet_type == 0x40 ? 10 : 0;
    if (header->packet_type == 0x42) octets = 18;
  } else if (header->version == 14) {
    octets = header->packet_type == 0x04 ? 14 : header->packet_type == 0x03 ? 10 : 0;
    if (header->packet_type == 0x09) octets = 18;
  }
  if (octets == 0) return kNotIp;
  return walk.cursor.skip(octets) ? Layer{LayerKind::kEthernet} : kTruncated;
}

Layer read_isl(Walk& walk) {
  constexpr unsigned kFixedPart = 14;  // what the length field does not count
  constexpr unsigned kFcsOctets = 4;
  const auto* header = walk.cursor.peek<IslHeader>();
  if (header == nullptr) return kTruncated;
  if (walk.vlan_tags == 0 && walk.below_first_ip) walk.vlan = (header->vlan.value() >> 1) & 0x0fff;
  note_tag(walk, (header->vlan.value() >> 1) & 0x0fff);
  if (++walk.vlan_tags > kVlanTagsMax) return kTooDeep;
  if (header->length.value() != 0) walk.cursor.limit(header->length.value() + kFixedPart);
  const bool ethernet = header->type_and_user >> 4 == 0;
  walk.cursor.skip(sizeof *header);
  if (!ethernet) return kNotIp;
  walk.cursor.drop_tail(kFcsOctets);
  return {LayerKind::kEthernet};
}

Layer read_llc(Walk& walk) {
  const auto* header = walk.cursor.take<LlcHeader>();
  if (header == nullptr) return kTruncated;
  if (walk.below_first_ip) walk.protocol_number = header->destination_sap;
  if (!is_unnumbered(header->control) && !walk.cursor.skip(1)) return kTruncated;
  if (!carries_information(header->control)) return kNotIp;
  if (header->destination_sap == kSapSnap && header->source_sap == kSapSnap) {
    return {LayerKind::kSnap};
  }
  switch (header->destination_sap) {
    case kSapIp:
      return {LayerKind::kIpv4};
    case kSapIso:
      return {LayerKind::kNlpid};
    default:
      return kNotIp;
  }
}

Layer read_snap(Walk& walk, unsigned bridge_padding) {
  constexpr std::uint32_t kEncapsulatedEthernet = 0x000000;
  constexpr std::uint32_t kBridgeTunnel = 0x0000f8;
  constexpr std::uint32_t kIeee8021 = 0x0080c2;
  constexpr std::uint16_t kBridgedWithFcs = 0x0001;
  constexpr std::uint16_t kBridgedWithoutFcs = 0x0007;
  const auto* header = walk.cursor.take<SnapHeader>();
  if (header == nullptr) return kTruncated;
  const std::uint16_t protocol = header->protocol.value();
  switch (header->organization_id()) {
    case kEncapsulatedEthernet:
    case kBridgeTunnel:
      return layer_of_ethertype(walk, protocol);
    case kIeee8021:
      if (protocol != kBridgedWithFcs && protocol != kBridgedWithoutFcs) break;
      if (!walk.cursor.skip(bridge_padding)) return kTruncated;
      if (protocol == kBridgedWithFcs) walk.cursor.drop_tail(4);
      return {LayerKind::kEthernet};
    default:
      break;
  }
  if (walk.below_first_ip) walk.protocol_number = protocol;
  return kNotIp;
}

Layer read_nlpid(Walk& walk) {
  const auto* identifier = walk.cursor.take<std::uint8_t>();
  if (identifier == nullptr) return kTruncated;
  if (walk.below_first_ip) walk.protocol_number = *identifier;
  switch (Nlpid{*identifier}) {
    case Nlpid::kIpv4:
      return {LayerKind::kIpv4};
    case Nlpid::kIpv6:
      return {LayerKind::kIpv6};
    case Nlpid::kSnap:
      return {LayerKind::kSnapFrameRelay};
    case Nlpid::kPpp:
      return {LayerKind::kPpp};
    default:
      return kNotIp;
  }
}

Layer read_fddi(Walk& walk) {
  const auto* header = walk.cursor.take<FddiHeader>();
  if (header == nullptr) return kTruncated;
  note_macs(walk, header->destination, header->source);
  const bool asynchronous_llc = (header->frame_control & 0xf0) == 0x50;
  return asynchronous_llc ? Layer{LayerKind::kLlc} : kNotIp;
}

Layer read_token_ring(Walk& walk) {
  const auto* header = walk.cursor.take<TokenRingHeader>();
  if (header == nullptr) return kTruncated;
  MacAddress source = std::to_array(header->source);
  source[0] &= 0x7f;
  note_macs(walk, header->destination, source.data());
  if ((header->source[0] & 0x80) != 0) {  // source routed: the first octet has the length
    const auto* control = walk.cursor.peek<std::uint8_t>();
    if (control == nullptr || !walk.cursor.skip(*control & 0x1f)) return kTruncated;
  }
  const bool llc = (header->frame_control & 0xc0) == 0x40;
  return llc ? Layer{LayerKind::kLlc} : kNotIp;
}

}  // namespace wiretally
