// SPDX-License-Identifier: Apache-2.0
// 802.11 and what captures put before it. Thread: any.
#include "tests/support/reference_walk.hpp"

namespace wiretally::reference {

// IEEE 802.11-2020 9.2.4, 9.3.2: data frames that are whole and not protected hold LLC behind three
// or four addresses, the QoS and the HT control field.
void wlan(const Bytes& in, Walk& walk, bool padded) {
  ++walk.reading.headers;
  const unsigned type = in.u8(0) >> 2 & 3;
  const unsigned subtype = in.u8(0) >> 4;
  const unsigned flags = in.u8(1);
  if ((in.u8(0) & 3) != 0) return walk.doubt();  // protocol version
  if (type != 2) return;                         // not data
  if ((subtype & 4) != 0) return;                // no data inside
  if ((flags & 0x40) != 0) return;               // protected
  if ((in.u16_little(22) & 0xf) != 0) return;    // a later fragment
  std::size_t header = (flags & 3) == 3 ? 30 : 24;
  if ((subtype & 8) != 0) {
    const bool aggregate = (in.u8(header) & 0x80) != 0;
    if (aggregate) return walk.doubt();  // A-MSDU
    header += 2;
    if ((flags & 0x80) != 0) header += 4;  // HT control
  } else if ((flags & 0x80) != 0) {
    walk.doubt();
  }
  while (padded && header % 4 != 0) ++header;
  const Bytes rest = in.from(header);
  if (rest.size() < 2 || rest.u16(0) != 0xaaaa) return walk.doubt();
  llc(rest, walk);
}

// radiotap.org: version, pad, length, present words; field 0 (time, 8 octets) stands before field
// 1, the flags: 0x10 for a check sequence at the end, 0x20 for padding behind the 802.11 header.
void radiotap(const Bytes& in, Walk& walk) {
  const std::size_t header = in.u16_little(2);
  if (in.u8(0) != 0 || header < 8) return walk.doubt();
  std::size_t at = 4;
  Elements words(walk);
  for (; (in.u8(at + 3) & 0x80) != 0; at += 4) words.next();
  at += 4;
  const unsigned present = in.u8(4);
  if ((present & 1) != 0) at = (at + 7) / 8 * 8 + 8;
  const unsigned flags = (present & 2) != 0 && at < header ? in.u8(at) : 0;
  if (at > header) walk.doubt();
  const Bytes rest = in.from(header);
  const std::uint64_t sequence = (flags & 0x10) != 0 ? 4 : 0;
  wlan(rest.first(rest.wire() - std::min(rest.wire(), sequence)), walk, (flags & 0x20) != 0);
}

// CACE's PPI: version, flags, length, link type, then fields; field 2 (802.11 common, 20 octets, as
// tshark insists too) has the flags at 8, bit 0 of which says that a check sequence is there.
void ppi(const Bytes& in, Walk& walk) {
  const std::size_t header = in.u16_little(2);
  const unsigned type = in.u16_little(4);
  if (in.u8(0) != 0 || header < 8 || in.u16_little(6) != 0) return walk.doubt();
  bool sequence = false;
  std::size_t at = 8;
  Elements fields(walk);
  while (at + 4 <= header) {
    fields.next();
    const std::size_t length = in.u16_little(at + 2);
    if (in.u16_little(at) == 2 && length == 20) sequence = (in.u8(at + 12) & 1) != 0;
    at += 4 + length;
    if ((in.u8(1) & 1) != 0) at = (at + 3) / 4 * 4;  // aligned fields
  }
  if (at != header) walk.doubt();
  const Bytes rest = in.from(header);
  if (type != 105) {
    walk.doubt();
    return link(static_cast<LinkType>(type), rest, walk);
  }
  wlan(sequence ? rest.first(rest.wire() - std::min<std::uint64_t>(rest.wire(), 4)) : rest, walk);
}

}  // namespace wiretally::reference
