// SPDX-License-Identifier: Apache-2.0
// What the parser says of a packet beyond its key: every attribute, from a packet built for it.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "dataplane/packet/parse.hpp"
#include "samples.hpp"
#include "tests/support/packet_builder.hpp"

namespace wiretally {
namespace {

using Build = PacketBuilder;

constexpr ParseOptions kOuter{TunnelView::kOuter};
constexpr ParseOptions kInner{TunnelView::kInner};

FlowAttributes attributes_of(const std::vector<std::uint8_t>& octets,
                             const ParseOptions& options = kOuter,
                             LinkType type = LinkType::kEthernet) {
  const PacketView view{octets.data(), static_cast<std::uint32_t>(octets.size()),
                        static_cast<std::uint32_t>(octets.size()), 0, type};
  ParsedPacket packet;
  FlowAttributes attributes;
  EXPECT_TRUE(is_metered(parse_with_attributes(view, options, packet, attributes)));
  return attributes;
}

FlowAttributes attributes_of(const Build& build, const ParseOptions& options = kOuter) {
  return attributes_of(build.build(), options);
}

std::string address4(const std::array<std::uint8_t, 16>& address) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(AF_INET, address.data() + 12, text, sizeof text);
}

std::string address6(const std::array<std::uint8_t, 16>& address) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(AF_INET6, address.data(), text, sizeof text);
}

constexpr MacAddress kTo = {2, 0, 0, 0, 0, 2};
constexpr MacAddress kFrom = {2, 0, 0, 0, 0, 1};

TEST(Attributes, of_a_plain_frame) {
  Build build = Build().ethernet(0x0800).ipv4(6).tcp(1, 2).payload(10);
  std::vector<std::uint8_t> octets = build.build();
  octets[14 + 1] = 0xb8;  // ToS
  octets[14 + 6] = 0x40;  // do not fragment
  octets[14 + 8] = 57;    // TTL
  const FlowAttributes a = attributes_of(octets);
  EXPECT_TRUE(a.has_macs);
  EXPECT_EQ(a.destination_mac, kTo);
  EXPECT_EQ(a.source_mac, kFrom);
  EXPECT_EQ(a.ttl_min, 57);
  EXPECT_EQ(a.ttl_max, 57);
  EXPECT_EQ(a.length_min, 50u);
  EXPECT_EQ(a.length_max, 50u);
  EXPECT_EQ(a.tos_or, 0xb8);
  EXPECT_EQ(a.fragment_flags, kDontFragment);
  EXPECT_EQ(a.tags, 0);
  EXPECT_EQ(a.labels, 0);
  EXPECT_EQ(a.tunnel, TunnelKind::kNone);
  EXPECT_EQ(a.other_version, IpVersion::kNone);
}

TEST(Attributes, flow_label_hop_limit_and_fragment_flag_of_ipv6) {
  Build build = Build().ethernet(0x86dd).ipv6(44);
  build.patch(0, {0x6b, 0x8a, 0xbc, 0xde}).patch(7, {3});
  build.fragment_header(17, 0, true).udp(5, 7).payload(8);
  const FlowAttributes a = attributes_of(build);
  EXPECT_EQ(a.flow_label, 0xabcdeu);
  EXPECT_EQ(a.tos_or, 0xb8);
  EXPECT_EQ(a.ttl_min, 3);
  EXPECT_EQ(a.fragment_flags, kMoreFragments);
}

TEST(Attributes, both_tags_with_their_priorities) {
  const Build build = Build()
                          .ethernet(0x88a8)
                          .tag(0xa00a, 0x8100)
                          .tag(0x7014, 0x9100)
                          .tag(3, 0x0800)
                          .ipv4(17)
                          .udp(5, 7);
  const FlowAttributes a = attributes_of(build);
  EXPECT_EQ(a.tags, 3);
  EXPECT_EQ(tag_id(a.outer_tag), 10);
  EXPECT_EQ(tag_priority(a.outer_tag), 5);
  EXPECT_FALSE(tag_dei(a.outer_tag));
  EXPECT_EQ(tag_id(a.inner_tag), 20);
  EXPECT_EQ(tag_priority(a.inner_tag), 3);
  EXPECT_TRUE(tag_dei(a.inner_tag));
}

TEST(Attributes, label_stack_from_the_top_and_its_whole_depth) {
  Build build = Build().ethernet(0x8847);
  for (unsigned i = 1; i <= 12; ++i) build.mpls(1000 + i, i == 12);
  build.ipv4(17).udp(5, 7);
  const FlowAttributes a = attributes_of(build);
  EXPECT_EQ(a.labels, 12);
  for (unsigned i = 0; i < FlowAttributes::kLabelsMax; ++i) {
    const auto& entry = a.label_stack[i];
    EXPECT_EQ(entry[0] << 12 | entry[1] << 4 | entry[2] >> 4, 1001 + static_cast<int>(i));
  }
}

struct TunnelCase {
  const char* name;
  Build build;  // the outer headers; an inner IPv4 follows
  TunnelKind kind;
  std::uint32_t id;
};

Build over_udp(unsigned port) {
  return Build().ethernet(0x0800).ipv4(17).udp(40000, port);
}
Build over_ip(unsigned protocol) {
  return Build().ethernet(0x0800).ipv4(protocol);
}

std::vector<TunnelCase> tunnel_cases() {
  return {
      {"ipip", over_ip(4), TunnelKind::kIpInIp, 0},
      {"gre without a key", over_ip(47).gre(0, 0x0800), TunnelKind::kGre, 0},
      {"gre with a key", over_ip(47).gre(0x2000, 0x0800).be32(77), TunnelKind::kGre, 77},
      {"gre with checksum and key", over_ip(47).gre(0xa000, 0x0800).be32(1).be32(78),
       TunnelKind::kGre, 78},
      {"erspan 2",
       over_ip(47).gre(0x1000, 0x88be).be32(9).be32(0x1000'0123).be32(0).ethernet(0x0800),
       TunnelKind::kErspan, 0x123},
      {"etherip", over_ip(97).be16(0x3000).ethernet(0x0800), TunnelKind::kEtherIp, 0},
      {"ethernet in ip", over_ip(143).ethernet(0x0800), TunnelKind::kOther, 0},
      {"mpls in ip", over_ip(137).mpls(100, true), TunnelKind::kMpls, 100},
      {"vxlan", over_udp(4789).vxlan().ethernet(0x0800), TunnelKind::kVxlan, 42},
      {"geneve", over_udp(6081).geneve(0x6558).ethernet(0x0800), TunnelKind::kGeneve, 42},
      {"gtp", over_udp(2152).gtp(), TunnelKind::kGtp, 42},
      {"l2tp", over_udp(1701).be16(0x0002).be16(7).be16(9).be16(0xff03).be16(0x0021),
       TunnelKind::kL2tp, 7 << 16 | 9},
      {"l2tp version 3", over_udp(1701).be16(3).be16(0).be32(99).ethernet(0x0800),
       TunnelKind::kL2tp, 99},
  };
}

TEST(Attributes, keep_a_tunnels_kind_id_and_other_end_for_either_view) {
  for (TunnelCase& each : tunnel_cases()) {
    SCOPED_TRACE(each.name);
    const Build whole = each.build.inner_ipv4(6).patch(8, {9}).tcp(1000, 80);
    const FlowAttributes outer = attributes_of(whole, kOuter);
    EXPECT_EQ(outer.tunnel, each.kind);
    EXPECT_EQ(outer.tunnel_id, each.id);
    ASSERT_EQ(outer.other_version, IpVersion::kV4);
    EXPECT_EQ(address4(outer.other_source), "192.168.1.1");
    EXPECT_EQ(address4(outer.other_destination), "192.168.1.2");
    EXPECT_EQ(outer.ttl_min, 64) << "the key's header";
    const FlowAttributes inner = attributes_of(whole, kInner);
    EXPECT_EQ(inner.tunnel, each.kind);
    EXPECT_EQ(inner.tunnel_id, each.id);
    ASSERT_EQ(inner.other_version, IpVersion::kV4);
    EXPECT_EQ(address4(inner.other_source), Build::kFrom4);
    EXPECT_EQ(address4(inner.other_destination), Build::kTo4);
    EXPECT_EQ(inner.ttl_min, 9) << "the key's header";
    EXPECT_EQ(inner.source_mac, kFrom) << "the frame on the tap";
  }
}

TEST(Attributes, of_nested_tunnels_are_the_ones_next_to_the_key) {
  const Build build = over_udp(4789)
                          .vxlan()
                          .ethernet(0x86dd)
                          .ipv6(47)
                          .gre(0x2000, 0x0800)
                          .be32(5)
                          .inner_ipv4(6)
                          .tcp(1000, 80);
  const FlowAttributes outer = attributes_of(build, kOuter);
  EXPECT_EQ(outer.tunnel, TunnelKind::kVxlan);
  EXPECT_EQ(outer.tunnel_id, 42u);
  EXPECT_EQ(address4(outer.other_source), "192.168.1.1") << "the innermost";
  const FlowAttributes inner = attributes_of(build, kInner);
  EXPECT_EQ(inner.tunnel, TunnelKind::kGre);
  EXPECT_EQ(inner.tunnel_id, 5u);
  EXPECT_EQ(address4(inner.other_source), Build::kFrom4) << "the outermost";
}

TEST(Attributes, other_end_may_be_of_the_other_ip_version) {
  const FlowAttributes a =
      attributes_of(Build().ethernet(0x0800).ipv4(41).inner_ipv6(17).udp(5, 7), kOuter);
  EXPECT_EQ(a.tunnel, TunnelKind::kIpInIp);
  ASSERT_EQ(a.other_version, IpVersion::kV6);
  EXPECT_EQ(address6(a.other_source), "fd00::1");
}

TEST(Attributes, name_the_tunnel_of_a_frame_that_holds_no_ip) {
  const FlowAttributes a = attributes_of(over_udp(4789).vxlan().ethernet(0x0806).payload(28));
  EXPECT_EQ(a.tunnel, TunnelKind::kVxlan);
  EXPECT_EQ(a.tunnel_id, 42u);
  EXPECT_EQ(a.other_version, IpVersion::kNone);
}

TEST(Attributes, macs_inside_a_tunnel_or_a_second_header_are_not_the_frames) {
  Build build = Build().ethernet(0x88e7).be32(5).ethernet(0x0800).ipv4(17).udp(5, 7);
  std::vector<std::uint8_t> octets = build.build();
  octets[5] = 99;  // the backbone's
  EXPECT_EQ(attributes_of(octets).destination_mac[5], 99);
}

TEST(Attributes, cooked_captures_know_the_senders_address_only) {
  Build build = Build().be16(0).be16(1).be16(6).octets({2, 0, 0, 0, 0, 1, 0, 0}).be16(0x0800);
  build.ipv4(17).udp(5, 7);
  const FlowAttributes a = attributes_of(build.build(), kOuter, LinkType::kLinuxSll);
  EXPECT_TRUE(a.has_macs);
  EXPECT_EQ(a.source_mac, kFrom);
  EXPECT_EQ(a.destination_mac, MacAddress{});
}

TEST(Attributes, of_a_frame_without_ip_have_no_ranges) {
  const FlowAttributes a = attributes_of(Build().ethernet(0x0806).payload(28));
  EXPECT_FALSE(a.has_ip());
  EXPECT_TRUE(a.has_macs);
}

// The two ways through the parser, and the key with and without attributes.
void expect_same_answers(const PacketView& view, const ParseOptions& options) {
  ParsedPacket plain;
  ParsedPacket with;
  ParsedPacket walked;
  FlowAttributes quick;
  FlowAttributes thorough;
  const ParseError result = parse(view, options, plain);
  ASSERT_EQ(parse_with_attributes(view, options, with, quick), result);
  ASSERT_EQ(parse_general(view, options, walked, &thorough), result);
  if (!is_metered(result)) return;
  ASSERT_EQ(std::memcmp(&plain, &with, sizeof plain), 0);
  ASSERT_EQ(std::memcmp(&plain, &walked, sizeof plain), 0);
  ASSERT_EQ(std::memcmp(&quick, &thorough, sizeof quick), 0);
}

TEST(Attributes, change_nothing_of_the_key_and_are_the_same_by_short_cut_and_walk) {
  std::mt19937 random(20261124);
  for (const Sample& sample : all_samples()) {
    SCOPED_TRACE(sample.description);
    PacketView view = view_of(sample);
    for (int turn = 0; turn < 200 && !testing::Test::HasFailure(); ++turn) {
      std::vector<std::uint8_t> octets = sample.octets;
      if (turn > 0 && !octets.empty()) {
        octets[random() % octets.size()] ^= static_cast<std::uint8_t>(1u << random() % 8);
        view.captured =
            static_cast<std::uint32_t>(turn % 4 == 0 ? random() % octets.size() : octets.size());
      }
      view.data = octets.data();
      expect_same_answers(view, kOuter);
      expect_same_answers(view, kInner);
    }
  }
}

}  // namespace
}  // namespace wiretally
