// SPDX-License-Identifier: Apache-2.0
// Tunnels over UDP: VXLAN and its generic extension, GENEVE, GTP, Teredo, AYIYA, LISP, CAPWAP,
// TZSP. A datagram on such a port that does not look like its protocol is no tunnel.
// Thread: worker.
#include "dataplane/packet/attribute_notes.hpp"
#include "dataplane/packet/limits.hpp"
#include "dataplane/packet/link_headers.hpp"
#include "dataplane/packet/link_layer.hpp"
#include "dataplane/packet/tunnel.hpp"
#include "dataplane/packet/tunnel_headers.hpp"

namespace wiretally {
namespace {

// 3GPP TS 29.281 section 5.2.1: a length in words first, the next type in the last octet.
bool skip_gtp_extensions(Cursor& cursor, std::uint8_t next) {
  for (unsigned extensions = 0; next != 0; ++extensions) {
    const auto* words = cursor.peek<std::uint8_t>();
    if (words == nullptr || *words == 0 || extensions == kHeaderElementsMax) return false;
    const std::size_t octets = *words * std::size_t{4};
    const auto* last = cursor.peek<std::uint8_t>(octets - 1);
    if (last == nullptr) return false;
    next = *last;
    cursor.skip(octets);
  }
  return true;
}

// A T-PDU is IP as a rule; an Ethernet PDU session carries frames, known by their ethertype.
Layer layer_of_gtp_payload(const Walk& walk) {
  const Layer ip = layer_of_ip_version(walk);
  if (ip.kind != LayerKind::kNotIp) return ip;
  const auto* ethernet = walk.cursor.peek<EthernetHeader>();
  if (ethernet == nullptr) return kNotIp;
  switch (Ethertype{ethernet->type.value()}) {
    case Ethertype::kIpv4:
    case Ethertype::kIpv6:
    case Ethertype::kVlan:
      return {LayerKind::kEthernet};
    default:
      return kNotIp;
  }
}

}  // namespace

// RFC 7348 wants the I flag set; senders that leave it 0 are read all the same.
Layer read_vxlan(Walk& walk) {
  const auto* header = walk.cursor.take<VxlanHeader>();
  if (header == nullptr) return kTruncated;
  note_tunnel(walk, TunnelKind::kVxlan, header->network());
  return {LayerKind::kEthernet};
}

Layer read_vxlan_gpe(Walk& walk) {
  const auto* header = walk.cursor.take<VxlanHeader>();
  if (header == nullptr) return kTruncated;
  note_tunnel(walk, TunnelKind::kVxlanGpe, header->network());
  switch (header->next_protocol) {
    case 1:
      return {LayerKind::kIpv4};
    case 2:
      return {LayerKind::kIpv6};
    case 3:
      return {LayerKind::kEthernet};
    case 4:
      return {LayerKind::kNsh};
    case 5:
      return {LayerKind::kMpls};
    default:
      return kNotIp;
  }
}

Layer read_geneve(Walk& walk) {
  const auto* header = walk.cursor.take<GeneveHeader>();
  if (header == nullptr || !walk.cursor.skip(header->option_octets())) return kTruncated;
  note_tunnel(walk, TunnelKind::kGeneve, header->network());
  return layer_of_ethertype(walk, header->protocol.value());
}

// Version 1. Version 0 (GSM 09.60, port 3386) is withdrawn; its port now belongs to charging
// (GTP').
Layer read_gtp(Walk& walk) {
  const auto* header = walk.cursor.peek<GtpHeader>();
  if (header == nullptr) return kTruncated;
  if ((header->flags & GtpHeader::kProtocolGtp) == 0) return kNotIp;
  if (header->version() != 1) return kUnreadTunnel;
  if (header->message_type != GtpHeader::kTransportPdu) return kNotIp;
  note_tunnel(walk, TunnelKind::kGtp, header->tunnel.value());
  walk.cursor.skip(sizeof *header);
  walk.cursor.limit(header->octets.value());
  if ((header->flags & GtpHeader::kOptionalFields) != 0) {
    const auto* fields = walk.cursor.take<GtpOptionalFields>();
    if (fields == nullptr) return kTruncated;
    const bool extended = (header->flags & GtpHeader::kExtension) != 0;
    if (extended && !skip_gtp_extensions(walk.cursor, fields->next_extension)) return kTruncated;
  }
  if (walk.cursor.on_wire() == 0) return kNotIp;  // an end marker's or container's empty T-PDU
  return layer_of_gtp_payload(walk);
}

Layer read_teredo(Walk& walk) {
  constexpr std::uint16_t kAuthentication = 1;
  constexpr std::uint16_t kOrigin = 0;
  const Be16* indicator = walk.cursor.peek<Be16>();
  if (indicator == nullptr) return kTruncated;
  if (indicator->value() == kAuthentication) {
    const auto* header = walk.cursor.take<TeredoAuthentication>();
    if (header == nullptr) return kTruncated;
    const std::size_t rest = header->client_octets + header->value_octets + kTeredoNonceOctets;
    if (!walk.cursor.skip(rest)) return kTruncated;
    indicator = walk.cursor.peek<Be16>();
    if (indicator == nullptr) return kTruncated;
  }
  if (indicator->value() == kOrigin && !walk.cursor.skip(kTeredoOriginOctets)) return kTruncated;
  const Layer ip = layer_of_ip_version(walk);
  if (ip.kind != LayerKind::kIpv6) return ip.kind == LayerKind::kIpv4 ? kNotIp : ip;
  note_tunnel(walk, TunnelKind::kTeredo, 0);
  return ip;
}

Layer read_ayiya(Walk& walk) {
  const auto* header = walk.cursor.peek<AyiyaHeader>();
  if (header == nullptr) return kTruncated;
  if (!header->forward()) return kNotIp;
  note_tunnel(walk, TunnelKind::kAyiya, 0);
  return walk.cursor.skip(header->octets()) ? layer_of_ip_protocol(header->next_header)
                                            : kTruncated;
}

Layer read_lisp(Walk& walk) {
  const auto* header = walk.cursor.take<LispHeader>();
  if (header == nullptr) return kTruncated;
  note_tunnel(walk, TunnelKind::kLisp, header->instance());
  return layer_of_ip_version(walk);
}

// Fragments of a frame are not put together, and DTLS is not opened.
Layer read_capwap(Walk& walk) {
  constexpr std::uint8_t kTypeMask = 0x0f;
  constexpr unsigned kTypeDtls = 1;
  constexpr unsigned kBindingWlan = 1;
  constexpr std::uint8_t kVersionAndType = 0x0f;
  constexpr std::uint8_t kDataFrame = 0x08;
  const auto* header = walk.cursor.peek<CapwapHeader>();
  if (header == nullptr) return kTruncated;
  const unsigned type = header->version_and_type & kTypeMask;
  if (type == kTypeDtls) return kEncrypted;
  if (type != 0) return kNotIp;
  if (header->keep_alive()) return kNotIp;
  if (header->fragmented()) return kLinkFragment;
  if (header->octets() < sizeof *header) return kNotIp;
  note_tunnel(walk, TunnelKind::kCapwap, 0);
  if (!walk.cursor.skip(header->octets())) return kTruncated;
  if (!header->native_frame()) return {LayerKind::kEthernet};
  if (header->binding() != kBindingWlan) return kNotIp;
  const Be16* control = walk.cursor.peek<Be16>();
  if (control == nullptr) return kTruncated;
  const bool as_is = (control->octets[0] & kVersionAndType) == kDataFrame;
  return {as_is ? LayerKind::kWlan : LayerKind::kWlanSwapped};
}

Layer read_tzsp(Walk& walk) {
  constexpr std::uint8_t kKeepAlive = 4;
  constexpr std::uint8_t kTagEnd = 1;
  constexpr std::uint8_t kTagPadding = 0;
  constexpr std::uint16_t kEncapsulatedEthernet = 1;
  constexpr std::uint16_t kEncapsulatedPpp = 4;
  constexpr std::uint16_t kEncapsulatedWlan = 18;
  const auto* header = walk.cursor.take<TzspHeader>();
  if (header == nullptr) return kTruncated;
  if (header->type >= kKeepAlive) return kNotIp;
  note_tunnel(walk, TunnelKind::kTzsp, 0);
  for (unsigned tags = 0;; ++tags) {
    const auto* tag = walk.cursor.take<std::uint8_t>();
    if (tag == nullptr) return kTruncated;
    if (*tag == kTagEnd) break;
    if (tags == kHeaderElementsMax) return kTooDeep;
    if (*tag == kTagPadding) continue;
    const auto* octets = walk.cursor.take<std::uint8_t>();
    if (octets == nullptr || !walk.cursor.skip(*octets)) return kTruncated;
  }
  switch (header->encapsulation.value()) {
    case kEncapsulatedEthernet:
      return {LayerKind::kEthernet};
    case kEncapsulatedPpp:
      return {LayerKind::kPpp};
    case kEncapsulatedWlan:
      return {LayerKind::kWlan};
    default:
      return kNotIp;
  }
}

}  // namespace wiretally
