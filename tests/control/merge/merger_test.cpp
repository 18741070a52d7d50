// SPDX-License-Identifier: Apache-2.0
// Tables of several workers through the parallel drain: every packet arrives in exactly one flow.
#include "control/merge/merger.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/dataplane/flow/flow_samples.hpp"

namespace wiretally {
namespace {

MergerOptions options_of(std::uint64_t max_flows, bool recording) {
  MergerOptions options;
  options.flows.max_flows = max_flows;
  options.recording = recording;
  options.threads = 2;
  options.ifindex = {11};
  return options;
}

class MergerTest : public testing::Test {
 protected:
  void fill(CountTable& table, const std::vector<ParsedPacket>& packets, std::size_t expected) {
    std::vector<std::uint64_t> hashes(packets.size());
    hash.hash_all(packets, hashes.data());
    table.open(0, 0, expected);
    test::count(table, packets, hashes, hash);
  }

  std::mt19937_64 random{std::random_device{}()};
  FlowHash hash{FlowHash::random_seed(), {}};
};

TEST_F(MergerTest, makes_one_flow_of_what_several_tables_saw) {
  const std::uint64_t seed = random();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 drawn(seed);
  std::map<std::uint16_t, Volume> sent;  // by source port, which numbers the flow
  CountTable first(50'000, 1, CountTable::Memory::kLazy);
  CountTable second(50'000, 1, CountTable::Memory::kLazy);
  for (CountTable* table : {&first, &second}) {
    const auto packets = test::random_packets(drawn, 200'000, 30'000);
    for (const ParsedPacket& p : packets) sent[p.key.source_port] += {1, p.octets, p.wire_octets};
    fill(*table, packets, table == &first ? 10 : 60'000);  // many segments and one
  }
  Merger merger(options_of(100'000, false), hash);
  const CountTable* tables[] = {&first, &second};
  const TickOutput output = merger.run({tables, kNsPerSecond, 0, 1, false});
  EXPECT_EQ(output.drained[0].totals, first.totals());
  EXPECT_EQ(output.drained[1].totals, second.totals());
  EXPECT_EQ(output.drained[0].entries, first.entries());
  EXPECT_EQ(merger.totals().flows, sent.size());
  EXPECT_EQ(merger.totals().in_cache, merger.count_flows());

  const TickOutput end = merger.run({{}, kNsPerSecond, 0, 2, true});
  std::map<std::uint16_t, Volume> got;
  std::size_t records = output.batches.size();
  for (const RecordBatchPtr& batch : end.batches) {
    for (const FlowRecord& r : *batch) {
      got[r.key.source_port] += {r.packets, r.octets, r.l2_octets};
      EXPECT_EQ(r.ingress_ifindex, 11u);
      ++records;
    }
  }
  EXPECT_EQ(records, sent.size());
  EXPECT_EQ(got, sent);
}

TEST_F(MergerTest, drains_coarse_rows_of_an_overloaded_table) {
  CountTable table(1000, 1, CountTable::Memory::kLazy);
  std::vector<ParsedPacket> packets;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    packets.push_back(test::packet_of(test::numbered_key(i), 40, 60));
    const std::uint32_t other = i * 7;
    std::memcpy(packets.back().key.destination.data() + 12, &other, sizeof other);
  }
  fill(table, packets, 1000);
  Merger merger(options_of(100'000, false), hash);
  const CountTable* tables[] = {&table};
  const TickOutput output = merger.run({tables, kNsPerSecond, 0, 1, true});
  EXPECT_EQ(output.drained[0].totals, table.totals());
  EXPECT_EQ(output.drained[0].totals.packets, 100'000u);
  std::uint64_t by_level[kCoarseLevels] = {};
  for (const RecordBatchPtr& batch : output.batches) {
    for (const FlowRecord& r : *batch) by_level[static_cast<int>(r.key.level())] += r.packets;
  }
  EXPECT_GT(by_level[0], 0u);
  EXPECT_GT(by_level[static_cast<int>(CoarseLevel::kProtocol)], 0u);
  EXPECT_EQ(by_level[0] + by_level[1] + by_level[2] + by_level[3] + by_level[4], 100'000u);
}

TEST_F(MergerTest, tells_utc_when_the_clock_was_stepped) {
  CountTable table(1000, 1, CountTable::Memory::kLazy);
  fill(table, {test::packet_of(test::numbered_key(1), 40, 60, 5)}, 10);
  Merger merger(options_of(1000, false), hash);
  const CountTable* tables[] = {&table};
  const TimeNs hour = 3600 * kNsPerSecond;
  const TickOutput output = merger.run({tables, kNsPerSecond, hour, 1, true});
  ASSERT_EQ(output.batches.size(), 1u);
  EXPECT_EQ(output.batches[0]->at(0).first, hour + 5);
  EXPECT_EQ(output.batches[0]->at(0).last, hour + 5);
}

TEST_F(MergerTest, looks_for_ended_flows_once_an_expiry_interval) {
  MergerOptions options = options_of(1000, false);
  options.flows.expiry_interval = std::chrono::seconds(20);
  Merger merger(options, hash);
  CountTable table(1000, 1, CountTable::Memory::kLazy);
  fill(table, {test::packet_of(test::numbered_key(1), 100, 114)}, 1);  // UDP: 30 s
  const CountTable* tables[] = {&table};
  std::vector<int> left_at;
  for (int second = 1; second <= 60; ++second) {
    const TickOutput output =
        merger.run({second == 1 ? std::span<const CountTable* const>(tables)
                                : std::span<const CountTable* const>(),
                    second * kNsPerSecond, 0, static_cast<std::uint32_t>(second), false});
    if (!output.batches.empty()) left_at.push_back(second);
  }
  EXPECT_EQ(left_at, std::vector<int>{40}) << "due at 30 s, looked for at 20 and 40";
  EXPECT_EQ(merger.statistics().protocols[17].records, 1u);

  FlowsConfig every_tick = options.flows;
  every_tick.expiry_interval = std::chrono::seconds(0);
  merger.set_lifecycle(every_tick);
  table.recycle();
  fill(table, {test::packet_of(test::numbered_key(1), 100, 114)}, 1);
  EXPECT_EQ(merger.run({tables, 61 * kNsPerSecond, 0, 61, false}).batches.size(), 1u)
      << "the packet is of second 0: at once";
}

TEST_F(MergerTest, keeps_flows_of_other_mac_addresses_apart_if_they_are_key) {
  MergerOptions options = options_of(10'000, false);
  options.flows.key.macs = true;
  options.attributes = true;
  Merger merger(options, hash);
  CountTable table(10'000, 1, CountTable::Memory::kLazy, CountTable::Attributes::kKeyed);
  table.open(0, 0, 0);
  constexpr std::uint32_t kFlows = 500;
  constexpr std::uint8_t kMacs = 5;
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t flow = 0; flow < kFlows; ++flow) {
      for (std::uint8_t mac = 0; mac < kMacs; ++mac) {
        const ParsedPacket packet = test::packet_of(test::numbered_key(flow), 100, 114);
        FlowAttributes attributes;
        attributes.has_macs = true;
        attributes.destination_mac[5] = mac;  // 0: as if there were none
        const std::uint64_t at = hash.with_link(hash(packet.key), attributes);
        std::uint8_t unplaced;
        ASSERT_EQ(table.count_all({&packet, 1}, &at, &unplaced, &attributes), 0u);
      }
    }
  }
  const CountTable* tables[] = {&table};
  merger.run({tables, kNsPerSecond, 0, 1, false});
  EXPECT_EQ(merger.totals().flows, std::uint64_t{kFlows} * kMacs);
  const TickOutput end = merger.run({{}, kNsPerSecond, 0, 2, true});
  std::map<std::pair<std::uint16_t, std::uint8_t>, std::uint64_t> packets;
  for (const RecordBatchPtr& batch : end.batches) {
    for (const FlowRecord& r : *batch) {
      packets[{r.key.source_port, r.attributes->destination_mac[5]}] += r.packets;
    }
  }
  EXPECT_EQ(packets.size(), std::size_t{kFlows} * kMacs);
  for (const auto& [flow, count] : packets) EXPECT_EQ(count, 3u);
}

TEST_F(MergerTest, tells_by_the_source_mac_address_what_is_on_its_way_out) {
  MergerOptions options = options_of(1000, false);
  options.attributes = true;
  options.own_macs = {{2, 0, 0, 0, 0, 9}, {2, 0, 0, 0, 0, 1}};
  Merger merger(options, hash);
  CountTable table(1000, 1, CountTable::Memory::kLazy, CountTable::Attributes::kKept);
  table.open(0, 0, 0);
  for (std::uint8_t mac = 0; mac < 3; ++mac) {  // flow 1 comes from an address of ours
    const ParsedPacket packet = test::packet_of(test::numbered_key(mac), 100, 114);
    FlowAttributes attributes;
    attributes.has_macs = true;
    attributes.source_mac = {2, 0, 0, 0, 0, mac};
    attributes.destination_mac = {2, 0, 0, 0, 0, 1};
    const std::uint64_t at = hash(packet.key);
    std::uint8_t unplaced;
    ASSERT_EQ(table.count_all({&packet, 1}, &at, &unplaced, &attributes), 0u);
  }
  const CountTable* tables[] = {&table};
  std::size_t records = 0;
  for (const RecordBatchPtr& batch : merger.run({tables, kNsPerSecond, 0, 1, true}).batches) {
    for (const FlowRecord& r : *batch) {
      const bool out = r.key.source_port == 1;
      EXPECT_EQ(r.direction, out ? 1 : 0);
      EXPECT_EQ(r.egress_ifindex, out ? 11u : 0u);
      EXPECT_EQ(r.ingress_ifindex, out ? 0u : 11u);
      ++records;
    }
  }
  EXPECT_EQ(records, 3u);
}

}  // namespace
}  // namespace wiretally
