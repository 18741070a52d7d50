// SPDX-License-Identifier: Apache-2.0
// Every link layer the parser reads, around the same small IP packet. Thread: any.
#include "tests/dataplane/packet/samples.hpp"
#include "tests/support/packet_builder.hpp"

namespace wiretally {
namespace {

using Build = PacketBuilder;

constexpr const char* kUdpFlow = "10.0.0.1:5 > 10.0.0.2:7 proto 17 octets 28";

// What all of these carry.
Build& udp_in_ipv4(Build& packet) {
  return packet.ipv4(17).udp(5, 7);
}

Sample over(LinkType type, const char* description, Build packet,
            const std::string& expected = kUdpFlow) {
  return {description, type, udp_in_ipv4(packet).build(), expected};
}

Sample plain(LinkType type, const char* description, const Build& packet,
             const std::string& expected) {
  return {description, type, packet.build(), expected};
}

std::vector<Sample> ethernet_samples() {
  constexpr LinkType kEth = LinkType::kEthernet;
  const std::string tagged = std::string(kUdpFlow) + " vlan 7";
  std::vector<Sample> samples = {
      over(kEth, "Ethernet II", Build().ethernet(0x0800)),
      over(kEth, "one 802.1Q tag", Build().ethernet(0x8100).tag(0x2007, 0x0800), tagged),
      over(kEth, "802.1ad over 802.1Q: the outer id counts",
           Build().ethernet(0x88a8).tag(7, 0x8100).tag(9, 0x0800), tagged),
      over(kEth, "old QinQ type", Build().ethernet(0x9100).tag(7, 0x8100).tag(9, 0x0800), tagged),
      over(kEth, "priority tag: id 0", Build().ethernet(0x8100).tag(0xe000, 0x0800)),
      over(kEth, "802.3 length, LLC, SNAP", Build().ethernet_llc(0xaa, 0xaa, 3).snap(0, 0x0800)),
      over(kEth, "LLC with the IP service access point", Build().ethernet_llc(6, 6, 3)),
      over(kEth, "LLC with an ISO identifier", Build().ethernet_llc(0xfe, 0xfe, 3).octets({0xcc})),
      over(kEth, "bridged Ethernet in SNAP",
           Build().ethernet_llc(0xaa, 0xaa, 3).snap(0x0080c2, 7).be16(0).ethernet(0x0800)),
      over(kEth, "MAC-in-MAC", Build().ethernet(0x88a8).tag(7, 0x88e7).be32(99).ethernet(0x0800),
           tagged),
      over(kEth, "Cisco VN-Tag", Build().ethernet(0x8926).be32(1).be16(0x8100).tag(7, 0x0800),
           tagged),
      over(kEth, "802.1BR E-Tag", Build().ethernet(0x893f).zeros(6).be16(0x0800)),
      over(kEth, "802.1CB R-Tag", Build().ethernet(0xf1c1).zeros(4).be16(0x0800)),
      over(kEth, "HSR", Build().ethernet(0x892f).zeros(4).be16(0x0800)),
      over(kEth, "Cisco MetaData", Build().ethernet(0x8909).zeros(6).be16(0x0800)),
      over(kEth, "Arista 64-bit timestamp",
           Build().ethernet(0xd28b).be16(1).be16(0x0010).zeros(8).be16(0x0800)),
      over(kEth, "Arista 48-bit UTC timestamp",
           Build().ethernet(0xd28b).be16(1).be16(0x0120).zeros(6).be16(0x0800)),
      over(kEth, "TRILL with an option word",
           Build().ethernet(0x22f3).be16(1 << 6).be32(0).be32(0).ethernet(0x0800)),
      over(kEth, "FabricPath", Build().ethernet(0x8903).be16(1).ethernet(0x0800)),
      over(kEth, "B.A.T.M.A.N. unicast",
           Build().ethernet(0x4305).octets({0x40, 15}).zeros(8).ethernet(0x0800)),
      over(kEth, "B.A.T.M.A.N. broadcast of version 14",
           Build().ethernet(0x4305).octets({4, 14}).zeros(12).ethernet(0x0800)),
      over(kEth, "NSH, metadata type 2", Build().ethernet(0x894f).octets({0, 2, 2, 1}).be32(0)),
      over(kEth, "NSH, metadata type 1, Ethernet inside",
           Build().ethernet(0x894f).octets({0, 6, 1, 3}).zeros(20).ethernet(0x0800)),
      over(kEth, "jumbo LLC", Build().ethernet(0x8870).octets({0xaa, 0xaa, 3}).snap(0, 0x0800)),
      over(kEth, "PPP over Ethernet", Build().ethernet(0x8864).pppoe(0x0021)),
  };
  Build macsec = Build().ethernet(0x88e5).octets({0x20, 0}).zeros(12).be16(0x0800);
  samples.push_back(
      plain(kEth, "MACsec, integrity only", udp_in_ipv4(macsec).trailer(16), kUdpFlow));
  Build isl = Build().octets({1, 0, 0x0c, 0, 0, 0}).zeros(6).be16(0).zeros(6).be16(7 << 1).be32(0);
  const Build tagged_isl = Build(isl).ethernet(0x8100).tag(9, 0x0800);
  isl.ethernet(0x0800);
  samples.push_back(plain(kEth, "ISL", udp_in_ipv4(isl).trailer(4), tagged));
  samples.push_back(plain(kEth, "802.1Q in ISL: the outer id counts",
                          Build(tagged_isl).ipv4(17).udp(5, 7).trailer(4), tagged));
  return samples;
}

std::vector<Sample> label_samples() {
  constexpr LinkType kEth = LinkType::kEthernet;
  // With a control word, the IPv4 total length would stand where a length field could.
  Build short_frame = Build().ethernet(0x8847).mpls(100, true).ethernet(0x0800);
  const Sample padded = plain(kEth, "pseudowire without control word, padded to a minimum frame",
                              udp_in_ipv4(short_frame).trailer(18), kUdpFlow);
  return {
      over(kEth, "MPLS, two labels", Build().ethernet(0x8847).mpls(100, false).mpls(101, true)),
      over(kEth, "upstream MPLS", Build().ethernet(0x8848).mpls(100, true)),
      over(kEth, "Ethernet pseudowire with control word",
           Build().ethernet(0x8847).mpls(100, true).be32(0).ethernet(0x0800)),
      over(kEth, "Ethernet pseudowire without control word",
           Build().ethernet(0x8847).mpls(100, true).ethernet(0x0800)),
      padded,
      over(kEth, "associated channel of IPv4",
           Build().ethernet(0x8847).mpls(100, true).octets({0x10, 0}).be16(0x0021)),
      over(kEth, "label 13 holds no IP, whatever follows (RFC 5586)",
           Build().ethernet(0x8847).mpls(13, true), "ethertype 0x8847"),
  };
}

std::vector<Sample> non_ip_samples() {
  constexpr LinkType kEth = LinkType::kEthernet;
  return {
      plain(kEth, "ARP", Build().ethernet(0x0806).zeros(28), "ethertype 0x0806"),
      plain(kEth, "tagged ARP", Build().ethernet(0x8100).tag(7, 0x0806).zeros(28),
            "ethertype 0x0806 vlan 7"),
      plain(kEth, "spanning tree", Build().ethernet_llc(0x42, 0x42, 3).zeros(35),
            "ethertype 0x0042"),
      plain(kEth, "CDP", Build().ethernet_llc(0xaa, 0xaa, 3).snap(0x0c, 0x2000).zeros(9),
            "ethertype 0x2000"),
      plain(kEth, "LLC acknowledgment", Build().ethernet_llc(0xfe, 0xfe, 1).octets({0}),
            "ethertype 0x00fe"),
      plain(kEth, "Novell's raw 802.3", Build().ethernet(20).be16(0xffff).zeros(18),
            "ethertype 0x0000"),
      plain(kEth, "neither length nor type", Build().ethernet(1501).zeros(20), "ethertype 0x0000"),
      plain(kEth, "PPPoE discovery", Build().ethernet(0x8863).zeros(20), "ethertype 0x8863"),
      plain(kEth, "LCP over PPPoE", Build().ethernet(0x8864).pppoe(0xc021).zeros(6),
            "ethertype 0x8864"),
      plain(kEth, "encrypted MACsec", Build().ethernet(0x88e5).octets({0x0c, 0}).zeros(40),
            "ethertype 0x88e5 (encrypted_link)"),
      plain(LinkType::kPpp, "LCP", Build().octets({0xff, 3}).be16(0xc021).zeros(6),
            "ethertype 0xc021"),
      plain(LinkType::kCiscoHdlc, "SLARP", Build().octets({0x8f, 0}).be16(0x8035).zeros(14),
            "ethertype 0x8035"),
      plain(LinkType::kIeee80211, "a beacon", Build().octets({0x80, 0}).zeros(40),
            "ethertype 0x0000"),
  };
}

Build wlan(unsigned type, unsigned flags) {
  return Build().octets({type, flags}).zeros(22);
}

std::vector<Sample> wireless_samples() {
  const auto llc = [](Build packet) { return packet.octets({0xaa, 0xaa, 3}).snap(0, 0x0800); };
  Build radiotap = Build().octets({0, 0, 16, 0}).octets({2, 0, 0, 0, 0x10}).zeros(7);
  radiotap.octets({8, 1}).zeros(22).octets({0xaa, 0xaa, 3}).snap(0, 0x0800);
  Build padded = Build().octets({0, 0, 9, 0}).octets({2, 0, 0, 0, 0x20});
  padded.octets({0x88, 1}).zeros(24).zeros(2).octets({0xaa, 0xaa, 3}).snap(0, 0x0800);
  Build ppi = Build().octets({0, 0, 8, 0, 105, 0, 0, 0}).octets({8, 2}).zeros(22);
  ppi.octets({0xaa, 0xaa, 3}).snap(0, 0x0800);
  Build aligned = Build().octets({0, 1, 40, 0, 105, 0, 0, 0}).octets({0x32, 0x75, 3, 0}).zeros(4);
  aligned.octets({2, 0, 20, 0}).zeros(8).octets({1}).zeros(11).octets({8, 2}).zeros(22);
  aligned.octets({0xaa, 0xaa, 3}).snap(0, 0x0800).ipv4(17).patch(2, {0, 0}).udp(5, 7).trailer(4);
  // Found by fuzzing: a common field of no octets has no flags, whatever stands behind it.
  Build no_flags = Build().octets({0, 1, 40, 0, 105, 0, 0, 0}).octets({0x32, 0x75, 3, 0}).zeros(4);
  no_flags.octets({2, 0, 0, 0, 0x54, 0, 0, 0}).zeros(4).octets({1}).zeros(11).octets({8, 2});
  no_flags.zeros(22).octets({0xaa, 0xaa, 3}).snap(0, 0x0800);
  no_flags.ipv4(17).patch(2, {0, 0}).udp(5, 7).trailer(4);
  // The flags octet that is announced would be the next header's first: 0x10, a check sequence.
  Build outside = Build().octets({0, 0, 8, 0}).octets({2, 0, 0, 0}).octets({0x18, 1}).zeros(22);
  outside.octets({0xaa, 0xaa, 3}).snap(0, 0x0800).ipv4(17).patch(2, {0, 0}).udp(5, 7);
  Build aggregate = wlan(0x88, 1).octets({0x80, 0}).zeros(12).be16(36);
  Build prism = Build().octets({0x44, 0, 0, 0, 16, 0, 0, 0}).zeros(8).octets({8, 1}).zeros(22);
  Build avs = Build().be32(0x80211001).be32(16).zeros(8).octets({8, 1}).zeros(22);
  return {
      over(LinkType::kIeee80211, "802.11 data to the access point", llc(wlan(0x08, 1))),
      over(LinkType::kIeee80211, "802.11 QoS data", llc(wlan(0x88, 2).zeros(2))),
      over(LinkType::kIeee80211, "802.11 QoS data with HT control", llc(wlan(0x88, 0x82).zeros(6))),
      over(LinkType::kIeee80211, "802.11 between access points", llc(wlan(0x08, 3).zeros(6))),
      over(LinkType::kIeee80211, "802.11 aggregate of frames", llc(aggregate)),
      plain(LinkType::kIeee80211, "802.11 protected data", wlan(0x08, 0x41).zeros(40),
            "ethertype 0x0000 (encrypted_link)"),
      plain(LinkType::kIeee80211, "802.11 later fragment",
            Build().octets({0x08, 1}).zeros(20).octets({3, 0}).zeros(40),
            "ethertype 0x0000 (link_fragment)"),
      over(LinkType::kIeee80211Prism, "Prism header", llc(prism)),
      over(LinkType::kIeee80211Prism, "AVS header under the Prism type", llc(avs)),
      over(LinkType::kIeee80211Avs, "AVS header", llc(avs)),
      plain(LinkType::kIeee80211Radiotap, "radiotap, check sequence at the end",
            udp_in_ipv4(radiotap).trailer(4), kUdpFlow),
      over(LinkType::kIeee80211Radiotap, "radiotap, padding behind the 802.11 header", padded),
      over(LinkType::kPpi, "PPI over 802.11", ppi),
      plain(LinkType::kPpi, "PPI with aligned fields: its check sequence is no payload", aligned,
            std::string(kUdpFlow) + " (no_ip_length)"),
      plain(LinkType::kPpi, "PPI, a common field without flags: no check sequence", no_flags,
            "10.0.0.1:5 > 10.0.0.2:7 proto 17 octets 32 (no_ip_length)"),
      plain(LinkType::kIeee80211Radiotap, "radiotap, flags that its length leaves no room for",
            outside, std::string(kUdpFlow) + " (no_ip_length)"),
  };
}

std::vector<Sample> serial_samples() {
  const Build mgc = Build().octets({0x4d, 0x47, 0x43});
  const std::string v6 = "2001:db8::1:5 > 2001:db8::2:7 proto 17 octets 48";
  return {
      over(LinkType::kPpp, "PPP with address and control", Build().octets({0xff, 3}).be16(0x0021)),
      over(LinkType::kPpp, "PPP, all compressed", Build().octets({0x21})),
      over(LinkType::kPppSerial, "Cisco HDLC on a PPP link", Build().octets({0x0f, 0, 8, 0})),
      over(LinkType::kPppEther, "PPPoE as a link type",
           Build().octets({0x11, 0}).be16(1).be16(30).be16(0x21)),
      over(LinkType::kPpp, "MPLS in PPP", Build().octets({0xff, 3}).be16(0x0281).mpls(100, true)),
      over(LinkType::kPpp, "bridged Ethernet in PPP",
           Build().octets({0xff, 3}).be16(0x0031).octets({0, 1}).ethernet(0x0800)),
      over(LinkType::kPpp, "multilink, whole frame",
           Build().octets({0xff, 3}).be16(0x003d).octets({0xc0, 0, 0, 1, 0x21})),
      over(LinkType::kPppWithDirection, "PPP with direction", Build().octets({0, 3}).be16(0x0021)),
      over(LinkType::kCiscoHdlc, "Cisco HDLC", Build().octets({0x0f, 0}).be16(0x0800)),
      over(LinkType::kFrameRelay, "Frame Relay, RFC 2427", Build().octets({0x18, 0x41, 3, 0xcc})),
      over(LinkType::kFrameRelay, "Frame Relay, padded SNAP",
           Build().octets({0x18, 0x41, 3, 0, 0x80}).snap(0, 0x0800)),
      over(LinkType::kFrameRelay, "Frame Relay, Cisco", Build().octets({0x18, 0x41}).be16(0x0800)),
      over(LinkType::kFddi, "FDDI",
           Build().octets({0x50}).zeros(12).octets({0xaa, 0xaa, 3}).snap(0, 0x0800)),
      over(LinkType::kTokenRing, "Token Ring, source routed",
           Build()
               .octets({0x10, 0x40})
               .zeros(6)
               .octets({0x80})
               .zeros(5)
               .octets({2, 0})
               .octets({0xaa, 0xaa, 3})
               .snap(0, 0x0800)),
      over(LinkType::kAtmRfc1483, "ATM, RFC 2684", Build().octets({0xaa, 0xaa, 3}).snap(0, 0x0800)),
      over(LinkType::kArcnetLinux, "ARCNET, RFC 1201", Build().zeros(4).octets({212, 0, 0, 1})),
      over(LinkType::kArcnet, "ARCNET, RFC 1051", Build().zeros(2).octets({240})),
      over(LinkType::kJuniperEthernet, "Juniper with extensions",
           Build(mgc).octets({0x80}).be16(4).zeros(4).ethernet(0x0800)),
      over(LinkType::kJuniperEthernet, "Juniper without a link layer",
           Build(mgc).octets({2, 2, 0, 0, 0})),
      over(LinkType::kIpnet, "Solaris ipnet", Build().octets({1, 2}).zeros(22)),
      over(LinkType::kIpOverInfiniband, "IP over InfiniBand",
           Build().zeros(40).be16(0x0800).be16(0)),
      over(LinkType::kBroadcomTag, "Broadcom switch tag", Build().zeros(16).be16(0x0800)),
      over(LinkType::kRaw, "no link layer", Build()),
      over(LinkType::kRawBsd, "no link layer, BSD's number", Build()),
      over(LinkType::kIpv4, "IPv4 as a link type", Build()),
      plain(LinkType::kIpv6, "IPv6 as a link type", Build().ipv6(17).udp(5, 7), v6),
      plain(LinkType::kIpv4, "IPv6 under the IPv4 link type", Build().ipv6(17).udp(5, 7), v6),
      over(LinkType::kNull, "loopback, little-endian", Build().octets({2, 0, 0, 0})),
      over(LinkType::kNull, "loopback, big-endian", Build().be32(2)),
      plain(LinkType::kNull, "loopback, a BSD's IPv6",
            Build().octets({30, 0, 0, 0}).ipv6(17).udp(5, 7), v6),
      over(LinkType::kLoop, "OpenBSD loopback", Build().be32(2)),
      over(LinkType::kLinuxSll, "Linux cooked", Build().zeros(14).be16(0x0800)),
      over(LinkType::kLinuxSll, "Linux cooked, tagged",
           Build().zeros(14).be16(0x8100).tag(7, 0x800), std::string(kUdpFlow) + " vlan 7"),
      over(LinkType::kLinuxSll2, "Linux cooked, version 2", Build().be16(0x0800).zeros(18)),
      over(LinkType::kNflog, "netfilter log, by family",
           Build().octets({2, 0, 0, 0}).octets({6, 0, 10, 0, 'a', 0, 0, 0}).octets({32, 0, 9, 0})),
      over(LinkType::kNflog, "netfilter log of a big-endian machine",
           Build().octets({2, 0, 0, 0}).octets({0, 8, 0, 1, 8, 0, 0, 0}).octets({0, 32, 0, 9})),
      plain(LinkType::kNflog, "netfilter log whose packet is longer than the frame",
            Build().octets({2, 0, 0, 0, 33, 0, 9, 0}).ipv4(17).udp(5, 7),
            "ethertype 0x0000 (truncated_link)"),
  };
}

// Link types that are another one with something before or behind it.
std::vector<Sample> framed_samples() {
  Build preamble = Build().zeros(7).octets({0xd5}).ethernet(0x0800);
  Build interrupted = Build().zeros(7).octets({0x4c}).ethernet(0x0800);
  Build analyzer = Build().zeros(4).ethernet(0x0800);
  return {
      over(LinkType::kCiscoHdlcWithDirection, "Cisco HDLC with direction",
           Build().octets({0, 0x0f, 0}).be16(0x0800)),
      over(LinkType::kPppWithDirectionHdlc, "PPP with direction, registered number",
           Build().octets({1, 0xff, 3}).be16(0x0021)),
      over(LinkType::kFrameRelayWithDirection, "Frame Relay with direction",
           Build().octets({0, 0x18, 0x41, 3, 0xcc})),
      over(LinkType::kIpOver1394, "IP over FireWire", Build().zeros(16).be16(0x0800)),
      over(LinkType::kIpOverFibreChannel, "IP over Fibre Channel (RFC 2625)",
           Build().zeros(16).octets({0xaa, 0xaa, 3}).snap(0, 0x0800)),
      over(LinkType::kSunAtm, "SunATM",
           Build().octets({2, 0, 0, 1}).octets({0xaa, 0xaa, 3}).snap(0, 0x0800)),
      over(LinkType::kRawOpenBsd, "no link layer, OpenBSD's number", Build()),
      over(LinkType::kBroadcomTagPrepended, "Broadcom switch tag in front",
           Build().zeros(4).ethernet(0x0800)),
      plain(LinkType::kEthernetWithPreamble, "Ethernet with preamble",
            udp_in_ipv4(preamble).trailer(4), kUdpFlow),
      plain(LinkType::kEthernetWithPreamble, "Ethernet, the first piece of a frame",
            udp_in_ipv4(interrupted).trailer(4), kUdpFlow),
      plain(LinkType::kEthernetWithPreamble, "Ethernet, a later piece of a frame",
            Build().zeros(6).octets({0x52, 0x11}).payload(46), "ethertype 0x0000 (link_fragment)"),
      plain(LinkType::kNetAnalyzer, "netANALYZER", udp_in_ipv4(analyzer).trailer(4), kUdpFlow),
  };
}

// A large packet, of which only the front was captured.
Sample snapped(Sample sample) {
  sample.wire_octets = 9000;
  return sample;
}

std::vector<Sample> snapped_samples() {
  return {snapped(
      over(LinkType::kNflog, "netfilter log of a big-endian machine, snapped",
           Build().octets({2, 0, 0, 0}).octets({0, 8, 0, 1, 8, 0, 0, 0}).octets({0, 32, 0, 9})))};
}

}  // namespace

std::vector<Sample> link_samples() {
  std::vector<Sample> all;
  for (auto table : {ethernet_samples, label_samples, non_ip_samples, wireless_samples,
                     serial_samples, framed_samples, snapped_samples}) {
    for (Sample& sample : table()) all.push_back(std::move(sample));
  }
  return all;
}

}  // namespace wiretally
