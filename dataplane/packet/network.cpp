// SPDX-License-Identifier: Apache-2.0
// IPv4, IPv6 with its extension headers, and the head of the transport layer. Thread: worker.
#include "dataplane/packet/network.hpp"

#include <cstring>

#include "dataplane/packet/ip_headers.hpp"
#include "dataplane/packet/limits.hpp"

namespace wiretally {
namespace {

constexpr unsigned kIpv4HeaderMin = sizeof(Ipv4Header);
constexpr std::uint32_t kPlainLengthMax = 65'535;

// RFC 791: type, length, pointer to the next address (from 4, in steps of 4). A route whose pointer
// makes no sense is not followed by anybody, so its addresses are not needed.
bool source_route_complete(const Cursor& cursor, unsigned at) {
  const auto* option = cursor.peek<SourceRoute>(at);
  if (option == nullptr) return false;
  const unsigned pointer = option->pointer;
  if (pointer < 4 || pointer % 4 != 0 || pointer > option->octets) return true;
  return cursor.readable() >= at + option->octets;
}

// An IPv4 header is complete when its options can be read up to their end (RFC 791: option 0, the
// header's length, or an option whose length makes no sense and so ends the list) or to a source
// route, which is all of them that a packet's way depends on.
bool options_complete(const Cursor& cursor, unsigned header_octets) {
  constexpr std::uint8_t kEndOfList = 0;
  constexpr std::uint8_t kNoOperation = 1;
  constexpr std::uint8_t kLooseRoute = 131;
  constexpr std::uint8_t kStrictRoute = 137;
  if (cursor.readable() >= header_octets) return true;
  for (unsigned at = kIpv4HeaderMin; at < header_octets;) {
    const auto* type = cursor.peek<std::uint8_t>(at);
    if (type == nullptr) return false;
    if (*type == kEndOfList) return true;
    if (*type == kNoOperation) {
      ++at;
      continue;
    }
    if (at + 1 == header_octets) return true;
    const auto* octets = cursor.peek<std::uint8_t>(at + 1);
    if (octets == nullptr) return false;
    if (*octets < 2 || at + *octets > header_octets) return true;
    if (*type == kLooseRoute || *type == kStrictRoute) return source_route_complete(cursor, at);
    at += *octets;
  }
  return true;
}

ParseError read_ipv4(Cursor cursor, IpPacket& ip) {
  const auto* header = cursor.peek<Ipv4Header>();
  if (header == nullptr) return ParseError::kTruncatedIp;
  const unsigned header_octets = header->header_octets();
  if (header_octets < kIpv4HeaderMin) return ParseError::kBadIpHeaderLength;
  const std::uint16_t total = header->total_octets.value();
  if (total != 0 && total < header_octets) return ParseError::kBadIpTotalLength;
  if (!options_complete(cursor, header_octets)) return ParseError::kTruncatedIp;

  ip.version = IpVersion::kV4;
  ip.source = header->source;
  ip.destination = header->destination;
  ip.protocol = ip.next_header = header->protocol;
  ip.tos = header->tos;
  ip.ttl = header->ttl;
  ip.fragment_flags = header->flags();
  ip.identification = header->identification.value();
  ip.flow_label = 0;
  ip.later_fragment = header->fragment_offset() != 0;
  // 0: the sender's card was to split it (segmentation offload), so what was on the wire counts.
  ip.octets = total == 0 ? cursor.on_wire() : total;
  if (total == 0) ip.length_note = ParseError::kNoIpLength;
  if (total > cursor.on_wire()) ip.length_note = ParseError::kIpLengthBeyondFrame;
  cursor.limit(ip.octets);
  cursor.skip(header_octets);
  ip.payload = cursor;
  return ParseError::kNone;
}

// RFC 2675: the jumbo payload option of the hop-by-hop header at the cursor; 0 if there is none
// that says more than a payload length field could.
std::uint32_t jumbo_octets(const Cursor& cursor) {
  constexpr std::uint8_t kPad1 = 0;
  constexpr std::uint8_t kJumbo = 0xc2;
  const auto* extension = cursor.peek<Ipv6Extension>();
  if (extension == nullptr) return 0;
  std::size_t at = 2;
  for (unsigned options = 0; options < kIpv6OptionsMax && at < extension->octets(); ++options) {
    const auto* option = cursor.peek<JumboOption>(at);
    if (option == nullptr) return 0;
    if (option->type == kPad1) {
      ++at;
      continue;
    }
    if (option->type == kJumbo && option->octets == 4) {
      if (at + sizeof *option > extension->octets()) return 0;  // runs out of its header
      const std::uint32_t octets = option->payload_octets.value();
      return octets > kPlainLengthMax ? octets : 0;
    }
    at += 2 + option->octets;
  }
  return 0;
}

// Octets of the payload. Length 0 is a length like any other, unless the frame is longer than the
// field could say (BIG TCP, a jumbogram).
std::uint64_t ipv6_payload_octets(const Walk& walk, const Ipv6Header& header, IpPacket& ip) {
  const std::uint16_t length = header.payload_octets.value();
  if (length != 0) return length;
  Cursor behind = walk.cursor;
  behind.skip(sizeof header);
  if (IpProtocol{header.next_header} == IpProtocol::kHopByHop) {
    const std::uint32_t jumbo = jumbo_octets(behind);
    if (jumbo != 0) return jumbo;
  }
  if (walk.frame_octets <= kPlainLengthMax) return 0;
  ip.length_note = ParseError::kNoIpLength;
  return behind.on_wire();
}

bool is_extension(IpProtocol protocol) {
  return protocol == IpProtocol::kHopByHop || protocol == IpProtocol::kRouting ||
         protocol == IpProtocol::kFragment || protocol == IpProtocol::kDestinationOptions;
}

bool has_transport_head(IpProtocol protocol) {
  return has_ports(protocol) || protocol == IpProtocol::kIcmp || protocol == IpProtocol::kIcmpv6;
}

// Of an options or routing header that ends inside its first eight octets, the next header is still
// believed, unless it announces ports that cannot be there; of options, if their length is there.
void cut_extension(IpPacket& ip) {
  ip.note = ParseError::kTruncatedExtension;
  const auto* next = ip.payload.peek<std::uint8_t>();
  if (IpProtocol{ip.protocol} == IpProtocol::kFragment) return;
  const unsigned needed = IpProtocol{ip.protocol} == IpProtocol::kRouting ? 1 : 2;
  if (ip.payload.readable() < needed || has_transport_head(IpProtocol{*next})) return;
  ip.protocol = *next;
}

// Past hop-by-hop, routing, destination options and fragment headers to the upper layer's protocol.
// AH and ESP end the chain: what they protect is a matter of tunnels.
void skip_extensions(IpPacket& ip) {
  for (unsigned depth = 0; is_extension(IpProtocol{ip.protocol}); ++depth) {
    if (depth == kIpv6ExtensionsMax) {
      ip.note = ParseError::kTooManyExtensions;
      return;
    }
    const auto* extension = ip.payload.peek<Ipv6Extension>();
    if (extension == nullptr) return cut_extension(ip);
    const bool fragment = IpProtocol{ip.protocol} == IpProtocol::kFragment;
    if (fragment) {
      const auto* header = ip.payload.peek<Ipv6Fragment>();
      ip.later_fragment = header->later();
      if (header->more_fragments()) ip.fragment_flags = kMoreFragments;
      ip.identification = header->identification.value();
    }
    ip.protocol = extension->next_header;
    if (!ip.payload.skip(fragment ? sizeof(Ipv6Fragment) : extension->octets())) {
      ip.note = ParseError::kTruncatedExtension;
      return;
    }
    if (ip.later_fragment) return;
  }
}

ParseError read_ipv6(const Walk& walk, IpPacket& ip) {
  Cursor cursor = walk.cursor;
  const auto* header = cursor.peek<Ipv6Header>();
  if (header == nullptr) return ParseError::kTruncatedIp;
  ip.version = IpVersion::kV6;
  ip.source = header->source;
  ip.destination = header->destination;
  ip.protocol = ip.next_header = header->next_header;
  ip.tos = header->traffic_class();
  ip.ttl = header->hop_limit;
  ip.fragment_flags = 0;
  ip.flow_label = header->flow_label();
  ip.octets = ipv6_payload_octets(walk, *header, ip) + sizeof *header;
  if (ip.octets > cursor.on_wire()) ip.length_note = ParseError::kIpLengthBeyondFrame;
  cursor.limit(ip.octets);
  cursor.skip(sizeof *header);
  ip.payload = cursor;
  skip_extensions(ip);
  return ParseError::kNone;
}

}  // namespace

ParseError read_ip(const Walk& walk, LayerKind kind, IpPacket& ip) {
  const auto* first = walk.cursor.peek<std::uint8_t>();
  if (first == nullptr) return ParseError::kTruncatedIp;
  ip.note = ip.length_note = ParseError::kNone;
  ip.later_fragment = false;
  switch (*first >> 4) {
    case 4:
      return kind == LayerKind::kIpv4 ? read_ipv4(walk.cursor, ip) : ParseError::kBadIpVersion;
    case 6:
      return read_ipv6(walk, ip);
    default:
      return ParseError::kBadIpVersion;
  }
}

void fill_addresses(const IpPacket& ip, FlowKey& key) {
  if (ip.version == IpVersion::kV6) {
    std::memcpy(key.source.data(), ip.source, key.source.size());
    std::memcpy(key.destination.data(), ip.destination, key.destination.size());
    return;
  }
  constexpr std::size_t kIpv4Place = 12;  // the last four octets of the field
  std::memcpy(key.source.data() + kIpv4Place, ip.source, 4);
  std::memcpy(key.destination.data() + kIpv4Place, ip.destination, 4);
}

Transport read_transport(const IpPacket& ip) {
  Transport out;
  out.note = ip.note;
  if (ip.later_fragment) return out;
  bool complete = true;
  switch (IpProtocol{ip.protocol}) {
    case IpProtocol::kTcp: {
      const auto* head = ip.payload.peek<TcpHead>();
      if (head != nullptr) out.tcp_flags = head->flags();
      complete = head != nullptr;
      [[fallthrough]];
    }
    case IpProtocol::kUdp:
    case IpProtocol::kUdpLite:
    case IpProtocol::kSctp:
    case IpProtocol::kDccp: {
      const auto* ports = ip.payload.peek<TransportPorts>();
      if (ports != nullptr) {
        out.source_port = ports->source.value();
        out.destination_port = ports->destination.value();
      }
      complete = complete && ports != nullptr;
      break;
    }
    case IpProtocol::kIcmp:
    case IpProtocol::kIcmpv6: {
      const auto* head = ip.payload.peek<IcmpHead>();
      if (head != nullptr)
        out.destination_port = static_cast<std::uint16_t>(head->type << 8 | head->code);
      complete = head != nullptr;
      break;
    }
    default:
      break;
  }
  if (!complete && out.note == ParseError::kNone) out.note = ParseError::kTruncatedTransport;
  return out;
}

}  // namespace wiretally
