// SPDX-License-Identifier: Apache-2.0
// Link layers with a wire. Each function says which document it follows. Thread: any.
#include "tests/support/reference_walk.hpp"

namespace wiretally::reference {
namespace {

// What the product follows and this parser does not know: TRILL, B.A.T.M.A.N., MACsec, FabricPath,
// HSR, E-Tag, R-Tag, vendors' time stamps, EoIP, WCCP, PPP and others in GRE.
bool is_not_covered(unsigned type) {
  for (const unsigned each : {0x22f3U, 0x4305U, 0x88e5U, 0x8903U, 0x892fU, 0x893fU, 0xf1c1U,
                              0xd28bU, 0x6400U, 0x883eU, 0x6559U, 0x8870U, 0x88beU, 0x22ebU}) {
    if (type == each) return true;
  }
  return type >> 9 == 0x8200 >> 9;  // access points' 802.11 in GRE
}

// IEEE 802.1Q 9.3: priority and id, then a type or length.
void vlan_tag(const Bytes& in, Walk& walk) {
  const unsigned id = in.u16(0) & 0xfff;
  const unsigned type = in.u16(2);
  if (!walk.tagged && !walk.in_tunnel()) walk.reading.vlan = id;
  walk.tagged = true;
  ethertype(type, in.from(4), walk);
}

// IEEE 802.1ah: a service tag of four octets, then the customer's frame.
void backbone_service_tag(const Bytes& in, Walk& walk) {
  ethernet(in.from(4), walk);
}

// RFC 2516: version and type 1, code 0 for the session stage; the length is of what follows.
void pppoe(const Bytes& in, Walk& walk) {
  if (in.u16(0) != 0x1100) walk.doubt();
  ppp_protocol(in.from(6).first(in.u16(4)), walk);
}

// RFC 3032; RFC 4928 and 4385 for the first nibble of what is behind the last label.
void behind_labels(unsigned last_label, const Bytes& in, Walk& walk);

// Type or length field of Ethernet at `at` that a real frame could have.
bool is_plausible_type(const Bytes& in, std::size_t at) {
  if (in.size() < at + 2) return false;
  if (in.u16(at) >> 9 == 0x8800 >> 9) return true;  // where types are assigned now
  for (const unsigned type : {0x0800U, 0x0806U, 0x86ddU, 0x8100U, 0x88a8U, 0x8847U, 0x8864U}) {
    if (in.u16(at) == type) return true;
  }
  return false;
}

// RFC 4448: Ethernet, with a control word or without one, for a MAC may begin with a zero nibble
// too.
void pseudowire(const Bytes& in, Walk& walk) {
  const bool with = is_plausible_type(in, 16);
  const bool without = is_plausible_type(in, 12);
  if (with == without) walk.doubt();
  if (with != without) ethernet(in.from(with ? 4 : 0), walk);
}

// RFC 4385 section 5, RFC 5586: the channel type is a PPP number where it is a protocol.
void associated_channel(const Bytes& in, Walk& walk) {
  const unsigned channel = in.u16(2);
  if (channel == 0x0021) return ipv4_or_6(in.from(4), walk);
  if (channel == 0x0057) return ipv6(in.from(4), walk);
  walk.doubt();
}

void behind_labels(unsigned last_label, const Bytes& in, Walk& walk) {
  if (last_label == 14) return;  // RFC 3429: an OAM alert, no IP
  if (last_label == 13) {        // RFC 5586: the generic associated channel
    if (in.u8(0) >> 4 != 1) walk.doubt();
    return in.u8(0) >> 4 == 1 ? associated_channel(in, walk) : void();
  }
  if (last_label < 16 && last_label != 0 && last_label != 2) walk.doubt();
  const unsigned nibble = in.u8(0) >> 4;
  if ((last_label == 0 && nibble != 4) || (last_label == 2 && nibble != 6)) walk.doubt();
  if (nibble == 4) return ipv4_or_6(in, walk);
  if (nibble == 6) return ipv6(in, walk);
  if (nibble == 1) return associated_channel(in, walk);
  if (nibble == 0) return pseudowire(in, walk);
}

// Linux cooked captures: the protocol field, if the hardware type does not give it another meaning.
void cooked(unsigned protocol, unsigned hardware, const Bytes& in, Walk& walk) {
  for (const unsigned other : {770U, 778U, 801U, 802U, 803U, 824U}) {
    if (hardware == other) walk.doubt();
  }
  if (protocol == 4) return llc(in, walk);
  if (protocol < 0x0600) {
    walk.doubt();
    return;
  }
  ethertype(protocol, in, walk);
}

// LINKTYPE_NULL: address family in the byte order of the capturing machine; LINKTYPE_LOOP: big.
void loopback(const Bytes& in, bool any_order, Walk& walk) {
  if (in.u8(0) == 0xff && in.u8(1) == 3) walk.doubt();  // PPP under these types: not said
  std::uint32_t family = in.u32(0);
  if (any_order && family > 0xffff) family = in.u16_little(0);
  if (any_order && (in.u32(0) & 0xffff) != 0 && (in.u32(0) >> 16) != 0) walk.doubt();
  if (family == 2) return ipv4_or_6(in.from(4), walk);
  if (family == 24 || family == 28 || family == 30) return ipv6(in.from(4), walk);
  walk.doubt();
}

bool is_usual_on_serial_lines(unsigned type) {
  return type == 0x0800 || type == 0x86dd || type == 0x8847 || type == 0x8848;
}

// RFC 2427: Q.922 address (the last octet has its low bit set), then control and NLPID, or in
// Cisco's way an ethertype.
void frame_relay(const Bytes& in, Walk& walk) {
  std::size_t at = 0;
  while ((in.u8(at) & 1) == 0) ++at;
  ++at;
  const unsigned connection = (in.u8(0) & 0xfc) << 2 | in.u8(1) >> 4;
  if (at != 2 || connection == 0 || connection == 1023) walk.doubt();  // signalling, Q.933
  if (in.u8(at) != 3) {
    if (!is_usual_on_serial_lines(in.u16(at))) walk.doubt();
    return ethertype(in.u16(at), in.from(at + 2), walk);
  }
  ++at;
  if (in.u8(at) == 0) ++at;  // pad
  const unsigned nlpid = in.u8(at);
  const Bytes rest = in.from(at + 1);
  if (nlpid == 0xcc) return ipv4_or_6(rest, walk);
  if (nlpid == 0x8e) return ipv6(rest, walk);
  if (nlpid == 0x80 && rest.u16(0) == 0 && rest.u8(2) == 0) {
    if (rest.u16(3) < 0x0600) walk.doubt();  // a length has no place here
    return ethertype(rest.u16(3), rest.from(5), walk);
  }
  walk.doubt();
}

// LINKTYPE_NFLOG: family, version, resource; attributes of length and type in the machine's byte
// order, padded to four octets; type 9 is the packet.
void nflog(const Bytes& in, Walk& walk) {
  const unsigned family = in.u8(0);
  Bytes rest = in.from(4);
  const bool little = rest.u8(2) != 0;  // of the type: none is above 255
  Elements attributes(walk);
  for (;;) {
    attributes.next();
    const unsigned other_end = little ? rest.u8(3) : rest.u8(2);
    if (other_end != 0 || rest.u16(2) == 0) walk.doubt();
    const unsigned length = little ? rest.u16_little(0) : rest.u16(0);
    const unsigned type = (little ? rest.u16_little(2) : rest.u16(2)) & 0x3fff;
    if (length < 4 || length > rest.wire()) return walk.doubt();
    if (type == 1) {  // the packet header: hardware protocol, hook
      const unsigned protocol = rest.u16(4);
      if (protocol != (family == 2 ? 0x0800U : 0x86ddU)) walk.doubt();
    }
    if (type == 9) {
      if (length - 4 < rest.wire() - 4) rest = rest.first(length);
      if (family == 2) return ipv4_or_6(rest.from(4), walk);
      if (family == 10) return ipv6(rest.from(4), walk);
      return walk.doubt();
    }
    rest = rest.from((length + 3) / 4 * 4);
  }
}

// Cisco HDLC: address, control, ethertype. RFC 1662 on the same links begins with ff 03.
void hdlc(const Bytes& in, Walk& walk) {
  const unsigned address = in.u8(0);
  if (address == 0xff && in.u8(1) == 3) return ppp(in, walk);
  if (address != 0x0f && address != 0x8f) walk.doubt();
  if (!is_usual_on_serial_lines(in.u16(2))) walk.doubt();
  ethertype(in.u16(2), in.from(4), walk);
}

void fddi(const Bytes& in, Walk& walk) {
  const unsigned control = in.u8(0);
  if ((control & 0xf0) != 0x50) return walk.doubt();  // only asynchronous LLC frames hold IP
  llc(in.from(13), walk);
}

}  // namespace

// IEEE 802.3 3.2.6: a type from 0x0600 on, a length up to 1500.
void ethernet(const Bytes& in, Walk& walk) {
  ++walk.reading.headers;
  if (in.size() >= 14 && in.u32(0) == 0x01000c00) walk.doubt();  // Cisco ISL, maybe
  if (in.size() >= 14 && in.u32(0) == 0x0c000c00) walk.doubt();
  ethertype(in.u16(12), in.from(14), walk);
}

void ethertype(unsigned type, const Bytes& in, Walk& walk) {
  ++walk.reading.headers;
  if (is_not_covered(type)) return walk.doubt();
  if (type <= 1500) {
    if (in.size() >= 2 && in.u16(0) == 0xffff) return;  // Novell's raw 802.3: IPX
    return llc(in.first(type), walk);
  }
  switch (type) {
    case 0x0800:
      return ipv4_or_6(in, walk);
    case 0x86dd:
      return ipv6(in, walk);
    case 0x8100:
    case 0x88a8:
    case 0x9100:
      return vlan_tag(in, walk);
    case 0x8847:
    case 0x8848:
      return mpls(in, walk);
    case 0x8864:
      return pppoe(in, walk);
    case 0x88e7:
      return backbone_service_tag(in, walk);
    case 0x894f:
      return nsh(in, walk);
    case 0x8926:  // VN-Tag: four octets, then a type
      return ethertype(in.u16(4), in.from(6), walk);
    case 0x8909:  // Cisco MetaData: version, length, option, tag; then a type
      if (in.u8(0) != 1 || in.u8(1) != 1) walk.doubt();
      return ethertype(in.u16(6), in.from(8), walk);
    case 0x6558:  // transparent Ethernet bridging
      return ethernet(in, walk);
    case 0x880b:
      return ppp(in, walk);
    default:
      return;
  }
}

// IEEE 802.2; RFC 1042 for SNAP.
void llc(const Bytes& in, Walk& walk) {
  ++walk.reading.headers;
  const unsigned destination = in.u8(0);
  const bool unnumbered = in.u8(2) == 3;
  const bool snap = destination == 0xaa && in.u8(1) == 0xaa;
  if (!snap && destination != 0x06 && destination != 0xfe) return;
  if (!unnumbered || (!snap && in.u8(1) != destination)) return walk.doubt();
  if (destination == 0x06) return ipv4_or_6(in.from(3), walk);
  if (destination == 0xfe) {  // ISO network layer identifiers, ISO/IEC TR 9577
    if (in.u8(3) == 0xcc) return ipv4_or_6(in.from(4), walk);
    return walk.doubt();
  }
  const unsigned organization = in.u16(3) << 8 | in.u8(5);
  if (organization == 0 || organization == 0x0000f8) {
    if (in.u16(6) < 0x0600) walk.doubt();
    return ethertype(in.u16(6), in.from(8), walk);
  }
  walk.doubt();
}

void mpls(const Bytes& in, Walk& walk) {
  ++walk.reading.headers;
  const std::uint32_t entry = in.u32(0);
  if ((entry & 0x100) == 0) return mpls(in.from(4), walk);
  behind_labels(entry >> 12, in.from(4), walk);
}

// RFC 8300: the length is in words of four octets, with the base header.
void nsh(const Bytes& in, Walk& walk) {
  ++walk.reading.headers;
  const std::size_t header = (in.u8(1) & 0x3f) * 4;
  if (in.u8(0) >> 6 != 0 || header < 8) return walk.doubt();
  if ((in.u8(2) & 0xf) == 1 && header != 24) walk.doubt();  // section 2.4: always six words
  const unsigned next = in.u8(3);
  const Bytes rest = in.from(header);
  if (next == 1) return ipv4_or_6(rest, walk);
  if (next == 2) return ipv6(rest, walk);
  if (next == 3) return ethernet(rest, walk);
  if (next == 4) return nsh(rest, walk);
  if (next == 5) return mpls(rest, walk);
  walk.doubt();
}

void ppp(const Bytes& in, Walk& walk) {
  if (in.u8(0) == 0x0f || in.u8(0) == 0x8f) walk.doubt();  // Cisco HDLC, or a short protocol
  const bool has_address = in.u8(0) == 0xff;               // no protocol number begins so
  if (has_address && in.u8(1) != 3) walk.doubt();
  ppp_protocol(has_address ? in.from(2) : in, walk);
}

// RFC 1661 section 2: two octets, or one if its low bit is set.
void ppp_protocol(const Bytes& in, Walk& walk) {
  ++walk.reading.headers;
  const bool is_short = (in.u8(0) & 1) != 0;
  const unsigned protocol = is_short ? in.u8(0) : in.u16(0);
  const Bytes rest = in.from(is_short ? 1 : 2);
  switch (protocol) {
    case 0x0021:
      return ipv4_or_6(rest, walk);
    case 0x0057:
      return ipv6(rest, walk);
    case 0x0281:
    case 0x0283:
      return mpls(rest, walk);
    case 0x0031:  // bridging (RFC 3518), multilink (RFC 1990), ISO and SNAP numbers
    case 0x003d:
    case 0x00cf:
      return walk.doubt();
    default:
      // An ethertype in a PPP protocol field: no document has it, some equipment does.
      if (protocol >= 0x0600 && (protocol < 0x8000 || (protocol >= 0x8600 && protocol < 0xa000))) {
        walk.doubt();
      }
      return;
  }
}

void link(LinkType type, const Bytes& in, Walk& walk) {
  switch (type) {
    case LinkType::kEthernet:
      return ethernet(in, walk);
    case LinkType::kNull:
      return loopback(in, true, walk);
    case LinkType::kLoop:
      return loopback(in, false, walk);
    case LinkType::kRaw:
    case LinkType::kRawBsd:
    case LinkType::kRawOpenBsd:
      return by_version(in, walk);
    case LinkType::kIpv4:
      return ipv4_or_6(in, walk);
    case LinkType::kIpv6:
      return ipv6(in, walk);
    case LinkType::kLinuxSll:
      return cooked(in.u16(14), in.u16(2), in.from(16), walk);
    case LinkType::kLinuxSll2:
      return cooked(in.u16(0), in.u16(8), in.from(20), walk);
    case LinkType::kPpp:
      return ppp(in, walk);
    case LinkType::kCiscoHdlc:
      if (in.u8(0) == 0xff) walk.doubt();  // PPP under this type: not said
      return hdlc(in, walk);
    case LinkType::kPppSerial:
      return hdlc(in, walk);
    case LinkType::kPppEther:
      return pppoe(in, walk);
    case LinkType::kFrameRelay:
      return frame_relay(in, walk);
    case LinkType::kFddi:
      return fddi(in, walk);
    case LinkType::kNflog:
      return nflog(in, walk);
    case LinkType::kIeee80211:
      return wlan(in, walk);
    case LinkType::kIeee80211Radiotap:
      return radiotap(in, walk);
    case LinkType::kPpi:
      return ppi(in, walk);
    default:
      return walk.doubt();
  }
}

Reading read(const PacketView& view) {
  Walk walk;
  walk.frame_octets = view.wire_octets;
  try {
    link(view.link_type, Bytes({view.data, view.data + view.captured}, view.wire_octets), walk);
  } catch (const std::out_of_range&) {  // the capture ends here; what was read counts
  }
  return walk.reading;
}

}  // namespace wiretally::reference
