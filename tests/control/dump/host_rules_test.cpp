// SPDX-License-Identifier: Apache-2.0
// Whom a dump counts. The expected tables of IPv4 are what Debian's ipfm 0.11.5 wrote for the same
// five packets and the same LOG lines.
#include "control/dump/host_rules.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "config/values.hpp"

namespace wiretally {
namespace {

using testing::ElementsAre;
using Table = std::map<std::string, std::pair<int, int>>;  // host: in, out

FlowKey key_of(const std::string& source, const std::string& destination) {
  FlowKey key;
  const bool v6 = source.find(':') != std::string::npos;
  const int family = v6 ? AF_INET6 : AF_INET;
  EXPECT_EQ(inet_pton(family, source.c_str(), key.source.data() + (v6 ? 0 : 12)), 1);
  EXPECT_EQ(inet_pton(family, destination.c_str(), key.destination.data() + (v6 ? 0 : 12)), 1);
  key.set_kind(v6 ? IpVersion::kV6 : IpVersion::kV4, CoarseLevel::kExact);
  return key;
}

struct Sent {
  const char* from;
  const char* to;
  int octets;
};

constexpr Sent kPackets[] = {{"10.0.0.1", "10.0.0.2", 100},
                             {"10.0.0.2", "10.0.0.1", 200},
                             {"10.0.0.1", "192.0.2.9", 1020},
                             {"192.0.2.9", "10.0.0.1", 30},
                             {"192.0.2.9", "198.51.100.7", 520}};

Table counted(std::span<const Sent> packets, const std::vector<std::string>& rules) {
  const HostRules asked(rules);
  Table table;
  for (const Sent& packet : packets) {
    const HostRules::Counts counts = asked.judge(key_of(packet.from, packet.to));
    if (counts.source) table[packet.from].second += packet.octets;
    if (counts.destination) table[packet.to].first += packet.octets;
  }
  return table;
}

const std::pair<int, int> kOne{230, 1120};
const std::pair<int, int> kTwo{100, 200};
const std::pair<int, int> kNine{1020, 550};
const std::pair<int, int> kSeven{520, 0};
const Table kAll = {
    {"10.0.0.1", kOne}, {"10.0.0.2", kTwo}, {"192.0.2.9", kNine}, {"198.51.100.7", kSeven}};

TEST(HostRules, count_as_ipfm_counts) {
  const std::vector<std::pair<std::vector<std::string>, Table>> cases = {
      {{}, kAll},
      {{"both"}, kAll},
      {{"none"}, {}},
      {{"from"}, {{"10.0.0.1", {0, 1120}}, {"10.0.0.2", {0, 200}}, {"192.0.2.9", {0, 550}}}},
      {{"both 10.0.0.0/255.255.255.0"}, {{"10.0.0.1", kOne}, {"10.0.0.2", kTwo}}},
      {{"10.0.0.1/255.0.255.255"}, {{"10.0.0.1", kOne}}},
      {{"from 10.0.0.1"}, {{"10.0.0.1", {0, 1120}}}},
      {{"to 10.0.0.1"}, {{"10.0.0.1", {230, 0}}}},
      {{"from 10.0.0.1 with 10.0.0.2"}, {{"10.0.0.1", {0, 100}}}},
      {{"from 10.0.0.1 not with 10.0.0.2"}, {{"10.0.0.1", {0, 1020}}}},
      {{"from with 10.0.0.2"}, {{"10.0.0.1", {0, 100}}}},
      {{"to with 10.0.0.2"}, {{"10.0.0.1", {200, 0}}}},
      {{"with 10.0.0.2"}, {{"10.0.0.1", {200, 100}}}},
      {{"not with 10.0.0.2"},
       {{"10.0.0.1", {30, 1020}},
        {"10.0.0.2", kTwo},
        {"192.0.2.9", kNine},
        {"198.51.100.7", kSeven}}},
      {{"both 10.0.0.1 not with 192.0.2.0/24"}, {{"10.0.0.1", {200, 100}}}},
  };
  for (const auto& [rules, table] : cases) {
    EXPECT_EQ(counted(kPackets, rules), table) << testing::PrintToString(rules);
  }
}

TEST(HostRules, let_the_last_one_that_fits_decide) {
  EXPECT_EQ(counted(kPackets, {"none 10.0.0.1", "both"}), kAll);
  Table without_one = kAll;
  without_one.erase("10.0.0.1");
  EXPECT_EQ(counted(kPackets, {"both", "none 10.0.0.1"}), without_one);
  Table less_one = kAll;
  less_one["10.0.0.1"] = {30, 1020};
  EXPECT_EQ(counted(kPackets, {"both", "none 10.0.0.1 with 10.0.0.2"}), less_one);
  EXPECT_EQ(counted(kPackets, {"both", "none with 10.0.0.2"}), less_one);
  // Also where it says less than the one above it.
  EXPECT_EQ(counted(kPackets, {"from 10.0.0.1", "to 10.0.0.1"}), (Table{{"10.0.0.1", {230, 0}}}));
  EXPECT_EQ(counted(kPackets, {"to 10.0.0.1", "from 10.0.0.1"}), (Table{{"10.0.0.1", {0, 1120}}}));
  EXPECT_EQ(counted(kPackets, {"both 10.0.0.0/24", "from 10.0.0.1"}),
            (Table{{"10.0.0.1", {0, 1120}}, {"10.0.0.2", kTwo}}));
}

TEST(HostRules, count_ipv6_the_same_way) {
  constexpr Sent kSix[] = {{"2001:db8::1", "2001:db8::2", 100},
                           {"2001:db8:1::9", "2001:db8::1", 7}};
  EXPECT_EQ(counted(kSix, {"both 2001:db8::/48"}),
            (Table{{"2001:db8::1", {7, 100}}, {"2001:db8::2", {100, 0}}}));
  EXPECT_EQ(counted(kSix, {"both 2001:db8::1 not with 2001:db8::2"}),
            (Table{{"2001:db8::1", {7, 0}}}));
  EXPECT_EQ(counted(kSix, {"both 0.0.0.0/0"}), Table{}) << "a network of the other family";
  EXPECT_EQ(counted(kPackets, {"both ::/0"}), Table{});
  EXPECT_EQ(counted(kPackets, {"both ::/96"}), Table{}) << "IPv4 is not an IPv6 address with zeros";
}

TEST(HostRules, count_a_host_that_talks_to_itself_both_ways) {
  constexpr Sent kSelf[] = {{"10.0.0.1", "10.0.0.1", 100}};
  EXPECT_EQ(counted(kSelf, {"both"}), (Table{{"10.0.0.1", {100, 100}}}));
}

TEST(HostRules, know_only_the_ends_that_a_coarse_key_names) {
  FlowKey key = key_of("10.0.0.1", "10.0.0.2");
  const HostRules every;
  const std::vector<std::string> with_two = {"both 10.0.0.1 with 10.0.0.2"};
  const HostRules with(with_two);
  key.set_kind(IpVersion::kV4, CoarseLevel::kNoPorts);
  EXPECT_TRUE(every.judge(key).source);
  EXPECT_TRUE(with.judge(key).source);
  key.set_kind(IpVersion::kV4, CoarseLevel::kDestinationHost);
  EXPECT_FALSE(every.judge(key).source);
  EXPECT_TRUE(every.judge(key).destination);
  key.set_kind(IpVersion::kV4, CoarseLevel::kSourceHost);
  EXPECT_TRUE(every.judge(key).source);
  EXPECT_FALSE(with.judge(key).source) << "its peer is not known";
  key.set_kind(IpVersion::kV4, CoarseLevel::kProtocol);
  EXPECT_FALSE(every.judge(key).source || every.judge(key).destination);
  key.set_kind(IpVersion::kNone, CoarseLevel::kExact);
  EXPECT_FALSE(every.judge(key).source || every.judge(key).destination) << "no IP packet";
}

TEST(HostRules, refuse_what_is_no_rule) {
  const std::vector<std::string> bad = {"both", "nobody"};
  EXPECT_THROW(HostRules{bad}, ValueError);
}

}  // namespace
}  // namespace wiretally
