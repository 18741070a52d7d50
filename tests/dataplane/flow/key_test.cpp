// SPDX-License-Identifier: Apache-2.0
// Keys compared by every set of instructions, and made coarser: against the plain definitions.
#include <gtest/gtest.h>

#include "dataplane/flow/coarsen.hpp"
#include "dataplane/flow/key_compare.hpp"
#include "tests/dataplane/flow/flow_samples.hpp"

namespace wiretally {
namespace {

FlowKey random_key(std::mt19937_64& random) {
  FlowKey key;
  for (auto* address : {&key.source, &key.destination}) {
    for (std::uint8_t& octet : *address) octet = static_cast<std::uint8_t>(random());
  }
  key.source_port = static_cast<std::uint16_t>(random());
  key.destination_port = static_cast<std::uint16_t>(random());
  key.protocol = static_cast<std::uint8_t>(random());
  key.port = static_cast<PortIndex>(random() % 64);
  key.set_vlan(static_cast<std::uint16_t>(random()));
  key.set_kind(static_cast<IpVersion>(random() % kIpVersions), CoarseLevel::kExact);
  return key;
}

class KeyTest : public testing::Test {
 protected:
  std::mt19937_64 random{20261125};
};

// Equal to itself wherever it lies, and different in each single bit.
template <class Compare>
void expect_compares(const FlowKey& key) {
  struct alignas(64) Line {
    FlowKey key;
    std::array<std::uint8_t, 24> counters;
  };
  Line a{key, {}};
  Line b{key, {}};
  b.counters.fill(0xff);  // what lies behind a key is no part of it
  ASSERT_TRUE(Compare::same(a.key, b.key));
  ASSERT_TRUE(Compare::same(a.key, key));
  for (std::size_t bit = 0; bit < 8 * sizeof(FlowKey); ++bit) {
    auto* octets = reinterpret_cast<std::uint8_t*>(&b.key);
    octets[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    ASSERT_FALSE(Compare::same(a.key, b.key)) << "bit " << bit;
    octets[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
  }
}

template <class Compare>
void expect_compares_random_keys(std::mt19937_64& random) {
  for (int i = 0; i < 100; ++i) expect_compares<Compare>(random_key(random));
}

TEST_F(KeyTest, every_bit_counts) {
  expect_compares_random_keys<SseCompare>(random);
}

TEST_F(KeyTest, every_bit_counts_with_avx2) {
  if (instructions_of_cpu() < Instructions::kAvx2) GTEST_SKIP() << "this CPU has no AVX2";
  expect_compares_random_keys<Avx2Compare>(random);
}

TEST_F(KeyTest, every_bit_counts_with_avx_512) {
  if (instructions_of_cpu() < Instructions::kAvx512) GTEST_SKIP() << "this CPU has no AVX-512";
  expect_compares_random_keys<Avx512Compare>(random);
}

TEST_F(KeyTest, a_coarser_key_keeps_what_its_level_says) {
  for (int i = 0; i < 1000; ++i) {
    const FlowKey key = random_key(random);
    const auto at = [&key](CoarseLevel level, bool source, bool destination, bool protocol,
                           bool vlan) {
      FlowKey want;
      if (source) want.source = key.source;
      if (destination) want.destination = key.destination;
      if (protocol) want.protocol = key.protocol;
      if (vlan) want.set_vlan(key.vlan());
      want.port = key.port;
      want.set_kind(key.ip_version(), level);
      const FlowKey coarse = coarsen(key, level);
      EXPECT_EQ(coarse, want) << static_cast<int>(level);
      EXPECT_EQ(coarse.level(), level);
      EXPECT_EQ(coarse.ip_version(), key.ip_version());
    };
    EXPECT_EQ(coarsen(key, CoarseLevel::kExact), key);
    at(CoarseLevel::kNoPorts, true, true, true, true);
    at(CoarseLevel::kDestinationHost, false, true, false, false);
    at(CoarseLevel::kSourceHost, true, false, false, false);
    at(CoarseLevel::kProtocol, false, false, true, false);
  }
}

}  // namespace
}  // namespace wiretally
