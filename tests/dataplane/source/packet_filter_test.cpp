// SPDX-License-Identifier: Apache-2.0
// tcpdump expressions against packets of several link types.
#include <gtest/gtest.h>

#include "config/startup_error.hpp"
#include "dataplane/source/packet_filter.hpp"
#include "tests/dataplane/source/capture_bytes.hpp"

namespace wiretally::testing {
namespace {

// IPv4 from 192.0.2.1 to 192.0.2.2, UDP from 1000 to 53, no payload.
std::string ip_packet(std::uint8_t protocol = 17) {
  return Octets(Order::kBig)
      .u8(0x45)
      .u8(0)
      .u16(28)
      .u16(0)
      .u16(0)
      .u8(64)
      .u8(protocol)
      .u16(0)
      .u32(0xc0000201)
      .u32(0xc0000202)
      .u16(1000)
      .u16(53)
      .u16(8)
      .u16(0)
      .text();
}

std::string ethernet(std::string_view ip, std::uint16_t vlan = 0) {
  Octets frame(Order::kBig);
  frame.raw(std::string(12, '\x02'));
  if (vlan != 0) frame.u16(0x8100).u16(vlan);
  return frame.u16(0x0800).raw(ip).text();
}

PacketView view_of(const std::string& octets, LinkType link_type = LinkType::kEthernet,
                   std::uint32_t wire_octets = 0) {
  PacketView view;
  view.data = reinterpret_cast<const std::uint8_t*>(octets.data());
  view.captured = static_cast<std::uint32_t>(octets.size());
  view.wire_octets = wire_octets != 0 ? wire_octets : view.captured;
  view.link_type = link_type;
  return view;
}

TEST(PacketFilter, matches_as_tcpdump_would) {
  const std::string udp = ethernet(ip_packet());
  const std::string tcp = ethernet(ip_packet(6));
  const std::string tagged = ethernet(ip_packet(), 5);
  const struct {
    const char* expression;
    bool udp, tcp, tagged;
  } cases[] = {
      {"udp port 53", true, false, false},
      {"ip", true, true, false},
      {"vlan 5 and udp", false, false, true},
      {"vlan 6", false, false, false},
      {"src host 192.0.2.1", true, true, false},
      {"dst net 198.51.100.0/24", false, false, false},
      {"not tcp", true, false, true},
  };
  for (const auto& each : cases) {
    PacketFilter filter(each.expression);
    EXPECT_EQ(filter.matches(view_of(udp)), each.udp) << each.expression;
    EXPECT_EQ(filter.matches(view_of(tcp)), each.tcp) << each.expression;
    EXPECT_EQ(filter.matches(view_of(tagged)), each.tagged) << each.expression;
  }
}

TEST(PacketFilter, without_an_expression_matches_everything) {
  for (const char* nothing : {"", "  \t"}) {
    PacketFilter filter(nothing);
    EXPECT_TRUE(filter.matches(view_of("")));
    EXPECT_TRUE(filter.matches(view_of("x", static_cast<LinkType>(9999))));
  }
}

TEST(PacketFilter, compiles_for_each_link_type_it_meets) {
  PacketFilter filter("udp port 53");
  const std::string null_frame = Octets().u32(2).raw(ip_packet()).text();
  const std::string sll_frame =
      Octets(Order::kBig).u16(0).u16(1).u16(6).u64(0).u16(0x0800).raw(ip_packet()).text();
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(filter.matches(view_of(ethernet(ip_packet()))));
    EXPECT_TRUE(filter.matches(view_of(ip_packet(), LinkType::kRaw)));
    EXPECT_TRUE(filter.matches(view_of(ip_packet(), LinkType::kRawBsd)));
    EXPECT_TRUE(filter.matches(view_of(ip_packet(), LinkType::kIpv4)));
    EXPECT_TRUE(filter.matches(view_of(null_frame, LinkType::kNull)));
    EXPECT_TRUE(filter.matches(view_of(sll_frame, LinkType::kLinuxSll)));
    EXPECT_FALSE(filter.matches(view_of(ip_packet(6), LinkType::kRaw)));
  }
  EXPECT_TRUE(filter.unanswerable().empty());
}

TEST(PacketFilter, names_the_link_types_it_cannot_be_asked_about_once) {
  PacketFilter filter("vlan 5");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(filter.matches(view_of(ip_packet(), LinkType::kRaw)));
  ASSERT_EQ(filter.unanswerable().size(), 1u);
  EXPECT_NE(filter.unanswerable()[0].find("vlan 5"), std::string::npos);
  EXPECT_TRUE(filter.matches(view_of(ethernet(ip_packet(), 5))));
}

TEST(PacketFilter, accepts_an_expression_that_only_some_link_types_know) {
  PacketFilter filter("wlan host 02:02:02:02:02:02 and subtype beacon");
  EXPECT_FALSE(filter.matches(view_of(ethernet(ip_packet()))));
  EXPECT_EQ(filter.unanswerable().size(), 1u);
}

TEST(PacketFilter, judges_by_the_captured_octets_and_the_length_on_the_wire) {
  const std::string frame = ethernet(ip_packet());
  PacketFilter large("greater 1000");
  EXPECT_TRUE(large.matches(view_of(frame, LinkType::kEthernet, 1500)));
  EXPECT_FALSE(large.matches(view_of(frame)));
  PacketFilter port("udp port 53");
  for (std::size_t cut = 0; cut < frame.size(); ++cut) {
    const std::string part(frame, 0, cut);
    constexpr std::size_t kPortsEnd = 14 + 20 + 4;
    EXPECT_EQ(port.matches(view_of(part, LinkType::kEthernet, 1500)), cut >= kPortsEnd) << cut;
  }
}

TEST(PacketFilter, stays_whole_when_it_is_moved) {
  PacketFilter original("udp");
  ASSERT_TRUE(original.matches(view_of(ip_packet(), LinkType::kRaw)));
  PacketFilter moved(std::move(original));
  EXPECT_TRUE(moved.matches(view_of(ip_packet(), LinkType::kRaw)));
  EXPECT_TRUE(moved.matches(view_of(ethernet(ip_packet()))));
}

TEST(PacketFilter, refuses_nonsense_with_the_expression_and_libpcaps_words) {
  for (const char* nonsense : {"tcp prot 80", "host", "port 99999999", "and"}) {
    try {
      PacketFilter filter(nonsense);
      ADD_FAILURE() << nonsense << " was accepted";
    } catch (const StartupError& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
      const std::string text = error.what();
      const std::string start = "filter \"" + std::string(nonsense) + "\": ";
      EXPECT_TRUE(text.starts_with(start)) << text;
      EXPECT_GT(text.find(';'), start.size() + 3) << "libpcap's message is missing: " << text;
    }
  }
}

}  // namespace
}  // namespace wiretally::testing
