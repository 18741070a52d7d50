// SPDX-License-Identifier: Apache-2.0
// Packets that are cut, wrong or too deep: at least one for every ParseError the parser gives.
// Thread: any.
#include "dataplane/packet/limits.hpp"
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

Sample faulty(const char* description, const Build& packet, const std::string& outer,
              const std::string& inner = {}) {
  return {description, LinkType::kEthernet, packet.build(), outer, inner};
}

std::vector<Sample> bad_ip_samples() {
  return {
      faulty("IPv4 header cut", v4().octets({0x45, 0, 0, 40}).zeros(15),
             "not metered: truncated_ip"),
      faulty("nothing behind the ethertype", v4(), "not metered: truncated_ip"),
      faulty("IPv6 header cut", v6().be32(0x60000000).zeros(35), "not metered: truncated_ip"),
      faulty("IPv4 options cut", v4().ipv4_with_options(6, 3).patch(2, {0, 60}).octets({1, 1, 7}),
             "not metered: truncated_ip"),
      faulty("source route cut",
             v4().ipv4_with_options(6, 3).patch(2, {0, 60}).octets({131, 11, 4, 1, 2}),
             "not metered: truncated_ip"),
      faulty("version 5", v4().ipv4(17).patch(0, {0x55}).udp(5, 7), "not metered: bad_ip_version"),
      faulty("IPv4 under the IPv6 ethertype", v6().ipv4(17).udp(5, 7),
             "not metered: bad_ip_version"),
      faulty("header length 16", v4().ipv4(17).patch(0, {0x44}).udp(5, 7),
             "not metered: bad_ip_header_length"),
      faulty("total length below the header", v4().ipv4(17).patch(2, {0, 19}).udp(5, 7),
             "not metered: bad_ip_total_length"),
  };
}

std::vector<Sample> cut_samples() {
  Sample unknown = faulty("link type of a user's own", v4().ipv4(17).udp(5, 7),
                          "ethertype 0x0000 (unknown_link_type)");
  unknown.link_type = LinkType{147};
  std::vector<Sample> samples = {
      unknown,
      faulty("runt", Build().zeros(13), "ethertype 0x0000 (truncated_link)"),
      faulty("tag cut", Build().ethernet(0x8100).octets({0, 7, 8}),
             "ethertype 0x0000 (truncated_link)"),
      faulty("label cut", Build().ethernet(0x8847).mpls(1, false).octets({0, 0, 1}),
             "ethertype 0x8847 (truncated_link)"),
      faulty("three octets of UDP", v4().ipv4(17).octets({0, 5, 0}),
             "10.0.0.1 > 10.0.0.2 proto 17 octets 23 (truncated_transport)"),
      faulty("ports that are not the packet's but padding", v4().ipv4(17).trailer(26),
             "10.0.0.1 > 10.0.0.2 proto 17 octets 20 (truncated_transport)"),
      faulty("TCP without its flags", v4().ipv4(6).be16(5).be16(7).zeros(9),
             "10.0.0.1:5 > 10.0.0.2:7 proto 6 octets 33 (truncated_transport)"),
      faulty("one octet of ICMP", v4().ipv4(1).octets({8}),
             "10.0.0.1 > 10.0.0.2 proto 1 octets 21 (truncated_transport)"),
      faulty("extension header cut", v6().ipv6(0).octets({17, 0, 1, 4, 0}),
             "2001:db8::1 > 2001:db8::2 proto 0 octets 45 (truncated_extension)"),
      faulty("routing header cut behind its first octet", v6().ipv6(43).octets({44}),
             "2001:db8::1 > 2001:db8::2 proto 44 octets 41 (truncated_extension)"),
      faulty("options cut behind their first octet", v6().ipv6(60).octets({44}),
             "2001:db8::1 > 2001:db8::2 proto 60 octets 41 (truncated_extension)"),
      faulty("extension header longer than the packet", v6().ipv6(60).extension(17).patch(1, {9}),
             "2001:db8::1 > 2001:db8::2 proto 17 octets 48 (truncated_extension)"),
  };
  return samples;
}

std::vector<Sample> deep_samples() {
  Build tags = Build().ethernet(0x8100);
  for (unsigned i = 0; i < kVlanTagsMax; ++i) tags.tag(7, 0x8100);
  tags.tag(7, 0x0800).ipv4(17).udp(5, 7);
  Build labels = Build().ethernet(0x8847);
  for (unsigned i = 0; i < kMplsLabelsMax; ++i) labels.mpls(100, false);
  labels.mpls(100, true).ipv4(17).udp(5, 7);
  Build bridges = Build().ethernet(0x88e7);
  for (unsigned i = 0; i < kLinkHeadersMax; ++i) bridges.be32(1).ethernet(0x88e7);
  Build extensions = v6().ipv6(0);
  for (unsigned i = 0; i < kIpv6ExtensionsMax; ++i) extensions.extension(60);
  extensions.extension(17).udp(5, 7);
  Build tunnels = v4();
  for (unsigned i = 0; i < kTunnelsMax; ++i) tunnels.ipv4(4);
  const Build nine_headers = Build(tunnels).inner_ipv4(17).udp(5, 7);
  const Build ten_headers = Build(tunnels).inner_ipv4(4).ipv4(17).udp(5, 7);
  return {
      faulty("too many tags", tags, "ethertype 0x0000 vlan 7 (too_many_link_headers)"),
      faulty("too many labels", labels, "ethertype 0x8847 (too_many_link_headers)"),
      faulty("too many bridged frames", bridges, "ethertype 0x88e7 (too_many_link_headers)"),
      faulty("too many extension headers", extensions,
             "2001:db8::1 > 2001:db8::2 proto 60 octets 1080 (too_many_extensions)"),
      faulty("as many tunnels as are followed", nine_headers,
             "10.0.0.1 > 10.0.0.2 proto 4 octets 188",
             "192.168.1.1:5 > 192.168.1.2:7 proto 17 octets 28"),
      faulty("too many tunnels", ten_headers, "10.0.0.1 > 10.0.0.2 proto 4 octets 208",
             "192.168.1.1 > 192.168.1.2 proto 4 octets 48 (too_many_tunnels)"),
  };
}

std::vector<Sample> bad_tunnel_samples() {
  const std::string gre = "10.0.0.1 > 10.0.0.2 proto 47 octets ";
  return {
      faulty("GRE cut", v4().ipv4(47).octets({0, 0, 8}), gre + "23", gre + "23 (truncated_tunnel)"),
      faulty("no version inside", v4().ipv4(47).gre(0, 0x0800).zeros(20), gre + "44",
             gre + "44 (bad_inner_ip)"),
      faulty("inner IP header cut", v4().ipv4(47).gre(0, 0x0800).octets({0x45, 0, 0, 40}),
             gre + "28", gre + "28 (bad_inner_ip)"),
      faulty("GTP extension without length",
             v4().ipv4(17).udp(2152, 2152).gtp(0x34).be32(0x85).zeros(8),
             "10.0.0.1:2152 > 10.0.0.2:2152 proto 17 octets 48",
             "10.0.0.1:2152 > 10.0.0.2:2152 proto 17 octets 48 (truncated_tunnel)"),
      faulty("what is outside of a tunnel counts where the inside is bad",
             v4().ipv4(4).inner_ipv4(4).zeros(20), "10.0.0.1 > 10.0.0.2 proto 4 octets 60",
             "192.168.1.1 > 192.168.1.2 proto 4 octets 40 (bad_inner_ip)"),
  };
}

}  // namespace

std::vector<Sample> faulty_samples() {
  std::vector<Sample> all;
  for (auto table : {bad_ip_samples, cut_samples, deep_samples, bad_tunnel_samples}) {
    for (Sample& sample : table()) all.push_back(std::move(sample));
  }
  return all;
}

}  // namespace wiretally
