// SPDX-License-Identifier: Apache-2.0
// What the parser makes of each sample packet, by the outer and by the inner header.
#include "dataplane/packet/parse.hpp"

#include <gtest/gtest.h>

#include <set>

#include "samples.hpp"
#include "tests/support/hex.hpp"
#include "tests/support/known_link_types.hpp"
#include "tests/support/packet_builder.hpp"

namespace wiretally {
namespace {

constexpr ParseOptions kOuter{.tunnel = TunnelView::kOuter};
constexpr ParseOptions kInner{.tunnel = TunnelView::kInner};

std::string parsed(const Sample& sample, const ParseOptions& options) {
  ParsedPacket packet;
  const ParseError outcome = parse(view_of(sample), options, packet);
  return describe(packet, outcome);
}

void expect_as_described(const std::vector<Sample>& samples) {
  for (const Sample& sample : samples) {
    SCOPED_TRACE(std::string(sample.description) + "\n" + to_hex(sample.octets));
    EXPECT_EQ(parsed(sample, kOuter), sample.outer);
    EXPECT_EQ(parsed(sample, kInner), sample.inner.empty() ? sample.outer : sample.inner);
  }
}

TEST(Parse, finds_the_ip_packet_in_every_link_layer) {
  expect_as_described(link_samples());
}

TEST(Parse, reads_network_and_transport_headers) {
  expect_as_described(network_samples());
}

TEST(Parse, keys_tunnels_by_the_outer_or_the_inner_header) {
  expect_as_described(tunnel_samples());
}

TEST(Parse, names_what_is_wrong_with_a_packet) {
  expect_as_described(faulty_samples());
}

TEST(Parse, samples_produce_every_outcome_the_parser_has) {
  std::set<ParseError> seen;
  for (const Sample& sample : all_samples()) {
    ParsedPacket packet;
    seen.insert(parse(view_of(sample), kOuter, packet));
    seen.insert(parse(view_of(sample), kInner, packet));
  }
  const std::set<ParseError> not_the_parsers = {ParseError::kFiltered, ParseError::kNotSampled,
                                                ParseError::kPaused,
                                                ParseError::kFragmentWithoutFirst};
  for (std::size_t i = 0; i < kParseErrors; ++i) {
    const auto error = static_cast<ParseError>(i);
    EXPECT_EQ(seen.contains(error), !not_the_parsers.contains(error)) << label(error);
  }
}

TEST(Parse, tells_first_and_later_fragments_by_their_identification) {
  const auto fragment = [](const PacketBuilder& build) {
    const std::vector<std::uint8_t> octets = build.build();
    const auto size = static_cast<std::uint32_t>(octets.size());
    ParsedPacket packet;
    parse({octets.data(), size, size, 0, LinkType::kEthernet}, kOuter, packet);
    return std::pair(packet.fragment, packet.fragment_id);
  };
  using Place = std::pair<FragmentPlace, std::uint32_t>;
  const auto v4 = [] { return PacketBuilder().ethernet(0x0800).ipv4(17); };
  const auto v6 = [] { return PacketBuilder().ethernet(0x86dd).ipv6(44); };
  EXPECT_EQ(fragment(v4().udp(5, 7)), Place(FragmentPlace::kNone, 0));
  EXPECT_EQ(fragment(v4().patch(4, {0xab, 0xcd, 0x20, 0}).udp(5, 7)),
            Place(FragmentPlace::kFirst, 0xabcd));
  EXPECT_EQ(fragment(v4().patch(4, {0xab, 0xcd, 0x20, 9}).payload(8)),
            Place(FragmentPlace::kLater, 0xabcd));
  EXPECT_EQ(fragment(v4().patch(4, {0xab, 0xcd, 0x20, 0}).payload(3)),
            Place(FragmentPlace::kNone, 0))
      << "its ports are not there to be left for others";
  EXPECT_EQ(fragment(v6().fragment_header(17, 0, true).udp(5, 7)),
            Place(FragmentPlace::kFirst, 0x1234));
  EXPECT_EQ(fragment(v6().fragment_header(17, 8, false).payload(8)),
            Place(FragmentPlace::kLater, 0x1234));
  EXPECT_EQ(fragment(v6().fragment_header(17, 0, false).udp(5, 7)), Place(FragmentPlace::kNone, 0))
      << "an atomic fragment is whole";
}

TEST(Parse, keeps_port_frame_length_and_zeroed_padding) {
  for (const Sample& sample : all_samples()) {
    SCOPED_TRACE(sample.description);
    for (const ParseOptions& options : {kOuter, kInner}) {
      ParsedPacket packet;
      std::memset(static_cast<void*>(&packet), 0xff, sizeof packet);
      const PacketView view = view_of(sample);
      if (!is_metered(parse(view, options, packet))) continue;
      EXPECT_EQ(packet.wire_octets, view.wire_octets);
      EXPECT_EQ(packet.key.port, view.port);
      EXPECT_EQ(packet.key.level(), CoarseLevel::kExact);
      EXPECT_EQ(packet.time_offset, 0u);
      EXPECT_TRUE(packet.fragment != FragmentPlace::kNone || packet.fragment_id == 0);
    }
  }
}

TEST(Parse, short_cut_and_walk_agree_on_plain_frames) {
  unsigned plain_frames = 0;
  for (const Sample& sample : all_samples()) {
    SCOPED_TRACE(sample.description);
    for (const ParseOptions& options : {kOuter, kInner}) {
      ParsedPacket quick;
      ParsedPacket thorough;
      if (!plain::parse(view_of(sample), options, quick)) continue;
      ++plain_frames;
      EXPECT_EQ(parse_general(view_of(sample), options, thorough), ParseError::kNone);
      EXPECT_EQ(std::memcmp(&quick, &thorough, sizeof quick), 0);
    }
  }
  EXPECT_GE(plain_frames, 20u);
}

TEST(Parse, counts_a_snapped_packet_with_its_real_length) {
  std::vector<std::uint8_t> octets = network_samples().front().octets;
  const Sample snapped{"snapped", LinkType::kEthernet, octets, "", "", 1514};
  ParsedPacket packet;
  ASSERT_EQ(parse(view_of(snapped), kOuter, packet), ParseError::kNone);
  EXPECT_EQ(packet.octets, 40u);
  EXPECT_EQ(packet.wire_octets, 1514u);
}

TEST(Parse, every_link_type_it_reads_has_a_sample) {
  std::set<LinkType> sampled;
  for (const Sample& sample : all_samples()) sampled.insert(sample.link_type);
  const std::set<LinkType> listed(kKnownLinkTypes.begin(), kKnownLinkTypes.end());
  for (unsigned number = 0; number <= 65'535; ++number) {
    const LinkType type{static_cast<std::uint16_t>(number)};
    EXPECT_EQ(is_known(type), listed.contains(type)) << number;
    if (is_known(type)) {
      EXPECT_TRUE(sampled.contains(type)) << number;
    }
  }
  for (const LinkType type : kUnknownLinkTypes) EXPECT_FALSE(is_known(type));
}

TEST(Parse, knows_the_link_types_it_reads) {
  EXPECT_TRUE(is_known(LinkType::kEthernet));
  EXPECT_TRUE(is_known(LinkType::kNflog));
  EXPECT_FALSE(is_known(LinkType{147}));
}

TEST(ParseError, every_value_has_its_own_label_and_a_sentence) {
  std::set<std::string_view> labels;
  for (std::size_t i = 0; i < kParseErrors; ++i) {
    const auto error = static_cast<ParseError>(i);
    EXPECT_TRUE(labels.insert(label(error)).second) << label(error);
    EXPECT_EQ(label(error).find_first_not_of("abcdefghijklmnopqrstuvwxyz_"),
              std::string_view::npos);
    EXPECT_TRUE(help(error).ends_with('.')) << label(error);
  }
}

}  // namespace
}  // namespace wiretally
