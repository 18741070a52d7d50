// SPDX-License-Identifier: Apache-2.0
// What captures put before a packet, by the link type of the file or interface (tcpdump.org's
// list): pseudo headers, loopback families, netfilter attributes. Thread: worker.
#include "dataplane/packet/attribute_notes.hpp"
#include "dataplane/packet/limits.hpp"
#include "dataplane/packet/link_headers.hpp"
#include "dataplane/packet/link_layer.hpp"

namespace wiretally {
namespace {

Layer behind(Walk& walk, std::size_t pseudo_header_octets, LayerKind kind) {
  return walk.cursor.skip(pseudo_header_octets) ? Layer{kind} : kTruncated;
}

// An ethertype `offset` octets on, its payload `payload` octets on.
Layer behind_ethertype_at(Walk& walk, std::size_t offset, std::size_t payload) {
  const auto* type = walk.cursor.peek<Be16>(offset);
  if (type == nullptr || !walk.cursor.skip(payload)) return kTruncated;
  return layer_of_type_or_length(walk, type->value());
}

// IEEE 802.3br: seven octets, then a delimiter: of an express frame, or of the first piece of one
// that may be interrupted (by frame number). Anything else continues such a frame.
Layer behind_preamble(Walk& walk) {
  constexpr std::size_t kDelimiterOffset = 7;
  const auto* delimiter = walk.cursor.peek<std::uint8_t>(kDelimiterOffset);
  if (delimiter == nullptr) return kTruncated;
  switch (*delimiter) {
    case 0xd5:
    case 0xe6:
    case 0x4c:
    case 0x7f:
    case 0xb3:
      return behind(walk, kDelimiterOffset + 1, LayerKind::kEthernet);
    default:
      return kLinkFragment;
  }
}

// Address families as the BSDs and Linux number them; captures outlive the machine they come from.
Layer layer_of_family(Walk& walk, std::uint32_t family) {
  if (family > kLengthMax) return layer_of_ethertype(walk, static_cast<std::uint16_t>(family));
  if (walk.below_first_ip) walk.protocol_number = static_cast<std::uint16_t>(family);
  switch (family) {
    case 2:
      return {LayerKind::kIpv4};
    case 24:
    case 28:
    case 30:
      return {LayerKind::kIpv6};
    default:
      return kNotIp;
  }
}

// The family may have been written in either byte order, and by some systems as 16 bits in the
// first half of the field: small numbers tell.
std::uint32_t loopback_family(const std::uint8_t* octets) {
  constexpr std::uint32_t kHalf = 0x10000;
  constexpr std::uint32_t kHalfFamilyMax = 5;  // what those systems used
  const std::uint32_t little = load_le32(octets);
  const std::uint32_t big = load_be32(octets);
  if (little < kHalf) {
    const bool swapped_half = (little & 0xff) == 0 && (little >> 8) <= kHalfFamilyMax;
    return swapped_half ? little >> 8 : little;
  }
  if (little >> 16 <= kHalfFamilyMax) return little >> 16;
  return big;
}

}  // namespace

// long: one line a link type.
Layer layer_of_link_type(Walk& walk, LinkType type) {
  switch (type) {
    case LinkType::kEthernet:
      return {LayerKind::kEthernet};
    case LinkType::kNull:
    case LinkType::kLoop:
      return {LayerKind::kNullLoopback};
    case LinkType::kRawBsd:
    case LinkType::kRawOpenBsd:
    case LinkType::kRaw:
      return {LayerKind::kRawIp};
    case LinkType::kIpv4:
      return {LayerKind::kIpv4};
    case LinkType::kIpv6:
      return {LayerKind::kIpv6};
    case LinkType::kPpp:
    case LinkType::kPppSerial:
      return {LayerKind::kPppHdlc};
    case LinkType::kPppEther:
      return {LayerKind::kPppoe};
    case LinkType::kPppWithDirection:
      return behind(walk, 2, LayerKind::kPpp);
    case LinkType::kPppWithDirectionHdlc:
      return behind(walk, 1, LayerKind::kPppHdlc);
    case LinkType::kCiscoHdlc:
      return {LayerKind::kCiscoHdlc};
    case LinkType::kCiscoHdlcWithDirection:
      return behind(walk, 1, LayerKind::kCiscoHdlc);
    case LinkType::kFrameRelay:
      return {LayerKind::kFrameRelay};
    case LinkType::kFrameRelayWithDirection:
      return behind(walk, 1, LayerKind::kFrameRelay);
    case LinkType::kFddi:
      return {LayerKind::kFddi};
    case LinkType::kTokenRing:
      return {LayerKind::kTokenRing};
    case LinkType::kAtmRfc1483:
      return {LayerKind::kLlc};
    case LinkType::kSunAtm:
      return behind(walk, 4, LayerKind::kLlc);
    case LinkType::kIpOverFibreChannel:
      return behind(walk, 16, LayerKind::kLlc);
    case LinkType::kIpOver1394:
      return behind_ethertype_at(walk, 16, 18);
    case LinkType::kIpOverInfiniband:
      return behind_ethertype_at(walk, 40, 44);
    case LinkType::kNetAnalyzer:
      return behind(walk, 4, LayerKind::kEthernet);
    case LinkType::kEthernetWithPreamble:
      return behind_preamble(walk);
    case LinkType::kBroadcomTag:
      return behind_ethertype_at(walk, 16, 18);
    case LinkType::kBroadcomTagPrepended:
      return behind(walk, 4, LayerKind::kEthernet);
    case LinkType::kIeee80211:
      return {LayerKind::kWlan};
    case LinkType::kIeee80211Radiotap:
      return {LayerKind::kRadiotap};
    case LinkType::kIeee80211Prism:
      return {LayerKind::kPrism};
    case LinkType::kIeee80211Avs:
      return {LayerKind::kAvs};
    case LinkType::kPpi:
      return {LayerKind::kPpi};
    case LinkType::kLinuxSll:
      return {LayerKind::kLinuxSll};
    case LinkType::kLinuxSll2:
      return {LayerKind::kLinuxSll2};
    case LinkType::kJuniperEthernet:
      return {LayerKind::kJuniper};
    case LinkType::kIpnet:
      return {LayerKind::kIpnet};
    case LinkType::kArcnet:
      return behind(walk, 2, LayerKind::kArcnet);
    case LinkType::kArcnetLinux:
      return behind(walk, 4, LayerKind::kArcnet);
    case LinkType::kNflog:
      return {LayerKind::kNflog};
  }
  return {LayerKind::kUnknownLinkType};
}

Layer read_null_loopback(Walk& walk) {
  constexpr std::uint16_t kPppFraming = 0xff03;
  const auto* head = walk.cursor.peek<Be16>();
  if (head != nullptr && head->value() == kPppFraming) return {LayerKind::kPppHdlc};
  const auto* family = walk.cursor.take<Be32>();
  if (family == nullptr) return kTruncated;
  return layer_of_family(walk, loopback_family(family->octets));
}

// A link without a header: the version field tells, except for PPP that some drivers leave in
// front.
Layer read_raw_ip(Walk& walk) {
  constexpr std::uint16_t kPppFraming = 0xff03;
  const auto* head = walk.cursor.peek<Be16>();
  if (head != nullptr && head->value() == kPppFraming) return {LayerKind::kPppHdlc};
  return layer_of_ip_version(walk);
}

Layer layer_of_ip_version(const Walk& walk) {
  const auto* first = walk.cursor.peek<std::uint8_t>();
  if (first == nullptr) return kTruncated;
  switch (*first >> 4) {
    case 4:
      return {LayerKind::kIpv4};
    case 6:
      return {LayerKind::kIpv6};
    default:
      return kNotIp;
  }
}

namespace {

constexpr unsigned kMacOctets = 6;

// Both cooked captures: the hardware type can make the payload a frame of its own link type.
Layer layer_of_cooked(Walk& walk, std::uint16_t hardware_type, std::uint16_t protocol) {
  constexpr std::uint16_t kFrameRelayAccess = 770;
  constexpr std::uint16_t kWlanRadiotap = 803;
  constexpr std::uint16_t kNetlink = 824;
  constexpr std::uint16_t kProtocolEthernet = 0x0003;
  constexpr std::uint16_t kProtocolLlc = 0x0004;
  constexpr std::uint16_t kProtocolPppHdlc = 0x0007;
  if (hardware_type == kNetlink) return kNotIp;
  if (protocol > kEthertypeMin) return layer_of_ethertype(walk, protocol);
  if (walk.below_first_ip) walk.protocol_number = protocol;
  if (hardware_type == kFrameRelayAccess) return {LayerKind::kFrameRelay};
  if (hardware_type == kWlanRadiotap) return {LayerKind::kRadiotap};
  switch (protocol) {
    case kProtocolEthernet:
      return {LayerKind::kEthernet};
    case kProtocolLlc:
      return {LayerKind::kLlc};
    case kProtocolPppHdlc:
      return {LayerKind::kPppHdlc};
    default:
      return kNotIp;
  }
}

}  // namespace

Layer read_linux_sll(Walk& walk) {
  const auto* header = walk.cursor.take<LinuxSllHeader>();
  if (header == nullptr) return kTruncated;
  if (header->address_octets.value() == kMacOctets) note_macs(walk, nullptr, header->address);
  return layer_of_cooked(walk, header->hardware_type.value(), header->protocol.value());
}

Layer read_linux_sll2(Walk& walk) {
  const auto* header = walk.cursor.take<LinuxSll2Header>();
  if (header == nullptr) return kTruncated;
  if (header->address_octets == kMacOctets) note_macs(walk, nullptr, header->address);
  return layer_of_cooked(walk, header->hardware_type.value(), header->protocol.value());
}

Layer read_nflog(Walk& walk) {
  constexpr std::uint16_t kAttributePacketHeader = 1;
  constexpr std::uint16_t kAttributePayload = 9;
  constexpr std::uint8_t kFamilyIpv4 = 2;
  constexpr std::uint8_t kFamilyIpv6 = 10;
  const auto* header = walk.cursor.take<NflogHeader>();
  if (header == nullptr) return kTruncated;
  std::uint16_t ethertype = 0;
  for (unsigned attributes = 0; attributes < kHeaderElementsMax; ++attributes) {
    const auto* octets_field = walk.cursor.peek<Le16>();
    const auto* type_field = walk.cursor.peek<Le16>(2);
    if (type_field == nullptr) return kTruncated;
    // Host byte order of the capturing machine; no type is 0 or above 255, so its octets tell
    // which.
    const bool little = type_field->octets[0] != 0;
    const unsigned octets =
        little ? octets_field->value() : unsigned{load_be16(octets_field->octets)};
    const unsigned type =
        (little ? type_field->value() : unsigned{load_be16(type_field->octets)}) & 0x7fff;
    if (octets < 4) return kNotIp;
    if (type == kAttributePacketHeader) {
      const auto* protocol = walk.cursor.peek<Be16>(4);
      if (protocol != nullptr) ethertype = protocol->value();
    }
    if (octets > walk.cursor.on_wire()) return kTruncated;
    if (type == kAttributePayload) {
      walk.cursor.limit(octets);
      walk.cursor.skip(4);
      if (ethertype != 0) return layer_of_ethertype(walk, ethertype);
      if (header->family == kFamilyIpv4) return {LayerKind::kIpv4};
      return header->family == kFamilyIpv6 ? Layer{LayerKind::kIpv6} : kNotIp;
    }
    if (!walk.cursor.skip((octets + 3) / 4 * 4)) return kTruncated;
  }
  return kTooDeep;
}

Layer read_juniper(Walk& walk) {
  const auto* header = walk.cursor.peek<JuniperHeader>();
  if (header == nullptr) return kTruncated;
  const bool magic =
      header->magic[0] == 0x4d && header->magic[1] == 0x47 && header->magic[2] == 0x43;
  if (!magic) return {LayerKind::kEthernet};  // old systems write none
  walk.cursor.skip(sizeof *header);
  if ((header->flags & JuniperHeader::kExtensions) != 0) {
    const auto* octets = walk.cursor.take<Be16>();
    if (octets == nullptr || !walk.cursor.skip(octets->value())) return kTruncated;
  }
  if ((header->flags & JuniperHeader::kNoLinkLayer) == 0) return {LayerKind::kEthernet};
  const auto* protocol = walk.cursor.take<Le32>();
  if (protocol == nullptr) return kTruncated;
  switch (protocol->value()) {
    case 2:
    case 3:
      return {LayerKind::kIpv4};
    case 6:
    case 7:
      return {LayerKind::kIpv6};
    case 4:
    case 5:
    case 8:
      return {LayerKind::kMpls};
    case 200:
      return {LayerKind::kPpp};
    case 202:
    case 203:
      return {LayerKind::kLlc};
    case 204:
      return {LayerKind::kEthernet};
    case 207:
      return {LayerKind::kFrameRelay};
    case 208:
      return {LayerKind::kCiscoHdlc};
    default:
      return kNotIp;
  }
}

Layer read_ipnet(Walk& walk) {
  constexpr std::uint8_t kSolarisIpv4 = 2;
  constexpr std::uint8_t kSolarisIpv6 = 26;
  const auto* header = walk.cursor.take<IpnetHeader>();
  if (header == nullptr) return kTruncated;
  if (header->family == kSolarisIpv4) return {LayerKind::kIpv4};
  return header->family == kSolarisIpv6 ? Layer{LayerKind::kIpv6} : kNotIp;
}

// RFC 1201 frames have a split flag and a sequence number behind the protocol; RFC 1051 ones do
// not.
Layer read_arcnet(Walk& walk) {
  constexpr unsigned kFragmentationOctets = 3;
  const auto* protocol = walk.cursor.take<std::uint8_t>();
  if (protocol == nullptr) return kTruncated;
  if (walk.below_first_ip) walk.protocol_number = *protocol;
  switch (*protocol) {
    case 240:
      return {LayerKind::kIpv4};
    case 212:
      return behind(walk, kFragmentationOctets, LayerKind::kIpv4);
    case 196:
      return behind(walk, kFragmentationOctets, LayerKind::kIpv6);
    default:
      return kNotIp;
  }
}

}  // namespace wiretally
