// SPDX-License-Identifier: Apache-2.0
// Sums counted elsewhere into the count table: nothing of them is lost, whatever their size and
// however full the table is.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/dataplane/flow/flow_samples.hpp"

namespace wiretally {
namespace {

using test::numbered_key;

struct Found {
  CountTotals totals;
  std::uint64_t lines = 0;
  std::uint32_t first = UINT32_MAX;
  std::uint32_t last = 0;
  std::uint16_t flags = 0;
};

// Of one exact key, over all its lines.
Found find(const CountTable& table, const FlowKey& key) {
  Found found;
  for (const CountTable::Segment& segment : table.segments()) {
    const std::size_t lines = (std::size_t{1} << segment.lines_log2) + CountTable::kProbeMax;
    for (std::size_t i = 0; i < lines; ++i) {
      const CountEntry& entry = segment.lines[i];
      if (!table.live(entry) || !(entry.key == key)) continue;
      ++found.lines;
      found.totals.packets += entry.packets;
      found.totals.octets += entry.octets();
      found.totals.l2_octets += entry.l2_octets();
      found.first = std::min(found.first, entry.first);
      found.last = std::max(found.last, entry.last);
      found.flags |= entry.tcp_flags();
    }
  }
  return found;
}

// Everything in the table, lines and rows.
CountTotals all_of(const CountTable& table) {
  CountTotals sum;
  for (const CountTable::Segment& segment : table.segments()) {
    const std::size_t lines = (std::size_t{1} << segment.lines_log2) + CountTable::kProbeMax;
    for (std::size_t i = 0; i < lines; ++i) {
      const CountEntry& entry = segment.lines[i];
      if (!table.live(entry)) continue;
      sum.packets += entry.packets;
      sum.octets += entry.octets();
      sum.l2_octets += entry.l2_octets();
    }
  }
  for (const ProtocolRow& row : table.protocol_rows()) {
    sum.packets += row.packets;
    sum.octets += row.octets;
    sum.l2_octets += row.l2_octets;
  }
  return sum;
}

class CountSumTest : public testing::Test {
 protected:
  FlowHash hash_{FlowHash::fixed_seed(), {}};
  CountTable table_{4096, 2, CountTable::Memory::kLazy};

  void SetUp() override { table_.open(0, 10, 0); }
};

TEST_F(CountSumTest, adds_to_what_packets_counted) {
  const FlowKey key = numbered_key(7);
  const ParsedPacket packet = test::packet_of(key, 100, 114, 50);
  const std::uint64_t hash = hash_(key);
  std::uint8_t unplaced;
  ASSERT_EQ(table_.count_all({&packet, 1}, &hash, &unplaced), 0u);
  EXPECT_EQ(table_.count_sum(key, {10, 1000, 1140, 20, 90, 0x812, 3}, hash_), CoarseLevel::kExact);
  const Found found = find(table_, key);
  EXPECT_EQ(found.lines, 1u);
  EXPECT_EQ(found.totals, (CountTotals{11, 1100, 1254}));
  EXPECT_EQ(found.first, 20u);
  EXPECT_EQ(found.last, 90u);
  EXPECT_EQ(found.flags, 0x812);
  EXPECT_EQ(table_.totals(), found.totals);
}

TEST_F(CountSumTest, keeps_sums_that_are_larger_than_a_line) {
  const CountSum sums[] = {
      {10'000'000'000, 750'000'000'000, 890'000'000'000, 1, 2, 0, 0},  // a minute at 100 Gbit/s
      {1'000'000'000, 0, 64'000'000'000, 1, 2, 0, 0},                  // frames without IP
      {3, 100'000'000'000, 42, 1, 2, 0, 0},  // lengths that lie: more octets than frames
  };
  for (const CountSum& sum : sums) {
    CountTable table(200'000, 2, CountTable::Memory::kLazy);  // with a larger segment to go on in
    table.open(0, 10, 0);
    const FlowKey key = numbered_key(1);
    EXPECT_EQ(table.count_sum(key, sum, hash_), CoarseLevel::kExact);
    EXPECT_EQ(table.count_sum(key, sum, hash_), CoarseLevel::kExact);
    const CountTotals expected{2 * sum.packets, 2 * sum.octets,
                               static_cast<std::int64_t>(2 * sum.l2_octets)};
    EXPECT_EQ(find(table, key).totals, expected) << sum.packets;
    EXPECT_EQ(table.totals(), expected);
  }
}

TEST_F(CountSumTest, keeps_nonsense_in_coarse_rows) {
  const CountSum sum{5, 1ull << 50, 1ull << 45, 1, 2, 0, 0};
  table_.count_sum(numbered_key(1), sum, hash_);
  table_.count_sum(numbered_key(2), {}, hash_);
  EXPECT_EQ(table_.totals(), (CountTotals{5, 1ull << 50, std::int64_t{1} << 45}));
  EXPECT_EQ(all_of(table_), table_.totals());
}

TEST_F(CountSumTest, coarsens_what_finds_no_place_and_keeps_every_octet) {
  std::mt19937_64 random(1);
  CountTotals expected;
  std::map<CoarseLevel, int> levels;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    FlowKey key = numbered_key(i, i % 2 == 0 ? IpVersion::kV4 : IpVersion::kV6);
    key.destination[1] = static_cast<std::uint8_t>(random());
    key.destination[2] = static_cast<std::uint8_t>(random());
    const CountSum sum{random() % 1000, random() % 1'000'000, random() % 1'000'000, 5, 9, 2, 0};
    ++levels[table_.count_sum(key, sum, hash_)];
    expected.packets += sum.packets;
    expected.octets += sum.octets;
    expected.l2_octets += static_cast<std::int64_t>(sum.l2_octets);
  }
  EXPECT_EQ(table_.totals(), expected);
  EXPECT_EQ(all_of(table_), expected);
  EXPECT_GE(levels[CoarseLevel::kExact], 4000);
  EXPECT_GT(levels[CoarseLevel::kDestinationHost], 0);
  EXPECT_GT(levels[CoarseLevel::kProtocol], 0);
}

TEST_F(CountSumTest, puts_a_row_of_the_kernel_in_its_row) {
  FlowKey key;
  key.port = PortIndex{1};
  key.protocol = 17;
  key.set_kind(IpVersion::kV6, CoarseLevel::kProtocol);
  EXPECT_EQ(table_.count_sum(key, {4, 400, 456, 3, 8, 0, 0}, hash_), CoarseLevel::kProtocol);
  std::size_t used = 0;
  for (std::size_t i = 0; i < table_.protocol_rows().size(); ++i) {
    const ProtocolRow& row = table_.protocol_rows()[i];
    if (row.packets == 0) continue;
    ++used;
    EXPECT_EQ(table_.protocol_row_key(i), key);
    EXPECT_EQ(row.octets, 400u);
    EXPECT_EQ(row.first, 3u);
    EXPECT_EQ(row.last, 8u);
  }
  EXPECT_EQ(used, 1u);
}

TEST(CountSum, leaves_no_old_attributes_on_a_line) {
  const FlowHash hash(FlowHash::fixed_seed(), {});
  CountTable table(1024, 1, CountTable::Memory::kLazy, CountTable::Attributes::kKept);
  const FlowKey key = numbered_key(3);
  const std::uint64_t place = hash(key);
  const ParsedPacket packet = test::packet_of(key, 100, 114);
  FlowAttributes old;
  old.ttl_max = 77;
  old.has_macs = true;
  std::uint8_t unplaced;
  table.open(0, 10, 0);
  table.count_all({&packet, 1}, &place, &unplaced, &old);
  table.recycle();
  table.open(0, 10, 0);
  table.count_sum(key, {1, 100, 114, 0, 0, 0, 0}, hash);
  for (const CountTable::Segment& segment : table.segments()) {
    for (std::size_t i = 0; i < std::size_t{1} << segment.lines_log2; ++i) {
      if (!table.live(segment.lines[i])) continue;
      const FlowAttributes* kept = table.attributes_of(segment.lines[i]);
      ASSERT_NE(kept, nullptr);
      EXPECT_EQ(kept->ttl_max, 0);
      EXPECT_FALSE(kept->has_macs);
    }
  }
}

}  // namespace
}  // namespace wiretally
