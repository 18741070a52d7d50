// SPDX-License-Identifier: Apache-2.0
// Random records with random attributes, through every layout, every kind of times, full and
// reduced keys, in v9 and IPFIX, and back through the independent decoder: nothing is missing,
// nothing has another value, and no message offends the decoder. The seed is printed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <tuple>

#include "control/export/message_encoder.hpp"
#include "tests/control/export/decoder.hpp"
#include "tests/control/export/sample_records.hpp"

namespace wiretally::test {
namespace {

constexpr std::size_t kRecords = 300;

struct Case {
  NetflowVersion version;
  RecordLayout layout;
  RecordTimes times;
  bool reduced;  // flows.key: ether without ports
};

std::uint64_t seed() {
  const char* given = std::getenv("WIRETALLY_SEED");
  const std::uint64_t value =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "WIRETALLY_SEED=" << value << "\n";
  return value;
}

std::uint64_t number(const MacAddress& mac) {
  std::uint64_t value = 0;
  for (const std::uint8_t octet : mac) value = value << 8 | octet;
  return value;
}

FlowAttributes random_attributes(std::mt19937_64& random) {
  FlowAttributes a;
  a.length_min = static_cast<std::uint32_t>(20 + random() % 100);
  a.length_max = a.length_min + static_cast<std::uint32_t>(random() % 9000);
  a.ttl_min = static_cast<std::uint8_t>(random() % 100);
  a.ttl_max = static_cast<std::uint8_t>(a.ttl_min + random() % 100);
  a.fragment_flags = static_cast<std::uint8_t>(random() % 2 * kDontFragment);
  a.flow_label = static_cast<std::uint32_t>(random() % (1 << 20));
  a.has_macs = true;
  for (std::uint8_t& octet : a.source_mac) octet = static_cast<std::uint8_t>(random());
  for (std::uint8_t& octet : a.destination_mac) octet = static_cast<std::uint8_t>(random());
  a.tags = static_cast<std::uint8_t>(random() % 3);
  if (a.tags > 0) a.outer_tag = static_cast<std::uint16_t>(random());
  if (a.tags > 1) a.inner_tag = static_cast<std::uint16_t>(random());
  return a;
}

class LayoutProperty : public testing::Test {
 protected:
  // What came back, in order.
  std::vector<DecodedRecord> pass(const Case& c, const RecordBatch& in, std::size_t datagram) {
    CollectorConfig collector;
    collector.version = c.version;
    collector.layout = c.layout;
    collector.times = c.times;
    collector.non_ip = true;
    ExporterInfo exporter = sample_exporter();
    if (c.reduced) {
      exporter.key.ports = false;
      exporter.key.vlan = exporter.key.macs = true;
    }
    const auto encoder = make_message_encoder(collector, exporter, nullptr);
    Decoder decoder;
    std::vector<DecodedRecord> flows;
    Octets buffer(datagram);
    RecordTally tally;
    std::size_t announced = 0;
    for (std::size_t at = 0; at < in.size();) {
      encoder->begin(buffer, exporter.clock());
      announced = encoder->add_announcements(announced);
      if (announced == encoder->announcements()) {
        at += encoder->add_records(std::span(in).subspan(at), tally);
      }
      const std::size_t octets = encoder->finish();
      EXPECT_GT(octets, 0u);
      EXPECT_LE(octets, datagram);
      if (octets == 0) break;
      for (auto& flow : decoder.decode(std::span(buffer).first(octets)).flows()) {
        flows.push_back(std::move(flow));
      }
    }
    EXPECT_TRUE(decoder.errors().empty()) << decoder.errors().front();
    return flows;
  }

  // A message has the records of a Template together: both sides in one order.
  static void sort_alike(std::vector<DecodedRecord>& got, RecordBatch& in) {
    std::ranges::sort(got, {}, [](const DecodedRecord& r) {
      return std::tuple(r.number(2), r.number(10), r.number(58), r.number(136));
    });
    std::ranges::sort(in, {}, [](const FlowRecord& r) {
      return std::tuple(r.packets, std::uint64_t{r.ingress_ifindex}, std::uint64_t{r.key.vlan()},
                        static_cast<std::uint64_t>(r.end_reason));
    });
  }

  static void expect_equal(const FlowRecord& in, const DecodedRecord& got) {
    const FlowAttributes& a = *in.attributes;
    const std::map<std::uint16_t, std::uint64_t> wanted = {
        {1, in.octets},
        {2, in.packets},
        {4, in.key.protocol},
        {5, in.tos},
        {7, in.key.source_port},
        {10, in.ingress_ifindex},
        {25, a.has_ip() ? a.length_min : 0},
        {26, a.length_max},
        {31, a.flow_label},
        {52, a.ttl_min},
        {53, a.ttl_max},
        {56, number(a.source_mac)},
        {58, in.key.vlan()},
        {80, number(a.destination_mac)},
        {136, static_cast<std::uint64_t>(in.end_reason)},
        {152, static_cast<std::uint64_t>(in.first / 1'000'000)},
        {153, static_cast<std::uint64_t>(in.last / 1'000'000)},
        {197, a.fragment_flags},
        {243, a.tags > 0 ? tag_id(a.outer_tag) : 0u},
        {245, a.tags > 1 ? tag_id(a.inner_tag) : 0u},
        {352, in.l2_octets},
    };
    for (const auto& [element, value] : wanted) {
      if (!got.has(element)) continue;
      EXPECT_EQ(got.number(element), value) << "element " << element;
    }
    ASSERT_TRUE(got.has(2));
    const bool v6 = in.key.ip_version() == IpVersion::kV6;
    const auto source = got.fields.find(v6 ? 27 : 8);
    if (in.key.ip_version() == IpVersion::kNone) return;
    ASSERT_NE(source, got.fields.end());
    const Octets address(in.key.source.begin() + (v6 ? 0 : 12), in.key.source.end());
    EXPECT_EQ(source->second, address);
  }
};

TEST_F(LayoutProperty, holds_for_every_layout_version_times_and_key) {
  const std::uint64_t first = seed();
  std::mt19937_64 random(first);
  for (const auto version : {NetflowVersion::kV9, NetflowVersion::kIpfix}) {
    for (const auto layout :
         {RecordLayout::kBasic, RecordLayout::kFull, RecordLayout::kL2, RecordLayout::kTunnel}) {
      for (const auto times : {RecordTimes::kMilliseconds, RecordTimes::kMicroseconds,
                               RecordTimes::kNanoseconds, RecordTimes::kUptime}) {
        for (const bool reduced : {false, true}) {
          SCOPED_TRACE(testing::Message()
                       << "seed " << first << " version " << static_cast<int>(version) << " layout "
                       << static_cast<int>(layout) << " times " << static_cast<int>(times)
                       << (reduced ? " reduced key" : ""));
          RecordBatch in;
          for (std::size_t i = 0; i < kRecords; ++i) {
            in.push_back(random_record(random));
            in.back().attributes = &in.attributes.emplace_back(random_attributes(random));
          }
          const std::size_t datagram = random() % 2 == 0 ? kDatagramMin : 1400;
          auto got = pass({version, layout, times, reduced}, in, datagram);
          ASSERT_EQ(got.size(), in.size());
          sort_alike(got, in);
          for (std::size_t i = 0; i < in.size(); ++i) {
            expect_equal(in[i], got[i]);
            if (HasFailure()) return;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace wiretally::test
