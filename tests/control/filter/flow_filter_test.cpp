// SPDX-License-Identifier: Apache-2.0
// tcpdump expressions asked about flows: what a key answers, what is refused and why.
#include "control/filter/flow_filter.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

using testing::HasSubstr;

FlowRecord record_of(const char* source, const char* destination, std::uint8_t protocol,
                     std::uint16_t source_port, std::uint16_t destination_port) {
  FlowRecord record;
  const bool v6 = std::string_view(source).find(':') != std::string_view::npos;
  inet_pton(v6 ? AF_INET6 : AF_INET, source, record.key.source.data() + (v6 ? 0 : 12));
  inet_pton(v6 ? AF_INET6 : AF_INET, destination, record.key.destination.data() + (v6 ? 0 : 12));
  record.key.protocol = protocol;
  record.key.source_port = source_port;
  record.key.destination_port = destination_port;
  record.key.set_kind(v6 ? IpVersion::kV6 : IpVersion::kV4, CoarseLevel::kExact);
  return record;
}

struct Case {
  const char* expression;
  bool dns, web6, ping;
};

TEST(FlowFilter, answers_what_a_key_can_answer) {
  const FlowRecord dns = record_of("192.0.2.1", "198.51.100.53", 17, 40000, 53);
  const FlowRecord web6 = record_of("2001:db8::1", "2001:db8::80", 6, 50000, 443);
  const FlowRecord ping = record_of("192.0.2.1", "203.0.113.9", 1, 0, 8 * 256);
  const Case cases[] = {
      {"", true, true, true},
      {"udp port 53", true, false, false},
      {"ip6", false, true, false},
      {"net 192.0.2.0/24", true, false, true},
      {"dst host 203.0.113.9", false, false, true},
      {"icmp[icmptype] == icmp-echo", false, false, true},
      {"tcp dst port 443 or icmp", false, true, true},
      {"src portrange 40000-50000", true, true, false},
      {"not ip6 and not icmp", true, false, false},
  };
  for (const Case& c : cases) {
    const FlowFilter filter(c.expression);
    EXPECT_EQ(filter.matches(dns), c.dns) << c.expression;
    EXPECT_EQ(filter.matches(web6), c.web6) << c.expression;
    EXPECT_EQ(filter.matches(ping), c.ping) << c.expression;
  }
}

TEST(FlowFilter, sees_tags_and_frames_without_ip) {
  FlowRecord tagged = record_of("192.0.2.1", "198.51.100.53", 6, 1, 2);
  tagged.key.set_vlan(42);
  EXPECT_TRUE(FlowFilter("vlan 42 and tcp").matches(tagged));
  EXPECT_FALSE(FlowFilter("vlan 43").matches(tagged));
  EXPECT_FALSE(FlowFilter("tcp").matches(tagged)) << "tcpdump does not look behind a tag unasked";
  FlowRecord arp;
  arp.key.destination_port = 0x0806;
  EXPECT_TRUE(FlowFilter("arp").matches(arp));
  EXPECT_FALSE(FlowFilter("ip").matches(arp));
}

TEST(FlowFilter, takes_ports_zero_for_a_later_fragment) {
  const FlowRecord later = record_of("192.0.2.1", "198.51.100.53", 17, 0, 0);
  EXPECT_TRUE(FlowFilter("udp").matches(later));
  EXPECT_FALSE(FlowFilter("port 53").matches(later));
  EXPECT_FALSE(FlowFilter("port 0").matches(later));
  EXPECT_TRUE(FlowFilter("not port 53").matches(later));
}

// How the first packet's frame looked decides what an expression reaches.
TEST(FlowFilter, follows_the_frame_that_attributes_describe) {
  const FlowRecord flow = record_of("192.0.2.1", "198.51.100.53", 6, 1, 80);
  FlowAttributes mpls;
  mpls.link_type = {0x8847};
  mpls.link_types = mpls.labels = 1;
  mpls.label_stack[0] = {0, 0x01, 0x01};  // label 16, bottom of the stack
  EXPECT_FALSE(FlowFilter("ip").matches(flow.key, &mpls));
  EXPECT_TRUE(FlowFilter("mpls and ip").matches(flow.key, &mpls));
  FlowAttributes pppoe;
  pppoe.link_type = {0x8864};
  pppoe.link_types = 1;
  EXPECT_FALSE(FlowFilter("tcp").matches(flow.key, &pppoe));
  EXPECT_TRUE(FlowFilter("pppoes and tcp port 80").matches(flow.key, &pppoe));
  FlowAttributes double_tagged;
  double_tagged.link_type = {0x88a8, 0x8100, 0x0800};
  double_tagged.link_types = 3;
  double_tagged.outer_tag = 7;
  double_tagged.inner_tag = 8;
  EXPECT_TRUE(FlowFilter("vlan 7 and vlan 8 and tcp").matches(flow.key, &double_tagged));
  EXPECT_FALSE(FlowFilter("vlan 7 and tcp").matches(flow.key, &double_tagged));
  const FlowRecord listener = record_of("fe80::1", "ff02::16", 58, 0, 143 * 256);
  FlowAttributes hop_by_hop;
  hop_by_hop.has_next_header = true;
  EXPECT_FALSE(FlowFilter("icmp6").matches(listener.key, &hop_by_hop));
  EXPECT_TRUE(FlowFilter("ip6").matches(listener.key, &hop_by_hop));
}

TEST(FlowFilter, refuses_what_needs_more_than_a_key_and_says_what) {
  struct {
    const char* expression;
    const char* reason;
  } const cases[] = {
      {"tcp[tcpflags] & tcp-syn != 0", "TCP flags of single packets"},
      {"ip[8] < 64", "TTL"},
      {"ip6[7] < 64", "hop limit"},
      {"ip[4:2] = 0", "identification"},
      {"ip[6:2] & 0x1fff != 0", "fragment field"},
      {"tcp and ip[6:2] & 0x1fff = 0", "fragment field"},
      {"ip[6] & 0x40 != 0", "fragment field"},
      {"ip[2:2] > 100", "IP length"},
      {"ip[1] = 0xb8", "type of service"},
      {"ip[0] & 0xf > 5", "header length"},
      {"ip6[0:4] & 0xfffff = 1", "flow label"},
      {"greater 100", "length of packets"},
      {"len <= 64", "length of packets"},
      {"ether host 00:11:22:33:44:55", "MAC addresses"},
      {"ether broadcast", "MAC addresses"},
      {"multicast", "MAC addresses"},
      {"broadcast", "MAC addresses"},
      {"ip[0] = 0x45", "header length"},
      {"less 100", "length of packets"},
      {"ipx", "802.3 frame"},
      {"geneve", "payload"},
      {"1 = 0", "rejects all packets"},
      {"gateway here", "not supported"},
      {"tcp[20:4] = 0x47455420", "TCP options or payload"},
      {"udp[8:4] = 1", "payload"},
      {"udp[4:2] > 100", "UDP length"},
      {"icmp[4:2] = 1", "ICMP message"},
      {"arp host 192.0.2.1", "ARP"},
      {"arp[6:2] = 1", "ARP"},
      {"mpls 16", "MPLS labels"},
      {"pppoes 5", "PPPoE session"},
      {"ether[14] & 0xe0 = 0", "whatever the type"},
      {"ether[12:2] = 100", "length of 802.3"},
      {"ip proto 47 and ip[20:2] = 0", "IP options"},
      {"ip protochain 6", "which a flow key does not hold"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(check_flow_filter(c.expression).error, HasSubstr(c.reason)) << c.expression;
  }
}

TEST(FlowFilter, warns_that_addresses_inside_arp_are_not_known) {
  EXPECT_THAT(check_flow_filter("host 192.0.2.1").note, HasSubstr("ARP"));
  EXPECT_EQ(check_flow_filter("host 192.0.2.1").error, "");
  EXPECT_EQ(check_flow_filter("ip host 192.0.2.1").note, "");
}

TEST(FlowFilter, refuses_what_is_no_expression) {
  EXPECT_THROW(FlowFilter("no such ( thing"), StartupError);
}

// Hundreds of terms have many paths, most of them alike.
TEST(FlowFilter, follows_long_expressions) {
  std::string expression = "tcp and (port 1";
  for (int port = 2; port <= 200; ++port) expression += " or port " + std::to_string(port);
  expression += ") and not (net 10.0.0.0/8";
  for (int net = 11; net <= 60; ++net) expression += " or net " + std::to_string(net) + ".0.0.0/8";
  const FlowFilter filter(expression + ")");
  EXPECT_TRUE(filter.matches(record_of("192.0.2.1", "198.51.100.1", 6, 40000, 200)));
  EXPECT_FALSE(filter.matches(record_of("192.0.2.1", "12.0.0.1", 6, 40000, 200)));
}

}  // namespace
}  // namespace wiretally
