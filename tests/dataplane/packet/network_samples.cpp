// SPDX-License-Identifier: Apache-2.0
// IPv4, IPv6 and the transport layer over plain Ethernet. Thread: any.
#include "tests/dataplane/packet/samples.hpp"
#include "tests/support/packet_builder.hpp"

namespace wiretally {
namespace {

using Build = PacketBuilder;

Build v4() {
  return Build().ethernet(0x0800);
}
Build v6() {
  return Build().ethernet(0x86dd);
}

Sample sample(const char* description, const Build& packet, const std::string& expected) {
  return {description, LinkType::kEthernet, packet.build(), expected};
}

std::vector<Sample> transport_samples() {
  return {
      sample("TCP SYN", v4().ipv4(6).tcp(1000, 80, 2),
             "10.0.0.1:1000 > 10.0.0.2:80 proto 6 octets 40 flags 0x002"),
      sample("TCP, all twelve flag bits", v4().ipv4(6).tcp(1000, 80, 0xfff),
             "10.0.0.1:1000 > 10.0.0.2:80 proto 6 octets 40 flags 0xfff"),
      sample("TCP over IPv6", v6().ipv6(6).tcp(1000, 80, 0x18),
             "2001:db8::1:1000 > 2001:db8::2:80 proto 6 octets 60 flags 0x018"),
      sample("UDP", v4().ipv4(17).udp(5, 7).payload(4),
             "10.0.0.1:5 > 10.0.0.2:7 proto 17 octets 32"),
      sample("UDP-Lite", v4().ipv4(136).udp(5, 7), "10.0.0.1:5 > 10.0.0.2:7 proto 136 octets 28"),
      sample("SCTP", v4().ipv4(132).be16(5).be16(7).zeros(8),
             "10.0.0.1:5 > 10.0.0.2:7 proto 132 octets 32"),
      sample("DCCP", v6().ipv6(33).be16(5).be16(7).zeros(8),
             "2001:db8::1:5 > 2001:db8::2:7 proto 33 octets 52"),
      sample("ICMP: type and code in the destination port", v4().ipv4(1).icmp(3, 1),
             "10.0.0.1 > 10.0.0.2:769 proto 1 octets 28"),
      sample("ICMPv6", v6().ipv6(58).icmp(135, 0),
             "2001:db8::1 > 2001:db8::2:34560 proto 58 "
             "octets 48"),
      sample("an IP packet quoted by ICMP is no tunnel",
             v4().ipv4(1).icmp(3, 3).inner_ipv4(17).udp(5, 7),
             "10.0.0.1 > 10.0.0.2:771 proto 1 octets 56"),
      sample("IGMP", v4().ipv4(2).zeros(8), "10.0.0.1 > 10.0.0.2 proto 2 octets 28"),
      sample("OSPF", v6().ipv6(89).zeros(16), "2001:db8::1 > 2001:db8::2 proto 89 octets 56"),
      sample("ESP", v4().ipv4(50).zeros(16), "10.0.0.1 > 10.0.0.2 proto 50 octets 36"),
      sample("an unassigned protocol", v4().ipv4(253).zeros(4),
             "10.0.0.1 > 10.0.0.2 proto 253 octets 24"),
  };
}

std::vector<Sample> ipv4_samples() {
  const std::string later = "10.0.0.1 > 10.0.0.2 proto 17 octets 36";
  return {
      sample("padding of a short frame is not counted", v4().ipv4(17).udp(5, 7).trailer(18),
             "10.0.0.1:5 > 10.0.0.2:7 proto 17 octets 28"),
      sample("options", v4().ipv4_with_options(17, 2).octets({1, 1, 1, 1, 1, 1, 1, 0}).udp(5, 7),
             "10.0.0.1:5 > 10.0.0.2:7 proto 17 octets 36"),
      sample("source route: the header's destination counts",
             v4().ipv4_with_options(17, 2).octets({131, 7, 4, 192, 0, 2, 1, 0}).udp(5, 7),
             "10.0.0.1:5 > 10.0.0.2:7 proto 17 octets 36"),
      sample("a source route that ends with the header, before its pointer",
             v4().ipv4_with_options(253, 1).octets({1, 1, 131, 2}),
             "10.0.0.1 > 10.0.0.2 proto 253 octets 24"),
      sample("type of service", v4().ipv4(17).patch(1, {0xb8}).udp(5, 7),
             "10.0.0.1:5 > 10.0.0.2:7 proto 17 octets 28 tos 184"),
      sample("first fragment: has its ports",
             v4().ipv4(17).patch(6, {0x20, 0}).udp(5, 7).payload(8),
             "10.0.0.1:5 > 10.0.0.2:7 proto 17 octets 36"),
      sample("later fragment: ports 0", v4().ipv4(17).patch(6, {0, 5}).udp(5, 7).payload(8), later),
      sample("don't fragment is no fragment", v4().ipv4(17).patch(6, {0x40, 0}).udp(5, 7),
             "10.0.0.1:5 > 10.0.0.2:7 proto 17 octets 28"),
      sample("total length 0: what was on the wire",
             v4().ipv4(6).patch(2, {0, 0}).tcp(5, 7).payload(100),
             "10.0.0.1:5 > 10.0.0.2:7 proto 6 octets 140 flags 0x010 (no_ip_length)"),
      sample("total length beyond the frame is believed",
             v4().ipv4(17).patch(2, {5, 0xdc}).udp(5, 7),
             "10.0.0.1:5 > 10.0.0.2:7 proto 17 octets 1500 (ip_length_beyond_frame)"),
      sample("IPv6 payload length beyond the frame is believed",
             v6().ipv6(17).patch(4, {5, 0xdc}).udp(5, 7),
             "2001:db8::1:5 > 2001:db8::2:7 proto 17 octets 1540 (ip_length_beyond_frame)"),
      sample("IPv6 under the IPv4 ethertype", v4().ipv6(17).udp(5, 7),
             "2001:db8::1:5 > 2001:db8::2:7 proto 17 octets 48"),
  };
}

std::vector<Sample> ipv6_samples() {
  const std::string flow = "2001:db8::1:5 > 2001:db8::2:7 proto 17 octets ";
  Build many = v6().ipv6(0);
  for (int i = 0; i < 127; ++i) many.extension(60);
  many.extension(17).udp(5, 7);
  Build jumbo = v6().ipv6(0).patch(4, {0, 0}).extension(17).patch(2, {0xc2, 4, 0, 1, 0, 8});
  std::vector<Sample> samples = {
      sample("traffic class", v6().ipv6(17).patch(0, {0x6b, 0x80}).udp(5, 7), flow + "48 tos 184"),
      sample("hop-by-hop, routing, destination options",
             v6().ipv6(0).extension(43).extension(60, 1).extension(17).udp(5, 7), flow + "80"),
      sample("segment routing header: the header's destination counts",
             v6().ipv6(43).extension(17, 2).patch(2, {4, 0, 0, 0}).udp(5, 7), flow + "72"),
      sample("atomic fragment", v6().ipv6(44).fragment_header(17, 0, false).udp(5, 7), flow + "56"),
      sample("first fragment", v6().ipv6(44).fragment_header(17, 0, true).udp(5, 7), flow + "56"),
      sample("later fragment: the next header as it is, ports 0",
             v6().ipv6(44).fragment_header(60, 1480, false).payload(16),
             "2001:db8::1 > 2001:db8::2 proto 60 octets 64"),
      sample("AH ends the walk", v6().ipv6(51).octets({6, 4}).zeros(22).tcp(5, 7),
             "2001:db8::1 > 2001:db8::2 proto 51 octets 84"),
      sample("mobility header is a protocol", v6().ipv6(135).zeros(8),
             "2001:db8::1 > 2001:db8::2 proto 135 octets 48"),
      sample("no next header", v6().ipv6(59), "2001:db8::1 > 2001:db8::2 proto 59 octets 40"),
      sample("as many extension headers as are followed", many, flow + "1072"),
      sample("payload length 0 in a short frame is a length",
             v6().ipv6(17).patch(4, {0, 0}).trailer(20),
             "2001:db8::1 > 2001:db8::2 proto 17 octets 40 (truncated_transport)"),
  };
  Sample big =
      sample("BIG TCP: payload length 0 in a frame beyond 65,535 octets",
             v6().ipv6(6).patch(4, {0, 0}).tcp(5, 7),
             "2001:db8::1:5 > 2001:db8::2:7 proto 6 octets 79986 flags 0x010 (no_ip_length)");
  big.wire_octets = 80'000;
  samples.push_back(big);
  Sample jumbogram = sample("jumbogram: the option's length", jumbo.udp(5, 7), flow + "65584");
  jumbogram.wire_octets = 65'598;
  samples.push_back(jumbogram);
  const Build cut_option =
      v6().ipv6(0).patch(4, {0, 0}).extension(17).patch(2, {0, 0, 0xc2, 4, 0, 2});
  samples.push_back(sample("jumbo option that runs out of its header", Build(cut_option).zeros(8),
                           "2001:db8::1 > 2001:db8::2 proto 0 octets 40 (truncated_extension)"));
  return samples;
}

}  // namespace

std::vector<Sample> network_samples() {
  std::vector<Sample> all = transport_samples();
  for (auto table : {ipv4_samples, ipv6_samples}) {
    for (Sample& entry : table()) all.push_back(std::move(entry));
  }
  return all;
}

}  // namespace wiretally
