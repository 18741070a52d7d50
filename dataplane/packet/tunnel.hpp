// SPDX-License-Identifier: Apache-2.0
// Readers of what an IP packet may carry another packet in. Each read_*() takes the header at
// walk.cursor and returns the layer behind it (see link_layer.hpp for the rules).
// tunnel_ip.cpp: straight over IP; tunnel_udp.cpp: over UDP ports; tunnel_l2tp.cpp: over both.
// Thread: worker. No allocation, no exception.
#pragma once

#include <cstdint>

#include "dataplane/packet/layer.hpp"

namespace wiretally {

// The layer an IP protocol number announces; kNotIp for anything that is no tunnel (TCP, ICMP,
// ESP).
Layer layer_of_ip_protocol(std::uint8_t protocol);
// IPv6 extension headers between an authentication header and its payload.
Layer read_ip_protocol(Walk& walk, std::uint8_t protocol);

Layer read_gre(Walk& walk);
Layer read_erspan(Walk& walk);
Layer read_ah(Walk& walk);
Layer read_ether_ip(Walk& walk);
Layer read_udp(Walk& walk, bool lite);

Layer read_vxlan(Walk& walk);
Layer read_vxlan_gpe(Walk& walk);
Layer read_geneve(Walk& walk);
Layer read_gtp(Walk& walk);
Layer read_l2tp(Walk& walk);
Layer read_l2tp_v3(Walk& walk);
Layer read_teredo(Walk& walk);
Layer read_ayiya(Walk& walk);
Layer read_lisp(Walk& walk);
Layer read_capwap(Walk& walk);
Layer read_tzsp(Walk& walk);

// The tunnel a UDP port announces, kNotIp if none. Cheap: the hot path asks it for every UDP packet
// when flows are keyed by the inner header.
constexpr LayerKind tunnel_of_port(std::uint16_t port) {
  switch (UdpPort{port}) {
    case UdpPort::kL2tp:
      return LayerKind::kL2tp;
    case UdpPort::kGtpControl:
    case UdpPort::kGtpUser:
      return LayerKind::kGtp;
    case UdpPort::kTeredo:
      return LayerKind::kTeredo;
    case UdpPort::kLispData:
      return LayerKind::kLisp;
    case UdpPort::kGre:
      return LayerKind::kGre;
    case UdpPort::kVxlan:
      return LayerKind::kVxlan;
    case UdpPort::kVxlanGpe:
      return LayerKind::kVxlanGpe;
    case UdpPort::kAyiya:
      return LayerKind::kAyiya;
    case UdpPort::kCapwapData:
      return LayerKind::kCapwap;
    case UdpPort::kGeneve:
      return LayerKind::kGeneve;
    case UdpPort::kMpls:
      return LayerKind::kMpls;
    case UdpPort::kTzsp:
      return LayerKind::kTzsp;
  }
  return LayerKind::kNotIp;
}

}  // namespace wiretally
