// SPDX-License-Identifier: Apache-2.0
// The count table against a plain map, at its limits, and over many epochs.
#include "dataplane/flow/count_table.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <unordered_map>

#include "tests/dataplane/flow/flow_samples.hpp"

namespace wiretally {
namespace {

using test::count;
using test::numbered_key;
using test::packet_of;

struct KeyText {
  std::string operator()(const FlowKey& key) const {
    return {reinterpret_cast<const char*>(&key), sizeof key};
  }
};

struct Sum {
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
  std::int64_t l2_octets = 0;
  std::uint32_t first = UINT32_MAX;
  std::uint32_t last = 0;
  std::uint16_t flags = 0;

  friend bool operator==(const Sum&, const Sum&) = default;
};

using Sums = std::unordered_map<std::string, Sum>;

void add(Sums& sums, const ParsedPacket& packet) {
  Sum& sum = sums[KeyText()(packet.key)];
  ++sum.packets;
  sum.octets += packet.octets;
  sum.l2_octets += packet.wire_octets;
  sum.first = std::min(sum.first, packet.time_offset);
  sum.last = std::max(sum.last, packet.time_offset);
  sum.flags |= packet.tcp_flags;
}

Sums sums_of(const CountTable& table) {
  Sums sums;
  for (const CountTable::Segment& segment : table.segments()) {
    const std::size_t lines = (std::size_t{1} << segment.lines_log2) + CountTable::kProbeMax;
    for (std::size_t i = 0; i < lines; ++i) {
      const CountEntry& entry = segment.lines[i];
      if (!table.live(entry)) continue;
      Sum& sum = sums[KeyText()(entry.key)];
      sum.packets += entry.packets;
      sum.octets += entry.octets();
      sum.l2_octets += entry.l2_octets();
      sum.first = std::min(sum.first, entry.first);
      sum.last = std::max(sum.last, entry.last);
      sum.flags |= entry.tcp_flags();
    }
  }
  return sums;
}

CountTotals totals_of(const std::vector<ParsedPacket>& packets) {
  CountTotals totals;
  for (const ParsedPacket& packet : packets) {
    ++totals.packets;
    totals.octets += packet.octets;
    totals.l2_octets += packet.wire_octets;
  }
  return totals;
}

class CountTableTest : public testing::Test {
 protected:
  std::vector<std::uint64_t> hashes_of(const std::vector<ParsedPacket>& packets) const {
    std::vector<std::uint64_t> hashes(packets.size());
    hash.hash_all(packets, hashes.data());
    return hashes;
  }
  std::mt19937_64 random{std::random_device{}()};
  FlowHash hash{FlowHash::random_seed(), {}};
};

class CountTableByInstructions : public CountTableTest,
                                 public testing::WithParamInterface<Instructions> {};
INSTANTIATE_TEST_SUITE_P(, CountTableByInstructions,
                         testing::Values(Instructions::kSse, Instructions::kAvx2,
                                         Instructions::kAvx512));

TEST_P(CountTableByInstructions, agrees_with_a_plain_map_on_random_packets) {
  if (GetParam() > instructions_of_cpu()) GTEST_SKIP() << "not on this CPU";
  const std::uint64_t seed = random();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 drawn(seed);
  CountTable table(100'000, 1, CountTable::Memory::kLazy, CountTable::Attributes::kNone,
                   GetParam());
  for (const std::uint32_t flows : {1u, 100u, 20'000u, 100'000u}) {
    const auto packets = test::random_packets(drawn, 200'000, flows);
    Sums expected;
    for (const ParsedPacket& packet : packets) add(expected, packet);
    table.open(0, 0, 10);
    EXPECT_EQ(count(table, packets, hashes_of(packets), hash), 0u);
    EXPECT_EQ(sums_of(table), expected) << flows << " flows";
    EXPECT_EQ(table.totals(), totals_of(packets));
    table.recycle();
  }
}

TEST_F(CountTableTest, keeps_flows_apart_when_all_hashes_are_the_same) {
  CountTable table(1000, 1, CountTable::Memory::kLazy);
  std::vector<ParsedPacket> packets;
  for (std::uint32_t i = 0; i < 3 * CountTable::kProbeMax; ++i) {
    packets.push_back(packet_of(numbered_key(i % CountTable::kProbeMax), 100, 114, i));
  }
  Sums expected;
  for (const ParsedPacket& packet : packets) add(expected, packet);
  table.open(0, 0, 1000);
  const std::vector<std::uint64_t> same(packets.size(), 0x123456789abcdef0);
  EXPECT_EQ(count(table, packets, same, hash), 0u);
  EXPECT_EQ(sums_of(table), expected);
}

TEST_F(CountTableTest, says_when_a_key_has_no_place_and_counts_it_coarsely) {
  CountTable table(100'000, 1, CountTable::Memory::kLazy);
  std::vector<ParsedPacket> packets;
  for (std::uint32_t i = 0; i < 5 * CountTable::kProbeMax; ++i) {
    packets.push_back(packet_of(numbered_key(i), 100, 114));
  }
  table.open(0, 0, 100'000);  // the last segment: no larger one to go on in
  const std::vector<std::uint64_t> same(packets.size(), 0);
  EXPECT_EQ(count(table, packets, same, hash), 4u * CountTable::kProbeMax);
  EXPECT_EQ(table.totals(), totals_of(packets));
}

TEST_F(CountTableTest, goes_on_in_a_larger_segment_when_flows_outgrow_the_first) {
  const auto packets = test::random_packets(random, 300'000, 60'000);
  CountTable table(100'000, 1, CountTable::Memory::kLazy);
  Sums expected;
  for (const ParsedPacket& packet : packets) add(expected, packet);
  table.open(0, 0, 0);
  EXPECT_EQ(count(table, packets, hashes_of(packets), hash), 0u);
  EXPECT_GT(table.segments().size(), 1u);
  EXPECT_EQ(sums_of(table), expected);
}

TEST_F(CountTableTest, never_shows_entries_of_an_earlier_epoch) {
  CountTable table(1000, 1, CountTable::Memory::kLazy);
  for (std::uint32_t epoch = 0; epoch < 600; ++epoch) {  // epoch numbers run out twice
    std::vector<ParsedPacket> packets;
    for (std::uint32_t i = 0; i < 50; ++i) {
      packets.push_back(packet_of(numbered_key(epoch * 50 + i), 100, 114));
    }
    table.open(0, 0, epoch % 3 == 0 ? 1000 : 10);
    ASSERT_EQ(count(table, packets, hashes_of(packets), hash), 0u);
    ASSERT_EQ(sums_of(table).size(), 50u) << "epoch " << epoch;
    table.recycle();
  }
}

TEST_F(CountTableTest, splits_a_flow_whose_counters_would_not_fit) {
  CountTable table(1000, 1, CountTable::Memory::kLazy);
  const FlowKey key = numbered_key(1);
  std::vector<ParsedPacket> packets;
  for (int i = 0; i < 40; ++i) packets.push_back(packet_of(key, 4'294'967'335, 60));  // jumbograms
  for (int i = 0; i < 5; ++i) packets.push_back(packet_of(key, 20, UINT32_MAX));  // a lying length
  Sums expected;
  for (const ParsedPacket& packet : packets) add(expected, packet);
  table.open(0, 0, 10);
  EXPECT_EQ(count(table, packets, hashes_of(packets), hash), 0u);
  EXPECT_EQ(sums_of(table), expected);
  EXPECT_EQ(table.totals(), totals_of(packets));
}

// A flood of random sources at one host: exact flows stay exact, the rest names the victim.
TEST_F(CountTableTest, names_the_victim_when_random_sources_fill_the_table) {
  CountTable table(2000, 1, CountTable::Memory::kLazy);
  table.open(0, 0, 2000);
  std::vector<ParsedPacket> packets(10, packet_of(numbered_key(0), 1000, 1014));
  for (std::uint32_t i = 1; i <= 50'000; ++i) packets.push_back(packet_of(numbered_key(i), 40, 60));
  for (int i = 0; i < 10; ++i) packets.push_back(packet_of(numbered_key(0), 1000, 1014));
  EXPECT_GT(count(table, packets, hashes_of(packets), hash), 40'000u);
  EXPECT_EQ(table.totals(), totals_of(packets));

  Sums sums = sums_of(table);
  EXPECT_EQ(sums[KeyText()(numbered_key(0))].packets, 20u) << "a resident flow stays exact";
  FlowKey victim;
  victim.destination[15] = 1;
  victim.set_kind(IpVersion::kV4, CoarseLevel::kDestinationHost);
  EXPECT_GT(sums[KeyText()(victim)].packets, 40'000u);
}

TEST_F(CountTableTest, counts_by_protocol_when_nothing_else_has_a_place) {
  CountTable table(1000, 2, CountTable::Memory::kLazy);
  table.open(0, 0, 1000);
  std::vector<ParsedPacket> packets;
  for (std::uint32_t i = 0; i < 60'000; ++i) {
    ParsedPacket packet = packet_of(numbered_key(i), 40, 60, i);
    std::memcpy(packet.key.destination.data() + 12, &i, sizeof i);
    packet.key.port = PortIndex{1};
    packets.push_back(packet);
  }
  count(table, packets, hashes_of(packets), hash);
  CountTotals sum;
  for (const auto& [key, value] : sums_of(table)) {
    sum.packets += value.packets;
    sum.octets += value.octets;
    sum.l2_octets += value.l2_octets;
  }
  std::uint64_t in_rows = 0;
  const auto rows = table.protocol_rows();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].packets == 0) continue;
    const FlowKey key = table.protocol_row_key(i);
    EXPECT_EQ(key.protocol, 17);
    EXPECT_EQ(key.port, PortIndex{1});
    EXPECT_EQ(key.ip_version(), IpVersion::kV4);
    EXPECT_EQ(key.level(), CoarseLevel::kProtocol);
    in_rows += rows[i].packets;
    sum.packets += rows[i].packets;
    sum.octets += rows[i].octets;
    sum.l2_octets += rows[i].l2_octets;
  }
  EXPECT_GT(in_rows, 50'000u);
  EXPECT_EQ(sum, totals_of(packets));
}

TEST(FlowHash, leaves_labels_out_and_identity_in) {
  const FlowHash::Seed seed = FlowHash::random_seed();
  FlowKey labelled = numbered_key(7);
  labelled.set_vlan(12);
  labelled.port = PortIndex{3};
  const FlowHash plain(seed, {});
  EXPECT_EQ(plain(labelled), plain(numbered_key(7)));
  EXPECT_NE(plain(numbered_key(8)), plain(numbered_key(7)));
  const FlowHash with_vlan(seed, {.vlan = true, .ingress = false});
  EXPECT_NE(with_vlan(labelled), with_vlan(numbered_key(7)));
}

TEST(FlowHash, differs_between_keys_drawn_at_start) {
  const FlowKey key = numbered_key(7);
  EXPECT_NE(FlowHash(FlowHash::random_seed(), {})(key), FlowHash(FlowHash::random_seed(), {})(key));
}

// Sequential addresses and ports are what scans look like: they must spread like random numbers.
TEST(FlowHash, spreads_sequential_keys_evenly) {
  const FlowHash hash(FlowHash::random_seed(), {});
  std::vector<unsigned> buckets(256);
  for (std::uint32_t i = 0; i < 256'000; ++i) ++buckets[hash(numbered_key(i)) >> 56];
  for (const unsigned count : buckets) {
    EXPECT_GT(count, 800u);  // mean 1000, standard deviation 32
    EXPECT_LT(count, 1200u);
  }
}

FlowAttributes attributes_of(std::uint8_t ttl, std::uint8_t first_octet) {
  FlowAttributes attributes;
  attributes.ttl_min = attributes.ttl_max = ttl;
  attributes.length_min = attributes.length_max = 100u + ttl;
  attributes.tos_or = static_cast<std::uint8_t>(1u << ttl % 8);
  attributes.source_mac[0] = first_octet;
  return attributes;
}

// Every live line with its attributes: what attributes_of() says it has counted.
template <class F>
void for_each_live(const CountTable& table, F f) {
  for (const CountTable::Segment& segment : table.segments()) {
    const std::size_t lines = (std::size_t{1} << segment.lines_log2) + CountTable::kProbeMax;
    for (std::size_t i = 0; i < lines; ++i) {
      if (table.live(segment.lines[i])) f(segment.lines[i], table.attributes_of(segment.lines[i]));
    }
  }
}

TEST(CountTableAttributes, are_those_of_the_first_packet_and_the_ranges_of_all) {
  CountTable table(4096, 1, CountTable::Memory::kLazy, CountTable::Attributes::kKept);
  const FlowHash hash(FlowHash::random_seed(), {});
  for (int epoch = 0; epoch < 3; ++epoch) {  // a line of an epoch gone by must not shine through
    table.open(0, 0, 0);
    for (std::uint8_t ttl : {40, 64, 33}) {
      for (std::uint32_t flow = 0; flow < 2000; ++flow) {  // grows over several segments
        const ParsedPacket packet = packet_of(numbered_key(flow), 100, 114);
        const std::uint64_t at = hash(packet.key);
        const FlowAttributes attributes =
            attributes_of(static_cast<std::uint8_t>(ttl + epoch), static_cast<std::uint8_t>(flow));
        std::uint8_t unplaced;
        ASSERT_EQ(table.count_all({&packet, 1}, &at, &unplaced, &attributes), 0u);
      }
    }
    std::map<std::string, FlowAttributes> flows;
    for_each_live(table, [&](const CountEntry& entry, const FlowAttributes* attributes) {
      ASSERT_NE(attributes, nullptr);
      const auto [flow, is_new] = flows.emplace(KeyText()(entry.key), *attributes);
      if (!is_new) flow->second.merge(*attributes);
    });
    ASSERT_EQ(flows.size(), 2000u);
    for (std::uint32_t flow = 0; flow < 2000; ++flow) {
      const FlowAttributes& a = flows.at(KeyText()(numbered_key(flow)));
      EXPECT_EQ(a.ttl_min, 33 + epoch);
      EXPECT_EQ(a.ttl_max, 64 + epoch);
      EXPECT_EQ(a.length_min, 133u + static_cast<unsigned>(epoch));
      EXPECT_EQ(a.length_max, 164u + static_cast<unsigned>(epoch));
      EXPECT_EQ(a.source_mac[0], static_cast<std::uint8_t>(flow));
    }
    table.recycle();
  }
}

TEST(CountTableAttributes, of_a_coarse_row_are_ranges_only) {
  CountTable table(64, 1, CountTable::Memory::kLazy, CountTable::Attributes::kKept);
  const FlowHash hash(FlowHash::random_seed(), {});
  table.open(0, 0, 0);
  for (const std::uint8_t ttl : {10, 20}) {
    const ParsedPacket packet = packet_of(numbered_key(ttl), 100, 114);
    const FlowAttributes attributes = attributes_of(ttl, 7);
    table.count_coarse(packet, hash, &attributes);
  }
  for_each_live(table, [](const CountEntry& entry, const FlowAttributes* attributes) {
    EXPECT_NE(entry.key.level(), CoarseLevel::kExact);
    EXPECT_EQ(attributes->source_mac[0], 0);
    EXPECT_TRUE(attributes->has_ip());
  });
}

TEST(CountTableAttributes, cost_a_table_without_them_nothing) {
  CountTable table(64, 1, CountTable::Memory::kLazy);
  table.open(0, 0, 0);
  const ParsedPacket packet = packet_of(numbered_key(1), 100, 114);
  const std::uint64_t hash = 0;
  std::uint8_t unplaced;
  ASSERT_EQ(table.count_all({&packet, 1}, &hash, &unplaced), 0u);
  for_each_live(table, [](const CountEntry&, const FlowAttributes* attributes) {
    EXPECT_EQ(attributes, nullptr);
  });
}

}  // namespace
}  // namespace wiretally
