// SPDX-License-Identifier: Apache-2.0
// tcpdump expressions asked about records instead of packets.
#include "control/sink/record_filter.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

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

TEST(RecordFilter, answers_what_a_key_can_answer) {
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
    RecordFilter filter(c.expression);
    EXPECT_EQ(filter.matches(dns), c.dns) << c.expression;
    EXPECT_EQ(filter.matches(web6), c.web6) << c.expression;
    EXPECT_EQ(filter.matches(ping), c.ping) << c.expression;
  }
}

TEST(RecordFilter, sees_vlan_tcp_flags_and_frames_without_ip) {
  FlowRecord tagged = record_of("192.0.2.1", "198.51.100.53", 6, 1, 2);
  tagged.key.set_vlan(42);
  tagged.tcp_flags = 0x012;
  EXPECT_TRUE(RecordFilter("vlan 42 and tcp").matches(tagged));
  EXPECT_FALSE(RecordFilter("vlan 43").matches(tagged));
  FlowRecord plain = record_of("192.0.2.1", "198.51.100.53", 6, 1, 2);
  plain.tcp_flags = 0x012;
  EXPECT_TRUE(RecordFilter("tcp[tcpflags] & tcp-syn != 0").matches(plain));
  EXPECT_FALSE(RecordFilter("tcp[tcpflags] & tcp-fin != 0").matches(plain));
  FlowRecord arp;
  arp.key.destination_port = 0x0806;
  EXPECT_TRUE(RecordFilter("arp").matches(arp));
  EXPECT_FALSE(RecordFilter("ip").matches(arp));
}

TEST(RecordFilter, refuses_what_is_no_expression) {
  EXPECT_THROW(RecordFilter("no such ( thing"), StartupError);
}

}  // namespace
}  // namespace wiretally
