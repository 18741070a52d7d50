// SPDX-License-Identifier: Apache-2.0
// Layouts by name and by list, in v9 and IPFIX alike: every element comes back with the value of
// the record or of its attributes.
#include <gtest/gtest.h>

#include <bit>
#include <set>

#include "config/options.hpp"
#include "control/export/layout_judge.hpp"
#include "control/export/message_encoder.hpp"
#include "control/export/record_layout.hpp"
#include "tests/control/export/decoder.hpp"
#include "tests/control/export/sample_records.hpp"

namespace wiretally::test {
namespace {

constexpr RecordLayout kLayouts[] = {RecordLayout::kBasic, RecordLayout::kFull, RecordLayout::kL2,
                                     RecordLayout::kTunnel};

FlowAttributes sample_attributes() {
  FlowAttributes a;
  a.length_min = 40;
  a.length_max = 70'000;
  a.ttl_min = 50;
  a.ttl_max = 64;
  a.fragment_flags = kDontFragment;
  a.flow_label = 0xabcde;
  a.has_macs = true;
  a.source_mac = {2, 0, 0, 0, 0, 1};
  a.destination_mac = {2, 0, 0, 0, 0, 2};
  a.tags = 2;
  a.outer_tag = 0xb00a;
  a.inner_tag = 0x6014;
  a.labels = 12;
  for (std::size_t i = 0; i < a.label_stack.size(); ++i) {
    a.label_stack[i] = {0, static_cast<std::uint8_t>(i), 0x1a};
  }
  a.tunnel = TunnelKind::kVxlan;
  a.tunnel_id = 0x123456;
  a.other_version = IpVersion::kV4;
  a.other_source = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 168, 1, 1};
  a.other_destination = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 168, 1, 2};
  return a;
}

// The element's value for the records below; nothing: it is the record's own, checked elsewhere.
const std::map<std::uint16_t, std::uint64_t>& attribute_values() {
  static const std::map<std::uint16_t, std::uint64_t> values = {
      {25, 40},
      {26, 70'000},
      {31, 0xabcde},
      {52, 50},
      {53, 64},
      {56, 0x20000000001},
      {80, 0x20000000002},
      {197, 0x40},
      {202, 12},
      {203, 5},
      {243, 10},
      {244, 5},
      {245, 20},
      {246, 3},
      {351, 1ull << 56 | 0x123456},
      {388, 1},
      {389, 2},
      {70, 0x1a},
      {71, 0x11a},
      {79, 0x91a},
  };
  return values;
}

class Layouts : public testing::TestWithParam<NetflowVersion> {
 protected:
  DecodedRecord pass(const FlowRecord& record, const CollectorConfig& given,
                     TunnelKey key = TunnelKey::kOuter, const KeyConfig& identity = {}) {
    CollectorConfig collector = given;
    collector.version = GetParam();
    collector.non_ip = true;
    ExporterInfo exporter = sample_exporter();
    exporter.tunnel_key = key;
    exporter.key = identity;
    const auto encoder = make_message_encoder(collector, exporter, nullptr);
    std::vector<DecodedRecord> flows;
    Decoder decoder;
    std::size_t announced = 0;
    RecordTally tally;
    for (bool done = false; !done;) {
      Octets buffer(kDatagramMin);  // every template and record must fit the smallest datagram
      encoder->begin(buffer, exporter.clock());
      const std::size_t before = announced;
      announced = encoder->add_announcements(announced);
      if (announced == encoder->announcements()) {
        done = encoder->add_records({&record, 1}, tally) == 1;
      }
      const std::size_t octets = encoder->finish();
      if (announced == before && !done) ADD_FAILURE() << "does not fit " << kDatagramMin;
      for (auto& flow : decoder.decode(std::span(buffer).first(octets)).flows()) {
        flows.push_back(std::move(flow));
      }
      if (HasFailure()) break;
    }
    EXPECT_TRUE(decoder.errors().empty()) << decoder.errors().front();
    EXPECT_EQ(flows.size(), 1u);
    return flows.empty() ? DecodedRecord{} : flows.front();
  }
};

INSTANTIATE_TEST_SUITE_P(Versions, Layouts,
                         testing::Values(NetflowVersion::kV9, NetflowVersion::kIpfix),
                         [](const auto& info) {
                           return "version_" + std::to_string(static_cast<unsigned>(info.param));
                         });

TEST_P(Layouts, carry_each_attribute_they_name) {
  const FlowAttributes attributes = sample_attributes();
  for (const RecordLayout layout : kLayouts) {
    for (FlowRecord record : {tcp_ipv4(), udp_ipv6(), icmp_echo(), arp_frames()}) {
      record.attributes = &attributes;
      CollectorConfig collector;
      collector.layout = layout;
      const DecodedRecord got = pass(record, collector);
      for (const auto& [element, value] : attribute_values()) {
        if (got.has(element)) {
          EXPECT_EQ(got.number(element), value) << element;
        }
      }
      EXPECT_EQ(got.number(2), record.packets);
      EXPECT_EQ(got.has(56), layout == RecordLayout::kFull || layout == RecordLayout::kL2);
    }
  }
}

TEST_P(Layouts, every_element_of_the_configuration_can_be_listed_and_comes_back) {
  const FlowAttributes attributes = sample_attributes();
  std::set<std::uint16_t> seen;
  for (const Choice& choice : find_option("export.collectors[].fields")->value.choices) {
    const InformationElement* element = find_element(choice.word);
    ASSERT_NE(element, nullptr) << choice.word;
    CollectorConfig collector;
    collector.fields = {"packetDeltaCount"};
    if (element->number != Element::kPacketDeltaCount) {
      collector.fields.emplace_back(choice.word);
    }
    for (FlowRecord record : {tcp_ipv4(), udp_ipv6(), icmp_echo(), icmpv6_unreachable(),
                              arp_frames(), coarse(CoarseLevel::kNoPorts)}) {
      record.attributes = &attributes;
      const DecodedRecord got = pass(record, collector);
      const auto number = static_cast<std::uint16_t>(element->number);
      if (got.has(number)) seen.insert(number);
      const auto value = attribute_values().find(number);
      if (got.has(number) && value != attribute_values().end()) {
        EXPECT_EQ(got.number(number), value->second) << choice.word;
      }
    }
    EXPECT_TRUE(seen.contains(static_cast<std::uint16_t>(element->number))) << choice.word;
  }
  for (const auto& [element, value] : attribute_values()) EXPECT_TRUE(seen.contains(element));
}

// RFC 7011 section 8: the outer header's first.
TEST_P(Layouts, an_address_that_stands_twice_is_the_outer_headers_first) {
  constexpr std::uint16_t kSecond = DecodedRecord::kSecond;
  const FlowAttributes attributes = sample_attributes();
  FlowRecord record = tcp_ipv4();
  record.attributes = &attributes;
  const std::span key = std::span(record.key.source).last(4);
  const std::span other = std::span(attributes.other_source).last(4);
  CollectorConfig collector;
  collector.layout = RecordLayout::kTunnel;
  const DecodedRecord outer = pass(record, collector, TunnelKey::kOuter);
  EXPECT_EQ(outer.fields.at(8), Octets(key.begin(), key.end()));
  EXPECT_EQ(outer.fields.at(8 | kSecond), Octets(other.begin(), other.end()));
  const DecodedRecord inner = pass(record, collector, TunnelKey::kInner);
  EXPECT_EQ(inner.fields.at(8), Octets(other.begin(), other.end()));
  EXPECT_EQ(inner.fields.at(8 | kSecond), Octets(key.begin(), key.end()));
  EXPECT_FALSE(outer.has(27)) << "nfdump would take it for the record's address";
}

TEST_P(Layouts, without_another_end_both_addresses_are_the_keys) {
  const FlowAttributes nothing;
  FlowRecord record = tcp_ipv4();
  record.attributes = &nothing;
  CollectorConfig collector;
  collector.layout = RecordLayout::kTunnel;
  for (const TunnelKey key : {TunnelKey::kOuter, TunnelKey::kInner}) {
    const DecodedRecord got = pass(record, collector, key);
    EXPECT_EQ(got.fields.at(8), got.fields.at(8 | DecodedRecord::kSecond));
    EXPECT_EQ(got.fields.at(12), got.fields.at(12 | DecodedRecord::kSecond));
    EXPECT_NE(got.fields.at(8), Octets(4));
  }
}

TEST_P(Layouts, an_ipv6_records_other_end_may_be_ipv4_if_both_are_listed_twice) {
  const FlowAttributes attributes = sample_attributes();
  FlowRecord record = udp_ipv6();
  record.attributes = &attributes;
  CollectorConfig collector;
  collector.fields = {"packetDeltaCount", "destinationIPv4Address", "destinationIPv4Address",
                      "destinationIPv6Address", "destinationIPv6Address"};
  const DecodedRecord got = pass(record, collector);
  EXPECT_EQ(got.fields.at(12), (Octets{192, 168, 1, 2}));
  EXPECT_EQ(got.fields.at(28),
            Octets(record.key.destination.begin(), record.key.destination.end()));
}

TEST_P(Layouts, send_the_mac_addresses_once_if_they_are_key) {
  const FlowAttributes attributes = sample_attributes();
  KeyConfig identity;
  identity.macs = true;
  for (const RecordLayout layout : kLayouts) {
    FlowRecord record = tcp_ipv4();
    record.attributes = &attributes;
    CollectorConfig collector;
    collector.layout = layout;
    const DecodedRecord got = pass(record, collector, TunnelKey::kOuter, identity);
    EXPECT_EQ(got.number(56), attribute_values().at(56));
    EXPECT_EQ(got.number(80), attribute_values().at(80));
    EXPECT_EQ(std::popcount(got.number(173)), 8)
        << "addresses, ports, protocol, IP version and both MACs";
  }
  LayoutChoice choice;
  choice.identity = identity;
  EXPECT_TRUE(wants_attributes(choice));
}

TEST_P(Layouts, records_without_attributes_say_zero) {
  CollectorConfig collector;
  collector.layout = RecordLayout::kFull;
  const DecodedRecord got = pass(tcp_ipv4(), collector);
  for (const std::uint16_t element : {25, 26, 52, 53, 56, 80, 202, 243, 351}) {
    EXPECT_EQ(got.number(element), 0u) << element;
  }
}

TEST(LayoutIds, of_all_layouts_by_name_and_of_two_lists_are_distinct) {
  std::set<std::uint16_t> ids;
  const auto add = [&ids](const LayoutChoice& choice) {
    for (std::size_t kind = 0; kind < kRecordKinds; ++kind) {
      const std::uint16_t id = template_id(choice, static_cast<RecordKind>(kind));
      EXPECT_TRUE(id < 512 || id > 1023) << "Options Templates have those";
      EXPECT_TRUE(ids.insert(id).second) << id;
    }
  };
  for (const RecordLayout layout : kLayouts) add({layout, {}, TunnelKey::kOuter});
  for (const RecordLayout layout : {RecordLayout::kFull, RecordLayout::kTunnel}) {
    add({layout, {}, TunnelKey::kInner});
  }
  add({RecordLayout::kBasic, {"packetDeltaCount"}, TunnelKey::kOuter});
  add({RecordLayout::kBasic, {"packetDeltaCount", "minimumTTL"}, TunnelKey::kOuter});
  EXPECT_EQ(template_id({}, RecordKind::kIpv4), 256);
}

TEST(LayoutJudge, knows_the_smallest_message_that_holds_every_template) {
  Config config;
  CollectorConfig& collector = config.exporting.collectors.emplace_back();
  for (const NetflowVersion version : {NetflowVersion::kV1, NetflowVersion::kV5}) {
    collector.version = version;
    EXPECT_EQ(layout_judge(config, 0), 0u);
  }
  for (const NetflowVersion version : {NetflowVersion::kV9, NetflowVersion::kIpfix}) {
    collector.version = version;
    for (const RecordLayout layout : kLayouts) {
      collector.layout = layout;
      EXPECT_LE(layout_judge(config, 0), kDatagramMin);
    }
  }
  // Every element there is, both ways: larger than the smallest datagram, and no larger than said.
  collector.layout = RecordLayout::kBasic;
  collector.biflow = true;
  for (const Option& option : options()) {
    if (option.path != "export.collectors[].fields") continue;
    for (const Choice& choice : option.value.choices) {
      collector.fields.emplace_back(choice.word);
    }
  }
  const std::size_t needed = layout_judge(config, 0);
  EXPECT_GT(needed, kDatagramMin);
  const auto encoder = make_message_encoder(collector, sample_exporter(), nullptr);
  for (const std::size_t size : {needed, kDatagramMin}) {
    Octets buffer(size);
    std::size_t announced = 0;
    for (std::size_t before = 1; before != announced && announced < encoder->announcements();) {
      before = announced;
      encoder->begin(buffer, 0);
      announced = encoder->add_announcements(announced);
      encoder->finish();
    }
    EXPECT_EQ(announced == encoder->announcements(), size == needed) << size;
  }
}

TEST(LayoutAttributes, are_wanted_by_those_that_name_one) {
  EXPECT_FALSE(wants_attributes({}));
  for (const RecordLayout layout :
       {RecordLayout::kFull, RecordLayout::kL2, RecordLayout::kTunnel}) {
    EXPECT_TRUE(wants_attributes({layout, {}, TunnelKey::kOuter}));
  }
  EXPECT_FALSE(wants_attributes({RecordLayout::kBasic, {"packetDeltaCount", "sourceIPv4Address"}}));
  EXPECT_TRUE(wants_attributes({RecordLayout::kBasic, {"packetDeltaCount", "minimumTTL"}}));
}

}  // namespace
}  // namespace wiretally::test
