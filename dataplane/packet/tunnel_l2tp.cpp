// SPDX-License-Identifier: Apache-2.0
// L2TP. Version 2 says in each packet what it holds. Version 3 does not: pseudowire type, cookie
// length and sublayer are agreed in control messages or by hand (RFC 3931 section 4.1), and the
// meter keeps no state. Of the few places where a payload may begin, it takes the one from which a
// framing leads to an IP header whose length ends where the packet ends and whose checksum holds:
// some 24 bits that have to fit. Without one the session stays closed. Thread: worker.
#include "dataplane/packet/attribute_notes.hpp"
#include "dataplane/packet/ip_headers.hpp"
#include "dataplane/packet/link_headers.hpp"
#include "dataplane/packet/link_layer.hpp"
#include "dataplane/packet/tunnel.hpp"
#include "dataplane/packet/tunnel_headers.hpp"

namespace wiretally {
namespace {

constexpr std::uint64_t kPaddedFrameMax = 64;  // Ethernet fills shorter frames up to that
constexpr unsigned kSessionTagsMax = 2;

// RFC 1071: the sum over a header with its checksum is all ones. 0: a card was to compute it.
bool checksum_holds(const Cursor& cursor, const Ipv4Header& header) {
  if (header.checksum.value() == 0) return true;
  std::uint32_t sum = 0;
  for (unsigned at = 0; at < header.header_octets(); at += 2) {
    const auto* word = cursor.peek<Be16>(at);
    if (word == nullptr) return false;
    sum += word->value();
  }
  return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

// True if an IP packet stands at the cursor that leaves at most `padding` octets behind it.
bool is_whole_packet(const Cursor& cursor, IpVersion version, std::uint64_t padding) {
  const auto* first = cursor.peek<std::uint8_t>();
  const bool v4 = version == IpVersion::kV4;
  if (first == nullptr || *first >> 4 != (v4 ? 4 : 6)) return false;
  std::uint64_t octets = 0;
  if (v4) {
    const auto* header = cursor.peek<Ipv4Header>();
    if (header == nullptr || header->header_octets() < sizeof *header) return false;
    octets = header->total_octets.value();
    if (octets < header->header_octets() || !checksum_holds(cursor, *header)) return false;
  } else {
    const auto* header = cursor.peek<Ipv6Header>();
    if (header == nullptr) return false;
    octets = header->payload_octets.value() + sizeof *header;
  }
  return octets <= cursor.on_wire() && cursor.on_wire() - octets <= padding;
}

bool is_packet_of_type(const Cursor& cursor, std::uint16_t type, std::uint64_t padding) {
  switch (Ethertype{type}) {
    case Ethertype::kIpv4:
      return is_whole_packet(cursor, IpVersion::kV4, padding);
    case Ethertype::kIpv6:
      return is_whole_packet(cursor, IpVersion::kV6, padding);
    default:
      return false;
  }
}

// RFC 4719.
bool is_ethernet(Cursor cursor) {
  const std::uint64_t padding = cursor.on_wire() <= kPaddedFrameMax ? kPaddedFrameMax : 0;
  const auto* header = cursor.take<EthernetHeader>();
  if (header == nullptr) return false;
  std::uint16_t type = header->type.value();
  for (unsigned tags = 0; tags < kSessionTagsMax; ++tags) {
    if (Ethertype{type} != Ethertype::kVlan && Ethertype{type} != Ethertype::kProviderVlan) break;
    const auto* tag = cursor.take<VlanTag>();
    if (tag == nullptr) return false;
    type = tag->type.value();
  }
  return is_packet_of_type(cursor, type, padding);
}

// PPP, with its address and control field or without (RFC 3931), and Cisco HDLC (RFC 4349).
bool is_ppp_or_hdlc(Cursor cursor) {
  constexpr std::uint16_t kAllStations = 0xff03;
  constexpr std::uint16_t kHdlcUnicast = 0x0f00;
  const auto* head = cursor.take<Be16>();
  if (head == nullptr) return false;
  const bool framed = head->value() == kAllStations || head->value() == kHdlcUnicast;
  const Be16* protocol = framed ? cursor.take<Be16>() : head;
  if (protocol == nullptr) return false;
  if (head->value() == kHdlcUnicast) return is_packet_of_type(cursor, protocol->value(), 0);
  switch (PppProtocol{protocol->value()}) {
    case PppProtocol::kIpv4:
      return is_whole_packet(cursor, IpVersion::kV4, 0);
    case PppProtocol::kIpv6:
      return is_whole_packet(cursor, IpVersion::kV6, 0);
    default:
      return false;
  }
}

// What a session's payload is, kUnreadTunnel if none of these.
Layer layer_of_session(const Cursor& cursor) {
  if (is_ethernet(cursor)) return {LayerKind::kEthernet};
  if (is_ppp_or_hdlc(cursor)) return {LayerKind::kPppHdlc};
  if (is_whole_packet(cursor, IpVersion::kV4, 0)) return {LayerKind::kIpv4};
  if (is_whole_packet(cursor, IpVersion::kV6, 0)) return {LayerKind::kIpv6};
  return kUnreadTunnel;
}

}  // namespace

Layer read_l2tp(Walk& walk) {
  constexpr unsigned kVersion2 = 2;
  constexpr unsigned kVersion3 = 3;
  constexpr unsigned kVersion3Octets = 4;  // RFC 3931 section 4.1.2.1: flags, reserved
  const auto* flags = walk.cursor.peek<L2tpFlags>();
  if (flags == nullptr) return kTruncated;
  if (flags->has(L2tpFlags::kControl)) return kNotIp;
  if (flags->version() == kVersion3) {
    return walk.cursor.skip(kVersion3Octets) ? Layer{LayerKind::kL2tpV3} : kTruncated;
  }
  if (flags->version() != kVersion2) return kNotIp;
  std::size_t octets = sizeof *flags;
  if (flags->has(L2tpFlags::kLength)) {
    const Be16* length = walk.cursor.peek<Be16>(octets);
    if (length == nullptr) return kTruncated;
    walk.cursor.limit(length->value());
    octets += 2;
  }
  if (const Be32* ids = walk.cursor.peek<Be32>(octets); ids != nullptr) {
    note_tunnel(walk, TunnelKind::kL2tp, ids->value());
  }
  octets += sizeof(Be32);  // tunnel and session
  if (flags->has(L2tpFlags::kSequence)) octets += 4;
  if (flags->has(L2tpFlags::kOffset)) {
    const Be16* padding = walk.cursor.peek<Be16>(octets);
    if (padding == nullptr) return kTruncated;
    octets += 2 + padding->value();
  }
  if (walk.cursor.on_wire() == octets) return kNotIp;  // nothing inside
  return walk.cursor.skip(octets) ? Layer{LayerKind::kPppHdlc} : kTruncated;
}

// RFC 3931 section 4.1: a session id, or 0 before a control message; a cookie of 0, 4 or 8 octets;
// the default sublayer of 4 octets or none.
Layer read_l2tp_v3(Walk& walk) {
  constexpr unsigned kWord = 4;
  constexpr unsigned kWordsMax = 3;
  const auto* session = walk.cursor.take<Be32>();
  if (session == nullptr) return kTruncated;
  if (session->value() == 0) return kNotIp;
  note_tunnel(walk, TunnelKind::kL2tp, session->value());
  Cursor payload = walk.cursor;
  for (unsigned words = 0; words <= kWordsMax; ++words) {
    const Layer layer = layer_of_session(payload);
    if (layer.kind != LayerKind::kUnreadTunnel) {
      walk.cursor = payload;
      return layer;
    }
    if (!payload.skip(kWord)) break;
  }
  return kUnreadTunnel;
}

}  // namespace wiretally
