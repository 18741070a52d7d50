// SPDX-License-Identifier: Apache-2.0
// Fragments that find their first, those that do not, and how the cache forgets.
#include "dataplane/flow/fragment_cache.hpp"

#include <gtest/gtest.h>

#include "tests/dataplane/flow/flow_samples.hpp"

namespace wiretally {
namespace {

using test::numbered_key;
using Outcome = FragmentCache::Outcome;

constexpr TimeNs kStart = 1'700'000'000 * kNsPerSecond;

class FragmentCacheTest : public testing::Test {
 protected:
  // Number 1 is 1 > 1; its first fragment has the ports of numbered_key().
  static ParsedPacket first(std::uint32_t number, std::uint32_t id,
                            IpVersion version = IpVersion::kV4) {
    ParsedPacket packet = test::packet_of(numbered_key(number, version), 1500, 1514);
    packet.fragment = FragmentPlace::kFirst;
    packet.fragment_id = id;
    return packet;
  }
  static ParsedPacket later(std::uint32_t number, std::uint32_t id,
                            IpVersion version = IpVersion::kV4) {
    ParsedPacket packet = first(number, id, version);
    packet.fragment = FragmentPlace::kLater;
    packet.key.source_port = packet.key.destination_port = 0;
    return packet;
  }
  Outcome take(ParsedPacket packet, TimeNs time = kStart) { return cache.take(packet, time); }

  FlowHash hash{FlowHash::random_seed(), {}};
  FragmentCache cache{hash};
};

TEST_F(FragmentCacheTest, a_later_fragment_gets_its_firsts_key) {
  EXPECT_EQ(take(first(1, 77)), Outcome::kStored);
  for (int i = 0; i < 3; ++i) {
    ParsedPacket packet = later(1, 77);
    EXPECT_EQ(cache.take(packet, kStart + i), Outcome::kJoined);
    EXPECT_EQ(packet.key, numbered_key(1));
    EXPECT_EQ(packet.octets, 1500u) << "only the key is completed";
  }
}

TEST_F(FragmentCacheTest, an_ipv6_fragment_gets_the_protocol_too) {
  take(first(1, 77, IpVersion::kV6));
  ParsedPacket packet = later(1, 77, IpVersion::kV6);
  packet.key.protocol = 60;  // destination options stand behind the fragment header
  EXPECT_EQ(cache.take(packet, kStart), Outcome::kJoined);
  EXPECT_EQ(packet.key, numbered_key(1, IpVersion::kV6));
}

TEST_F(FragmentCacheTest, nothing_joins_what_it_does_not_belong_to) {
  take(first(1, 77));
  EXPECT_EQ(take(later(1, 78)), Outcome::kWithoutFirst) << "another packet";
  EXPECT_EQ(take(later(2, 77)), Outcome::kWithoutFirst) << "another host";
  ParsedPacket packet = later(1, 77);
  packet.key.protocol = 6;
  EXPECT_EQ(take(packet), Outcome::kWithoutFirst) << "another protocol";
  packet = later(1, 77);
  packet.key.port = PortIndex{1};
  EXPECT_EQ(take(packet), Outcome::kWithoutFirst) << "another tap";
  packet = later(1, 77);
  packet.key.set_vlan(9);
  EXPECT_EQ(take(packet), Outcome::kWithoutFirst) << "another VLAN";
}

TEST_F(FragmentCacheTest, a_later_fragment_before_its_first_keeps_ports_0) {
  ParsedPacket packet = later(1, 77);
  EXPECT_EQ(cache.take(packet, kStart), Outcome::kWithoutFirst);
  EXPECT_EQ(packet.key.destination_port, 0);
  take(first(1, 77));
  EXPECT_EQ(take(later(1, 77)), Outcome::kJoined);
}

TEST_F(FragmentCacheTest, an_entry_lives_for_its_time_and_no_longer) {
  take(first(1, 77));
  EXPECT_EQ(take(later(1, 77), kStart + FragmentCache::kLifetime), Outcome::kJoined);
  EXPECT_EQ(take(later(1, 77), kStart + FragmentCache::kLifetime + 1), Outcome::kWithoutFirst);
  EXPECT_EQ(take(later(1, 77), kStart - kNsPerSecond), Outcome::kJoined) << "the clock went back";
}

TEST_F(FragmentCacheTest, a_repeated_identification_means_the_newer_packet) {
  take(first(1, 77));
  ParsedPacket other = first(1, 77);
  other.key.destination_port = 4242;
  EXPECT_EQ(take(other), Outcome::kStored) << "in the same place: nothing was forgotten";
  ParsedPacket packet = later(1, 77);
  cache.take(packet, kStart);
  EXPECT_EQ(packet.key.destination_port, 4242);
}

TEST_F(FragmentCacheTest, a_flood_of_firsts_is_bounded_and_counts_what_it_forgets) {
  std::size_t evicted = 0;
  constexpr std::uint32_t kFlood = 100'000;
  for (std::uint32_t id = 0; id < kFlood; ++id) {
    evicted += take(first(7, id)) == Outcome::kStoredEvicting;
  }
  EXPECT_GE(evicted, kFlood - FragmentCache::kEntries);
  std::size_t joined = 0;
  for (std::uint32_t id = 0; id < kFlood; ++id) joined += take(later(7, id)) == Outcome::kJoined;
  EXPECT_EQ(joined, kFlood - evicted) << "each that was not forgotten is there, once";
  // When its time is over, an entry's place is free without anything being forgotten.
  const TimeNs after = kStart + FragmentCache::kLifetime + 1;
  EXPECT_EQ(take(first(7, kFlood), after), Outcome::kStored);
}

}  // namespace
}  // namespace wiretally
