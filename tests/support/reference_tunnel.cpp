// SPDX-License-Identifier: Apache-2.0
// What leads from one IP header to the next. Each function says which document it follows.
// Thread: any.
#include "tests/support/reference_walk.hpp"

namespace wiretally::reference {
namespace {

// Cisco's ERSPAN (draft-foschiano-erspan): type I has no header, II 8 octets, III 12 and maybe 8.
void erspan(unsigned type, bool has_sequence, const Bytes& in, Walk& walk) {
  if (type == 0x88be && !has_sequence) return ethernet(in, walk);
  const unsigned version = in.u8(0) >> 4;
  if (version != (type == 0x88be ? 1U : 2U)) return walk.doubt();
  if (version == 1) return ethernet(in.from(8), walk);
  const unsigned frame_type = in.u16(10) >> 10 & 0x1f;
  if (frame_type != 0) walk.doubt();  // not Ethernet
  const bool platform = (in.u8(11) & 1) != 0;
  ethernet(in.from(platform ? 20 : 12), walk);
}

// RFC 2784, 2890; RFC 1701 for routing; RFC 2637 for version 1.
void gre(const Bytes& in, Walk& walk) {
  ++walk.reading.headers;
  const unsigned flags = in.u16(0);
  const unsigned type = in.u16(2);
  const unsigned version = flags & 7;
  if (version > 1) walk.doubt();
  if (version == 1 && type != 0x880b) return walk.doubt();
  const bool routing = (flags & 0x4000) != 0;
  std::size_t at = 4;
  if ((flags & 0x8000) != 0 || routing) at += 4;
  if ((flags & 0x2000) != 0) at += 4;
  if ((flags & 0x1000) != 0) at += 4;
  if (version == 1 && (flags & 0x0080) != 0) at += 4;
  Elements entries(walk);
  while (routing) {  // source route entries, until one of family 0 and length 0
    entries.next();
    const unsigned family = in.u16(at);
    const unsigned length = in.u8(at + 3);
    at += 4 + length;
    if (family == 0 && length == 0) break;
  }
  const Bytes rest = in.from(at);
  if (version == 1 && rest.size() == 0) return;  // an acknowledgment
  if (type == 0x88be || type == 0x22eb) return erspan(type, (flags & 0x1000) != 0, rest, walk);
  if (type < 0x0600) return walk.doubt();
  ethertype(type, rest, walk);
}

// RFC 4302: next header, and the length in words of four octets less two.
void ah(const Bytes& in, Walk& walk) {
  ++walk.reading.headers;
  payload(in.u8(0), in.from((in.u8(1) + 2) * 4), walk);
}

// RFC 3378: version 3 and twelve zero bits.
void ether_ip(const Bytes& in, Walk& walk) {
  if (in.u8(0) >> 4 != 3) return walk.doubt();
  ethernet(in.from(2), walk);
}

// RFC 7348.
void vxlan(const Bytes& in, Walk& walk) {
  if ((in.u8(0) & 0x08) == 0) walk.doubt();
  ethernet(in.from(8), walk);
}

// draft-ietf-nvo3-vxlan-gpe.
void vxlan_gpe(const Bytes& in, Walk& walk) {
  if ((in.u8(0) & 0x0c) != 0x0c) walk.doubt();
  const Bytes rest = in.from(8);
  switch (in.u8(3)) {
    case 1:
      return ipv4_or_6(rest, walk);
    case 2:
      return ipv6(rest, walk);
    case 3:
      return ethernet(rest, walk);
    case 4:
      return nsh(rest, walk);
    default:
      return walk.doubt();
  }
}

// RFC 8926.
void geneve(const Bytes& in, Walk& walk) {
  if (in.u8(0) >> 6 != 0) return walk.doubt();
  if (in.u16(2) < 0x0600) walk.doubt();
  ethertype(in.u16(2), in.from(8 + (in.u8(0) & 0x3f) * 4), walk);
}

// 3GPP TS 29.281 section 5.
void gtp(const Bytes& in, Walk& walk) {
  const unsigned flags = in.u8(0);
  if (flags >> 5 != 1 || (flags & 0x10) == 0) return walk.doubt();
  if (in.u8(1) != 255) return;  // not a user's packet
  Bytes rest = in.from(8).first(in.u16(2));
  if ((flags & 7) != 0) {
    unsigned next = rest.u8(3);
    if ((flags & 4) == 0) next = 0;
    rest = rest.from(4);
    Elements extensions(walk);
    while (next != 0) {
      extensions.next();
      const std::size_t length = rest.u8(0) * 4;
      if (length == 0) return;
      next = rest.u8(length - 1);
      rest = rest.from(length);
    }
  }
  by_version(rest, walk);
}

// RFC 2661 section 3.1.
void l2tp(const Bytes& in, Walk& walk) {
  const unsigned flags = in.u16(0);
  if ((flags & 0xf) != 2) return walk.doubt();
  if ((flags & 0x8000) != 0) return;  // control
  std::size_t at = 2;
  Bytes whole = in;
  if ((flags & 0x4000) != 0) {
    if (in.u16(2) < in.size()) whole = in.first(in.u16(2));
    if (in.u16(2) != in.wire()) walk.doubt();
    at += 2;
  }
  at += 4;
  if ((flags & 0x0800) != 0) at += 4;
  if ((flags & 0x0200) != 0) at += 2 + whole.u16(at);
  ppp(whole.from(at), walk);
}

// RFC 4380 section 5.1.1: authentication, origin indication, IPv6.
void teredo(const Bytes& in, Walk& walk) {
  Bytes rest = in;
  if (rest.u16(0) == 1) rest = rest.from(4 + rest.u8(2) + rest.u8(3) + 9);
  if (rest.u16(0) == 0) rest = rest.from(8);
  if (rest.u8(0) >> 4 != 6) return walk.doubt();
  ipv6(rest, walk);
}

bool is_tunnel(unsigned port) {
  for (const unsigned each : {1701U, 2123U, 2152U, 3544U, 4341U, 4754U, 4789U, 4790U, 5072U, 5247U,
                              6081U, 6635U, 37008U}) {
    if (port == each) return true;
  }
  return false;
}

void by_port(unsigned port, const Bytes& in, Walk& walk) {
  switch (port) {
    case 1701:
      return l2tp(in, walk);
    case 2152:
      return gtp(in, walk);
    case 3544:
      return teredo(in, walk);
    case 4754:  // RFC 8086
      return gre(in, walk);
    case 4789:
      return vxlan(in, walk);
    case 4790:
      return vxlan_gpe(in, walk);
    case 6081:
      return geneve(in, walk);
    case 6635:  // RFC 7510
      return mpls(in, walk);
    default:  // GTP-C, LISP, AYIYA, CAPWAP, TZSP: not covered
      return walk.doubt();
  }
}

// The length covers the header; UDP-Lite's is a checksum's coverage. Ports name a service, and the
// lower one first: where only the higher one is a tunnel's, the lower must be a client's.
void udp(const Bytes& in, bool lite, Walk& walk) {
  ++walk.reading.headers;
  constexpr unsigned kClientPorts = 32'768;
  const unsigned low = std::min(in.u16(0), in.u16(2));
  const unsigned high = std::max(in.u16(0), in.u16(2));
  if (!is_tunnel(low) && !is_tunnel(high)) return;
  if (is_tunnel(low) && is_tunnel(high) && low != high) walk.doubt();
  if (!is_tunnel(low) && low != 0 && low < kClientPorts) walk.doubt();
  const unsigned length = in.u16(4);
  // RFC 2675 section 4: 0 means up to the end of the IPv6 packet, whether it is long or not.
  const bool to_the_end = lite || (length == 0 && walk.reading.ips.back().version == 6);
  if (!to_the_end && length < 8) return;
  by_port(is_tunnel(low) ? low : high, (to_the_end ? in : in.first(length)).from(8), walk);
}

}  // namespace

void payload(unsigned protocol, const Bytes& in, Walk& walk) {
  switch (protocol) {
    case 4:
      return ipv4_or_6(in, walk);
    case 17:
      return udp(in, false, walk);
    case 41:
      return ipv6(in, walk);
    case 47:
      return gre(in, walk);
    case 51:
      return ah(in, walk);
    case 97:
      return ether_ip(in, walk);
    case 136:
      return udp(in, true, walk);
    case 137:  // RFC 4023
      return mpls(in, walk);
    case 143:  // RFC 8986: an Ethernet frame
      return ethernet(in, walk);
    case 0:  // an IPv6 extension header behind AH or in IPv4
    case 43:
    case 44:
    case 60:
    case 115:  // L2TPv3, whose packets do not say what they hold
      return walk.doubt();
    default:
      return;
  }
}

}  // namespace wiretally::reference
