// SPDX-License-Identifier: Apache-2.0
// --explain says what the meter counts, of every sample packet.
#include "control/cli/packet_explanation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <sstream>

#include "tests/dataplane/packet/samples.hpp"
#include "tests/support/packet_builder.hpp"

namespace wiretally {
namespace {

using testing::HasSubstr;

constexpr ParseOptions kOuter{TunnelView::kOuter};
constexpr ParseOptions kInner{TunnelView::kInner};

// Offsets of the header lines: "  <offset> <octets>  name".
void expect_headers_in_order(const std::string& text, std::size_t captured) {
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  std::size_t before = 0;
  while (std::getline(lines, line) && line.find_first_of("0123456789") < 9) {
    std::istringstream fields(line);
    std::size_t offset = 0;
    std::size_t octets = 0;
    ASSERT_TRUE(fields >> offset >> octets) << line;
    EXPECT_GE(offset, before) << text;
    EXPECT_LE(offset + octets, captured) << text;
    before = offset;
  }
}

TEST(PacketExplanation, agrees_with_the_count_of_every_sample_and_its_mutations) {
  std::mt19937 random(20261124);
  for (const Sample& sample : all_samples()) {
    SCOPED_TRACE(sample.description);
    for (int turn = 0; turn < 60 && !testing::Test::HasFailure(); ++turn) {
      std::vector<std::uint8_t> octets = sample.octets;
      PacketView view = view_of(sample);
      if (turn > 0 && !octets.empty()) octets[random() % octets.size()] ^= 1u << random() % 8;
      if (turn % 5 == 4 && !octets.empty()) {
        view.captured = static_cast<std::uint32_t>(random() % octets.size());
      }
      view.data = octets.data();
      for (const ParseOptions& options : {kOuter, kInner}) {
        const ExplainedPacket explained = explain_packet(view, options, 1);
        EXPECT_TRUE(explained.agrees) << explained.text;
        EXPECT_THAT(explained.text, HasSubstr("\n  result  "));
        EXPECT_EQ(explained.text.find("\n  key     ") != std::string::npos,
                  is_metered(explained.result));
        expect_headers_in_order(explained.text, view.captured);
      }
    }
  }
}

TEST(PacketExplanation, shows_each_header_the_key_and_the_rule) {
  PacketBuilder build;
  build.ethernet(0x8100).tag(0xa00a, 0x0800).ipv4(17).udp(40000, 4789).vxlan();
  const std::vector<std::uint8_t> octets =
      build.ethernet(0x86dd).ipv6(60).extension(6).tcp(1000, 80, 0x12).build();
  const auto size = static_cast<std::uint32_t>(octets.size());
  const PacketView view{octets.data(), size, size, 1'700'000'000'123'456'789, LinkType::kEthernet};
  const std::string outer = explain_packet(view, kOuter, 17).text;
  EXPECT_THAT(outer, HasSubstr("packet 17  2023-11-14T22:13:20.123456789Z  "));
  EXPECT_THAT(outer, HasSubstr("      14    4  VLAN tag       id 10, priority 5, type 0x0800\n"));
  EXPECT_THAT(outer, HasSubstr("      18   20  IPv4           10.0.0.1 > 10.0.0.2, protocol 17, "));
  EXPECT_THAT(outer, HasSubstr("ttl 64   <- key\n"));
  EXPECT_THAT(outer, HasSubstr("      46    8  VXLAN          vxlan 42\n"));
  EXPECT_THAT(outer, HasSubstr(", with destination options\n"));
  EXPECT_THAT(outer, HasSubstr("  tcp            1000 > 80, flags 0x012\n"));
  EXPECT_THAT(outer,
              HasSubstr("  key     10.0.0.1:40000 > 10.0.0.2:4789 udp, vlan 10, outermost header"));
  EXPECT_THAT(outer, HasSubstr("(the IPv4 total length)"));
  const std::string inner = explain_packet(view, kInner, 17).text;
  EXPECT_THAT(inner, HasSubstr(", with destination options   <- key\n"));
  EXPECT_THAT(inner, HasSubstr("[2001:db8::1]:1000 > [2001:db8::2]:80 tcp, vlan 10, innermost"));
}

TEST(PacketExplanation, gives_the_reason_with_its_sentence) {
  const std::vector<std::uint8_t> octets =
      PacketBuilder().ethernet(0x0800).ipv4(17).patch(0, {0x44}).udp(5, 7).build();
  const auto size = static_cast<std::uint32_t>(octets.size());
  const std::string text =
      explain_packet({octets.data(), size, size, 0, LinkType::kEthernet}, kOuter, 1).text;
  EXPECT_THAT(text, HasSubstr("not valid: bad_ip_header_length"));
  EXPECT_THAT(text, HasSubstr("  result  not metered, bad_ip_header_length: The IPv4 header"));
}

}  // namespace
}  // namespace wiretally
