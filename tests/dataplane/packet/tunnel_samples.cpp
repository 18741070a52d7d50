// SPDX-License-Identifier: Apache-2.0
// Tunnels: each sample with its key by the outer and by the inner header. Thread: any.
#include "tests/dataplane/packet/samples.hpp"
#include "tests/support/packet_builder.hpp"

namespace wiretally {
namespace {

using Build = PacketBuilder;

constexpr const char* kInnerTcp = "192.168.1.1:1000 > 192.168.1.2:80 proto 6 octets 40 flags 0x012";

Build v4() {
  return Build().ethernet(0x0800);
}
Build v6() {
  return Build().ethernet(0x86dd);
}
Build over_udp(unsigned port) {
  return v4().ipv4(17).udp(40000, port);
}

std::string outer4(unsigned protocol, unsigned octets) {
  return "10.0.0.1 > 10.0.0.2 proto " + std::to_string(protocol) + " octets " +
         std::to_string(octets);
}
std::string outer_udp(unsigned port, unsigned octets) {
  return "10.0.0.1:40000 > 10.0.0.2:" + std::to_string(port) + " proto 17 octets " +
         std::to_string(octets);
}

// A tunnel's headers, with the inner TCP packet behind them.
Sample carries(const char* description, Build packet, const std::string& outer) {
  packet.inner_ipv4(6).tcp(1000, 80, 0x12);
  return {description, LinkType::kEthernet, packet.build(), outer, kInnerTcp};
}

Sample exact(const char* description, const Build& packet, const std::string& outer,
             const std::string& inner = {}) {
  return {description, LinkType::kEthernet, packet.build(), outer, inner};
}

// What the inner view does not open, and says so.
Sample unread(const char* description, Build packet, const std::string& outer) {
  packet.inner_ipv4(17).udp(5, 7);
  return exact(description, packet, outer, outer + " (unread_tunnel)");
}

std::vector<Sample> ip_samples() {
  Build ah = v4().ipv4(51).octets({4, 4}).zeros(22);
  return {
      carries("IP in IP", v4().ipv4(4), outer4(4, 60)),
      carries("4in6", v6().ipv6(4), "2001:db8::1 > 2001:db8::2 proto 4 octets 80"),
      exact("6in4", v4().ipv4(41).inner_ipv6(17).udp(5, 7), outer4(41, 68),
            "fd00::1:5 > fd00::2:7 proto 17 octets 48"),
      exact("6in6 behind destination options", v6().ipv6(60).extension(41).inner_ipv6(17).udp(5, 7),
            "2001:db8::1 > 2001:db8::2 proto 41 octets 96",
            "fd00::1:5 > fd00::2:7 proto 17 octets 48"),
      carries("three IP headers: the last counts", v4().ipv4(41).inner_ipv6(4), outer4(41, 100)),
      carries("IP in AH", ah, outer4(51, 84)),
      carries("EtherIP", v4().ipv4(97).be16(0x3000).ethernet(0x0800), outer4(97, 76)),
      carries("Ethernet in IPv6 (SRv6)", v6().ipv6(143).ethernet(0x0800),
              "2001:db8::1 > 2001:db8::2 proto 143 octets 94"),
      carries("MPLS in IP", v4().ipv4(137).mpls(100, true), outer4(137, 64)),
      exact("a later fragment of a tunnel's packet counts outside",
            v4().ipv4(4).patch(6, {0, 5}).payload(40), outer4(4, 60)),
      exact("a tunnel's tag is not the frame's",
            v4().ipv4(97).be16(0x3000).ethernet(0x8100).tag(7, 0x0800).inner_ipv4(17).udp(5, 7),
            outer4(97, 68), "192.168.1.1:5 > 192.168.1.2:7 proto 17 octets 28"),
  };
}

std::vector<Sample> gre_samples() {
  Build routed = v4().ipv4(47).gre(0x4000, 0x0800).be32(0);
  routed.be16(2).octets({0, 4}).be32(0x0a000009).be32(0);
  Build all_fields = v4().ipv4(47).gre(0xb000, 0x0800).zeros(12);
  return {
      carries("GRE", v4().ipv4(47).gre(0, 0x0800), outer4(47, 64)),
      carries("GRE with checksum, key and sequence", all_fields, outer4(47, 76)),
      carries("GRE with a source route (RFC 1701)", routed, outer4(47, 80)),
      carries("GRE of Ethernet", v4().ipv4(47).gre(0x2000, 0x6558).be32(1).ethernet(0x0800),
              outer4(47, 82)),
      carries("GRE of MPLS", v4().ipv4(47).gre(0, 0x8847).mpls(100, true), outer4(47, 68)),
      carries("PPTP with acknowledgment",
              v4().ipv4(47).gre(0x3081, 0x880b).zeros(12).octets({0xff, 3}).be16(0x0021),
              outer4(47, 80)),
      exact("PPTP acknowledgment alone", v4().ipv4(47).gre(0x2081, 0x880b).zeros(8),
            outer4(47, 32)),
      carries("ERSPAN type I", v4().ipv4(47).gre(0, 0x88be).ethernet(0x0800), outer4(47, 78)),
      carries("ERSPAN type II",
              v4().ipv4(47).gre(0x1000, 0x88be).be32(1).be16(0x1007).zeros(6).ethernet(0x0800),
              outer4(47, 90)),
      carries("ERSPAN type III with platform header",
              v4().ipv4(47)
                  .gre(0x1000, 0x22eb)
                  .be32(1)
                  .be16(0x2007)
                  .zeros(8)
                  .be16(1)
                  .zeros(8)
                  .ethernet(0x0800),
              outer4(47, 102)),
      exact("ERSPAN of a frame that is no IP",
            v4().ipv4(47)
                .gre(0x1000, 0x88be)
                .be32(1)
                .be16(0x1007)
                .zeros(6)
                .ethernet(0x0806)
                .zeros(28),
            outer4(47, 78)),
      carries("EoIP", v4().ipv4(47).gre(0x2001, 0x6400).be32(1).ethernet(0x0800), outer4(47, 82)),
      carries("WCCP version 2", v4().ipv4(47).gre(0, 0x883e).be32(0), outer4(47, 68)),
      carries("GRE of NSH", v4().ipv4(47).gre(0, 0x894f).octets({0, 2, 2, 1}).be32(0),
              outer4(47, 72)),
      carries("GRE in GRE", v4().ipv4(47).gre(0, 0x0800).ipv4(47).gre(0, 0x0800), outer4(47, 88)),
      carries("GRE of an access point's 802.11",
              v4().ipv4(47)
                  .gre(0, 0x8200)
                  .octets({8, 1})
                  .zeros(22)
                  .octets({0xaa, 0xaa, 3})
                  .snap(0, 0x0800),
              outer4(47, 96)),
      carries("GRE in UDP", over_udp(4754).gre(0, 0x0800), outer_udp(4754, 72)),
      carries("GRE of a version that nobody defined", v4().ipv4(47).gre(2, 0x0800), outer4(47, 64)),
      unread("ERSPAN of an unknown version",
             v4().ipv4(47).gre(0x1000, 0x88be).be32(1).be32(0x50000000).be32(0), outer4(47, 64)),
      unread("ERSPAN III of a packet, not a frame",
             v4().ipv4(47).gre(0x1000, 0x22eb).be32(1).be32(0x20000000).be32(0).be32(0x0800),
             outer4(47, 68)),
      unread("GTP version 2", over_udp(2152).octets({0x58, 255}).be16(36).be32(42),
             outer_udp(2152, 64)),
      exact("CAPWAP of a fragment", over_udp(5247).octets({0, 0x10, 2, 0x80}).be32(0).zeros(20),
            outer_udp(5247, 56), outer_udp(5247, 56) + " (link_fragment)"),
      exact("CAPWAP under DTLS", over_udp(5247).octets({1, 0, 0, 0}).zeros(24), outer_udp(5247, 56),
            outer_udp(5247, 56) + " (encrypted_link)"),
  };
}

// RFC 3931: what a session holds is not said, so it has to fit.
std::vector<Sample> l2tp_v3_samples() {
  const auto over_ip = [] { return v4().ipv4(115).be32(7); };
  const auto sum_of = [](unsigned sum) {  // IPv4, 40 octets, TCP, 192.168.1.1 to 192.168.1.2
    return v4()
        .ipv4(115)
        .be32(7)
        .inner_ipv4(6)
        .patch(10, {sum >> 8, sum & 0xff})
        .tcp(1000, 80, 0x12);
  };
  const Build cut = v4().ipv4(115).be32(7).inner_ipv4(6).patch(2, {0, 48}).tcp(1000, 80);
  return {
      carries("L2TPv3 over IP, of Ethernet", over_ip().ethernet(0x0800), outer4(115, 78)),
      carries("L2TPv3 with a sublayer, of a tagged frame",
              over_ip().zeros(4).ethernet(0x8100).tag(7, 0x0800), outer4(115, 86)),
      carries("L2TPv3 with a long cookie", over_ip().payload(8).ethernet(0x0800), outer4(115, 86)),
      carries("L2TPv3 with a long cookie and a sublayer",
              over_ip().payload(8).zeros(4).ethernet(0x0800), outer4(115, 90)),
      exact("L2TPv3 of a padded frame",
            over_ip()
                .ethernet(0x0800)
                .inner_ipv4(17)
                .patch(2, {0, 28})
                .be32(5 << 16 | 7)
                .be32(8 << 16)
                .zeros(18),
            outer4(115, 84), "192.168.1.1:5 > 192.168.1.2:7 proto 17 octets 28"),
      carries("L2TPv3 of PPP", over_ip().be16(0xff03).be16(0x0021), outer4(115, 68)),
      carries("L2TPv3 of PPP, address and control left out", over_ip().payload(4).be16(0x0021),
              outer4(115, 70)),
      carries("L2TPv3 of Cisco HDLC", over_ip().be16(0x0f00).be16(0x0800), outer4(115, 68)),
      carries("L2TPv3 of IP", over_ip(), outer4(115, 64)),
      exact("L2TPv3 of IPv6", over_ip().payload(4).inner_ipv6(17).udp(5, 7), outer4(115, 76),
            "fd00::1:5 > fd00::2:7 proto 17 octets 48"),
      carries("L2TPv3 over UDP, of Ethernet",
              over_udp(1701).be16(3).be16(0).be32(7).payload(4).ethernet(0x0800),
              outer_udp(1701, 94)),
      exact("L2TPv3 of a header whose checksum is right", sum_of(0xf77c), outer4(115, 64),
            kInnerTcp),
      exact("L2TPv3 of a header whose checksum is wrong", sum_of(0x1234), outer4(115, 64),
            outer4(115, 64) + " (unread_tunnel)"),
      exact("L2TPv3 of a length that does not fit", cut, outer4(115, 64),
            outer4(115, 64) + " (unread_tunnel)"),
      exact("L2TPv3 of nothing known", over_ip().payload(40), outer4(115, 64),
            outer4(115, 64) + " (unread_tunnel)"),
      exact("L2TPv3 of an unknown session over UDP",
            over_udp(1701).be16(3).be16(0).be32(7).payload(40), outer_udp(1701, 76),
            outer_udp(1701, 76) + " (unread_tunnel)"),
      exact("L2TPv3 control message over IP", v4().ipv4(115).be32(0).zeros(12), outer4(115, 36)),
      exact("L2TPv3 cut in its session", v4().ipv4(115).be16(7), outer4(115, 22),
            outer4(115, 22) + " (truncated_tunnel)"),
  };
}

std::vector<Sample> overlay_samples() {
  return {
      carries("VXLAN", over_udp(4789).vxlan().ethernet(0x0800), outer_udp(4789, 90)),
      carries("VXLAN of a tagged frame", over_udp(4789).vxlan().ethernet(0x8100).tag(7, 0x0800),
              outer_udp(4789, 94)),
      exact("VXLAN of ARP", over_udp(4789).vxlan().ethernet(0x0806).zeros(28), outer_udp(4789, 78)),
      carries("VXLAN answered from its port",
              v4().ipv4(17).udp(4789, 50000).vxlan().ethernet(0x0800),
              "10.0.0.1:4789 > 10.0.0.2:50000 proto 17 octets 90"),
      exact("DNS to a client on VXLAN's port is no tunnel",
            v4().ipv4(17).udp(53, 4789).vxlan().ethernet(0x0800).inner_ipv4(17).udp(5, 7),
            "10.0.0.1:53 > 10.0.0.2:4789 proto 17 octets 78"),
      carries("VXLAN-GPE of IPv4", over_udp(4790).octets({12, 0, 0, 1}).be32(42 << 8),
              outer_udp(4790, 76)),
      carries("GENEVE of Ethernet with options", over_udp(6081).geneve(0x6558, 3).ethernet(0x0800),
              outer_udp(6081, 102)),
      carries("GENEVE of IPv4", over_udp(6081).geneve(0x0800), outer_udp(6081, 76)),
      carries("MPLS in UDP", over_udp(6635).mpls(100, true), outer_udp(6635, 72)),
      carries("LISP", over_udp(4341).zeros(8), outer_udp(4341, 76)),
      carries("VXLAN in VXLAN",
              over_udp(4789)
                  .vxlan()
                  .ethernet(0x0800)
                  .ipv4(17)
                  .udp(40000, 4789)
                  .vxlan()
                  .ethernet(0x0800),
              outer_udp(4789, 140)),
      carries("UDP length 0 over IPv6: up to the end (RFC 2675)",
              v6().ipv6(17).udp(40000, 4789).patch(4, {0, 0}).vxlan().ethernet(0x0800),
              "2001:db8::1:40000 > 2001:db8::2:4789 proto 17 octets 110"),
      exact("UDP length below its header: no payload (RFC 768)",
            v4().ipv4(17)
                .udp(40000, 4789)
                .patch(4, {0, 0})
                .vxlan()
                .ethernet(0x0800)
                .inner_ipv4(17)
                .udp(5, 7),
            outer_udp(4789, 78)),
  };
}

std::vector<Sample> access_samples() {
  Build extended = over_udp(2152).gtp(0x34).be32(0x00000085).octets({1, 0, 9, 0xc0});
  extended.octets({1, 0, 0, 0});
  Build padded = Build().octets({0, 0, 9, 0, 2, 0, 0, 0, 0x20}).octets({8, 1}).zeros(22);
  padded.octets({0xaa, 0xaa, 3}).snap(0, 0x0800).ipv4(17).udp(40000, 37008);
  padded.octets({1, 0, 0, 18, 1}).octets({0x88, 1}).zeros(24).octets({0xaa, 0xaa, 3});
  Sample wlan_in_wlan = carries("802.11 in TZSP: not padded, though the frame outside was",
                                padded.snap(0, 0x0800), outer_udp(37008, 107));
  wlan_in_wlan.link_type = LinkType::kIeee80211Radiotap;
  Build teredo = over_udp(3544).octets({0, 1, 2, 3}).zeros(5).zeros(9).zeros(8);
  return {
      carries("GTP-U", over_udp(2152).gtp(), outer_udp(2152, 76)),
      carries("GTP-U with a sequence number", over_udp(2152).gtp(0x32).be32(0x00010000),
              outer_udp(2152, 80)),
      carries("GTP-U with two extension headers", extended, outer_udp(2152, 88)),
      carries("GTP-U of Ethernet", over_udp(2152).gtp().ethernet(0x0800), outer_udp(2152, 90)),
      exact("GTP-U echo request", over_udp(2152).gtp(0x32, 1).be32(0), outer_udp(2152, 40)),
      carries("L2TPv2 with all fields",
              over_udp(1701)
                  .be16(0x4a02)
                  .be16(60)
                  .be32(1)
                  .be32(0)
                  .be16(2)
                  .be16(0)
                  .octets({0xff, 3})
                  .be16(0x0021),
              outer_udp(1701, 88)),
      carries("L2TPv2, shortest", over_udp(1701).be16(2).be32(1).octets({0x21}),
              outer_udp(1701, 75)),
      carries("L2TPv2 of Cisco HDLC", over_udp(1701).be16(2).be32(7).octets({0x0f, 0}).be16(0x0800),
              outer_udp(1701, 78)),
      exact("L2TP control message", over_udp(1701).be16(0xc802).be16(12).zeros(8),
            outer_udp(1701, 40)),
      exact("Teredo", over_udp(3544).inner_ipv6(17).udp(5, 7), outer_udp(3544, 76),
            "fd00::1:5 > fd00::2:7 proto 17 octets 48"),
      exact("Teredo with authentication and origin", teredo.inner_ipv6(17).udp(5, 7),
            outer_udp(3544, 102), "fd00::1:5 > fd00::2:7 proto 17 octets 48"),
      exact("AYIYA",
            over_udp(5072).octets({0x41, 0x52, 0x11, 41}).zeros(40).inner_ipv6(17).udp(5, 7),
            outer_udp(5072, 120), "fd00::1:5 > fd00::2:7 proto 17 octets 48"),
      carries("CAPWAP of 802.3", over_udp(5247).octets({0, 0x10, 2, 0}).zeros(4).ethernet(0x0800),
              outer_udp(5247, 90)),
      carries("CAPWAP of 802.11, frame control swapped",
              over_udp(5247)
                  .octets({0, 0x10, 3, 0})
                  .zeros(4)
                  .octets({1, 8})
                  .zeros(22)
                  .octets({0xaa, 0xaa, 3})
                  .snap(0, 0x0800),
              outer_udp(5247, 108)),
      carries("TZSP", over_udp(37008).octets({1, 0, 0, 1, 10, 1, 0, 1}).ethernet(0x0800),
              outer_udp(37008, 90)),
      wlan_in_wlan,
  };
}

}  // namespace

std::vector<Sample> tunnel_samples() {
  std::vector<Sample> all;
  for (auto table : {ip_samples, gre_samples, l2tp_v3_samples, overlay_samples, access_samples}) {
    for (Sample& sample : table()) all.push_back(std::move(sample));
  }
  return all;
}

}  // namespace wiretally
