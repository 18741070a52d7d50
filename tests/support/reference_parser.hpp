// SPDX-License-Identifier: Apache-2.0
// A second, slow and obvious parser, for tests only: written from the RFCs and from the corpus'
// conventions, without the product's parser at hand, so that the two can be held against each
// other. One function a header, each takes the octets that are left by value; reading past them
// throws, and what was found until then stands. Where no document says what a header means, or it
// is of a protocol that is not covered here, the walk says that it doubts and goes no further.
//
// Covered: Ethernet with tags, LLC/SNAP, PBB, VN-Tag, Cisco MetaData, MPLS, PPPoE, PPP, Cisco HDLC,
// Frame Relay, FDDI, 802.11 (radiotap, PPI), loopback, cooked Linux, NFLOG, raw IP, NSH; IPv4,
// IPv6; IP in IP, AH, GRE, ERSPAN, EtherIP, VXLAN(-GPE), GENEVE, GTP-U, L2TPv2, Teredo, MPLS in IP
// and UDP. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/packet/packet_view.hpp"

namespace wiretally::reference {

// One IP header, and the ports behind it.
struct Ip {
  unsigned version = 0;
  std::vector<std::uint8_t> source;
  std::vector<std::uint8_t> destination;
  unsigned protocol = 0;
  unsigned source_port = 0;
  unsigned destination_port = 0;
  std::uint64_t octets = 0;
  unsigned tos = 0;
  unsigned tcp_flags = 0;
};

struct Reading {
  std::vector<Ip> ips;     // outermost first; only those that tunnels lead to
  bool malformed = false;  // the first IP header is none: in no flow
  unsigned vlan = 0;       // of the first tag before the first IP header
  unsigned headers = 0;    // functions called: bounds of the product are far below
  bool doubts_outer = false;
  bool doubts_inner = false;  // also if it doubts the outer one
};

Reading read(const PacketView& view);

}  // namespace wiretally::reference
