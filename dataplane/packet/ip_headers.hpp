// SPDX-License-Identifier: Apache-2.0
// Wire layouts of the network and transport layers, each with its RFC section. Thread: any.
#pragma once

#include <cstdint>

#include "dataplane/packet/byte_order.hpp"

namespace wiretally {

// RFC 791 section 3.1.
struct Ipv4Header {
  std::uint8_t version_and_length;
  std::uint8_t tos;
  Be16 total_octets;
  Be16 identification;
  Be16 flags_and_offset;
  std::uint8_t ttl;
  std::uint8_t protocol;
  Be16 checksum;
  std::uint8_t source[4];
  std::uint8_t destination[4];

  [[nodiscard]] unsigned header_octets() const { return (version_and_length & 0x0fU) * 4; }
  [[nodiscard]] bool more_fragments() const { return (flags_and_offset.value() & 0x2000) != 0; }
  [[nodiscard]] std::uint8_t flags() const { return flags_and_offset.octets[0] & 0x60; }
  [[nodiscard]] unsigned fragment_offset() const { return flags_and_offset.value() & 0x1fffU; }
};
static_assert(sizeof(Ipv4Header) == 20);

// RFC 791 section 3.1, loose and strict source route: addresses follow.
struct SourceRoute {
  std::uint8_t type;
  std::uint8_t octets;
  std::uint8_t pointer;
};
static_assert(sizeof(SourceRoute) == 3);

// RFC 8200 section 3.
struct Ipv6Header {
  Be32 version_class_label;
  Be16 payload_octets;
  std::uint8_t next_header;
  std::uint8_t hop_limit;
  std::uint8_t source[16];
  std::uint8_t destination[16];

  [[nodiscard]] std::uint8_t traffic_class() const {
    return static_cast<std::uint8_t>(version_class_label.value() >> 20);
  }
  [[nodiscard]] std::uint32_t flow_label() const { return version_class_label.value() & 0xfffff; }
};
static_assert(sizeof(Ipv6Header) == 40);

// RFC 8200 sections 4.3, 4.4, 4.6: what hop-by-hop, routing and destination options begin with.
// Every extension header is at least eight octets long.
struct Ipv6Extension {
  std::uint8_t next_header;
  std::uint8_t extra_words;  // of eight octets, beyond the first
  std::uint8_t content[6];

  [[nodiscard]] unsigned octets() const { return (extra_words + 1U) * 8; }
};
static_assert(sizeof(Ipv6Extension) == 8);

// RFC 8200 section 4.5.
struct Ipv6Fragment {
  std::uint8_t next_header;
  std::uint8_t reserved;
  Be16 offset_and_more;
  Be32 identification;

  [[nodiscard]] bool later() const { return (offset_and_more.value() & 0xfff8) != 0; }
  [[nodiscard]] bool more_fragments() const { return (offset_and_more.value() & 1) != 0; }
};
static_assert(sizeof(Ipv6Fragment) == 8);

// RFC 8200 section 4.2; RFC 2675 section 2: the jumbo payload option (type 0xc2, length 4).
struct JumboOption {
  std::uint8_t type;
  std::uint8_t octets;
  Be32 payload_octets;
};
static_assert(sizeof(JumboOption) == 6);

// The ports at the head of TCP, UDP, UDP-Lite, SCTP and DCCP.
struct TransportPorts {
  Be16 source;
  Be16 destination;
};
static_assert(sizeof(TransportPorts) == 4);

// RFC 9293 section 3.1, up to the flags: the meter needs no more of it.
struct TcpHead {
  TransportPorts ports;
  Be32 sequence;
  Be32 acknowledgment;
  Be16 offset_and_flags;
  [[nodiscard]] std::uint16_t flags() const { return offset_and_flags.value() & 0x0fff; }
};
static_assert(sizeof(TcpHead) == 14);

// RFC 792, RFC 4443 section 2.1.
struct IcmpHead {
  std::uint8_t type;
  std::uint8_t code;
};
static_assert(sizeof(IcmpHead) == 2);

// RFC 768.
struct UdpHeader {
  TransportPorts ports;
  Be16 octets;
  Be16 checksum;
};
static_assert(sizeof(UdpHeader) == 8);

}  // namespace wiretally
