// SPDX-License-Identifier: Apache-2.0
// IPv4 (RFC 791), IPv6 (RFC 8200, 2675) and the ports behind them. Octets, protocol, ports and what
// is malformed: the corpus' conventions. Thread: any.
#include "tests/support/reference_walk.hpp"

namespace wiretally::reference {
namespace {

// Ports, or type * 256 + code; 0 if they are not there. They must be octets of the packet.
void read_ports(const Bytes& in, Ip& ip) {
  switch (ip.protocol) {
    case 6:    // TCP, RFC 9293
    case 17:   // UDP, RFC 768
    case 33:   // DCCP, RFC 4340
    case 132:  // SCTP, RFC 9260
    case 136:  // UDP-Lite, RFC 3828
      if (in.size() < 4) return;
      ip.source_port = in.u16(0);
      ip.destination_port = in.u16(2);
      if (ip.protocol == 6 && in.size() >= 14) ip.tcp_flags = in.u16(12) & 0xfff;
      return;
    case 1:   // ICMP, RFC 792
    case 58:  // ICMPv6, RFC 4443
      if (in.size() >= 2) ip.destination_port = in.u8(0) * 256 + in.u8(1);
      return;
    default:
      return;
  }
}

void ipv4(const Bytes& in, Walk& walk) {
  ++walk.reading.headers;
  if (in.size() < 20) return walk.malformed();
  const unsigned header = (in.u8(0) & 0xf) * 4;
  const unsigned total = in.u16(2);
  if (header < 20 || (total != 0 && total < header)) return walk.malformed();
  if (in.size() < header) {  // cut inside its options: the conventions speak of the fixed header
    walk.doubt();
    return walk.malformed();
  }
  Ip ip;
  ip.version = 4;
  ip.tos = in.u8(1);
  ip.octets = total == 0 ? in.wire() : total;
  ip.protocol = in.u8(9);
  ip.source = in.part(12, 4);
  ip.destination = in.part(16, 4);
  const Bytes rest = in.first(ip.octets).from(header);
  const bool later_fragment = (in.u16(6) & 0x1fff) != 0;
  if (!later_fragment) read_ports(rest, ip);
  walk.reading.ips.push_back(ip);
  if (!later_fragment) payload(ip.protocol, rest, walk);
}

// The jumbo payload option (type 0xc2) of a hop-by-hop header whose options begin at 2.
std::optional<std::uint64_t> jumbo_length(const Bytes& in, Walk& walk) {
  const std::size_t end = std::min<std::size_t>(in.size(), (in.u8(1) + 1) * 8);
  Elements options(walk);
  for (std::size_t at = 2; at < end;) {
    options.next();
    if (in.u8(at) == 0) {  // Pad1
      ++at;
      continue;
    }
    if (at + 1 >= end) break;
    if (in.u8(at) == 0xc2 && in.u8(at + 1) == 4 && at + 6 <= end) return in.u32(at + 2);
    at += 2 + in.u8(at + 1);
  }
  return std::nullopt;
}

std::uint64_t ipv6_octets(const Bytes& in, Walk& walk) {
  const unsigned length = in.u16(4);
  if (length != 0) return 40 + length;
  if (in.u8(6) == 0 && in.size() >= 48) {
    if (const auto jumbo = jumbo_length(in.from(40), walk)) {
      if (*jumbo <= 65'535)
        walk.doubt();  // RFC 2675 section 3: an error, the packet is no jumbogram
      return 40 + *jumbo;
    }
  }
  return walk.frame_octets > 65'535 ? in.wire() : 40;
}

}  // namespace

void ipv6(const Bytes& in, Walk& walk) {
  ++walk.reading.headers;
  if (in.size() < 40 || in.u8(0) >> 4 != 6) return walk.malformed();
  Ip ip;
  ip.version = 6;
  ip.tos = in.u16(0) >> 4 & 0xff;
  ip.octets = ipv6_octets(in, walk);
  ip.protocol = in.u8(6);
  ip.source = in.part(8, 16);
  ip.destination = in.part(24, 16);
  Bytes rest = in.first(ip.octets).from(40);
  bool readable = true;
  bool later_fragment = false;
  while (readable && !later_fragment &&
         (ip.protocol == 0 || ip.protocol == 43 || ip.protocol == 44 || ip.protocol == 60)) {
    ++walk.reading.headers;
    readable = rest.size() >= 8;
    if (!readable) {
      // A next header that was captured, of a header that was not: no document says which counts.
      if (rest.size() >= 1 && ip.protocol != 44) walk.doubt();
      break;
    }
    const bool fragment = ip.protocol == 44;
    const std::size_t header = fragment ? 8 : (rest.u8(1) + 1) * 8;
    later_fragment = fragment && (rest.u16(2) & 0xfff8) != 0;
    ip.protocol = rest.u8(0);
    readable = rest.size() >= header;
    if (readable) rest = rest.from(header);
  }
  const bool follow = readable && !later_fragment;
  if (follow) read_ports(rest, ip);
  walk.reading.ips.push_back(ip);
  if (follow) payload(ip.protocol, rest, walk);
}

void ipv4_or_6(const Bytes& in, Walk& walk) {
  if (in.size() == 0) return walk.malformed();
  if (in.u8(0) >> 4 == 6) return ipv6(in, walk);
  if (in.u8(0) >> 4 != 4) return walk.malformed();
  ipv4(in, walk);
}

void by_version(const Bytes& in, Walk& walk) {
  const unsigned version = in.size() == 0 ? 0 : in.u8(0) >> 4;
  if (version == 4 || version == 6) return ipv4_or_6(in, walk);
  walk.doubt();
}

}  // namespace wiretally::reference
