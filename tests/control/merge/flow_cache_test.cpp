// SPDX-License-Identifier: Apache-2.0
// The life of flows under a clock of the test's own: merging, timeouts, reasons, bounds.
#include "control/merge/flow_cache.hpp"

#include <gtest/gtest.h>

#include <map>

#include "dataplane/flow/flow_hash.hpp"
#include "tests/dataplane/flow/flow_samples.hpp"

namespace wiretally {
namespace {

using test::numbered_key;

constexpr TimeNs kStart = 1'700'000'000 * kNsPerSecond;
constexpr std::uint16_t kFin = 1;
constexpr std::uint16_t kRst = 4;

TimeNs at(double seconds) {
  return kStart + static_cast<TimeNs>(seconds * 1e9);
}

FlowKey tcp_key(std::uint32_t number) {
  FlowKey key = numbered_key(number);
  key.protocol = 6;
  return key;
}

class FlowCacheTest : public testing::Test {
 protected:
  explicit FlowCacheTest(std::size_t flows_max = 1000)
      : cache({.growable = false, .flows_max = flows_max}, lifecycle) {}

  void add(const FlowKey& key, double seconds, std::uint16_t flags = 0, std::uint64_t packets = 1) {
    FlowDelta delta{
        key,         packets,     100 * packets, static_cast<std::int64_t>(114 * packets),
        at(seconds), at(seconds), flags,         0};
    EXPECT_TRUE(cache.merge(delta, hash(key), tick, ended));
  }
  void pass(double seconds) {
    ++tick;
    cache.expire(at(seconds), ended);
  }
  void expect_balance() const {
    const CacheTotals& totals = cache.totals();
    EXPECT_EQ(totals.in_cache, cache.count_flows());
    Volume sum = totals.in_cache;
    sum += totals.ended;
    sum += totals.deleted;
    EXPECT_EQ(totals.merged, sum);
    Volume recorded;
    for (const FlowRecord& record : ended) {
      recorded += {record.packets, record.octets, record.l2_octets};
    }
    EXPECT_EQ(totals.ended, recorded);
  }

  TimeoutsConfig timeouts;
  Lifecycle lifecycle{timeouts};
  FlowHash hash{FlowHash::random_seed(), {}};
  FlowCache cache;
  RecordBatch ended;
  std::uint32_t tick = 1;
};

TEST_F(FlowCacheTest, adds_what_two_tables_saw_of_one_flow) {
  add(numbered_key(1), 0.5, 0, 3);
  add(numbered_key(1), 0.2, 0, 4);
  cache.end_all(ended);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].packets, 7u);
  EXPECT_EQ(ended[0].octets, 700u);
  EXPECT_EQ(ended[0].l2_octets, 798u);
  EXPECT_EQ(ended[0].first, at(0.2));
  EXPECT_EQ(ended[0].last, at(0.5));
  EXPECT_EQ(ended[0].end_reason, FlowEndReason::kForcedEnd);
  expect_balance();
}

TEST_F(FlowCacheTest, joins_a_flow_over_vlans_and_ports_unless_they_are_identity) {
  FlowKey labelled = numbered_key(1);
  labelled.set_vlan(7);
  labelled.port = PortIndex{2};
  add(labelled, 0);
  add(numbered_key(1), 1);
  EXPECT_EQ(cache.totals().flows, 1u);
  cache.end_all(ended);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].key.vlan(), 7) << "the label first seen";
  EXPECT_EQ(ended[0].key.port, PortIndex{2});

  FlowCache apart({.identity_vlan = true, .identity_ingress = true, .flows_max = 10}, lifecycle);
  const FlowHash full(FlowHash::random_seed(), {true, true});
  for (const FlowKey& key : {labelled, numbered_key(1)}) {
    EXPECT_TRUE(apart.merge({key, 1, 100, 114, at(0), at(0), 0, 0}, full(key), 1, ended));
  }
  EXPECT_EQ(apart.totals().flows, 2u);
}

TEST_F(FlowCacheTest, keeps_frames_without_ip_apart_by_vlan) {
  FlowKey arp;
  arp.destination_port = 0x0806;
  FlowKey tagged = arp;
  tagged.set_vlan(5);
  add(arp, 0);
  add(tagged, 0);
  EXPECT_EQ(cache.totals().flows, 2u);
}

TEST_F(FlowCacheTest, lets_flows_go_by_order_with_a_record_or_without) {
  for (std::uint32_t i = 0; i < 500; ++i) add(numbered_key(i), 0, 0, i + 1);
  const auto numbered_below = [](std::uint16_t number) {
    return [number](const FlowCache::Flow& flow) { return flow.identity.source_port < number; };
  };
  EXPECT_EQ(cache.sweep(numbered_below(200), Leave::kDelete, ended), 200u);
  EXPECT_TRUE(ended.empty());
  EXPECT_EQ(cache.totals().deleted_flows, 200u);
  EXPECT_EQ(cache.totals().deleted.packets, 200u * 201 / 2);
  expect_balance();
  EXPECT_EQ(cache.sweep(numbered_below(300), Leave::kExport, ended), 100u);
  ASSERT_EQ(ended.size(), 100u);
  EXPECT_EQ(ended[0].end_reason, FlowEndReason::kForcedEnd);
  EXPECT_EQ(cache.totals().flows, 200u);
  for (std::uint32_t i = 0; i < 500; ++i) add(numbered_key(i), 1);  // who left begins anew
  EXPECT_EQ(cache.totals().flows, 500u);
  EXPECT_EQ(cache.totals().created, 800u);
  cache.end_all(ended);
  expect_balance();
}

TEST_F(FlowCacheTest, takes_new_timeouts_at_once) {
  add(numbered_key(1), 0);  // udp: 30 s
  add(tcp_key(2), 0);       // 120 s, cut within 60
  pass(3);
  timeouts.udp = std::chrono::seconds(5);
  timeouts.active = std::chrono::seconds(10);
  lifecycle = Lifecycle(timeouts);
  cache.take_new_timeouts(at(3));
  pass(4);
  EXPECT_TRUE(ended.empty());
  pass(5.1);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].key, numbered_key(1));
  pass(13.1);
  ASSERT_EQ(ended.size(), 2u) << "cut by the shorter active timeout";
  EXPECT_EQ(ended[1].end_reason, FlowEndReason::kActiveTimeout);
  expect_balance();
}

struct TimeoutCase {
  const char* what;
  std::uint8_t protocol;
  std::uint16_t flags;
  double seconds;
  FlowEndReason reason;
};

TEST_F(FlowCacheTest, ends_silent_flows_by_protocol_and_tcp_state) {
  const TimeoutCase cases[] = {
      {"tcp", 6, 0x10, 120, FlowEndReason::kIdleTimeout},
      {"tcp after fin", 6, 0x10 | kFin, 5, FlowEndReason::kEndOfFlow},
      {"tcp after rst", 6, kRst, 5, FlowEndReason::kEndOfFlow},
      {"udp", 17, 0, 30, FlowEndReason::kIdleTimeout},
      {"icmp", 1, 0, 10, FlowEndReason::kIdleTimeout},
      {"icmpv6", 58, 0, 10, FlowEndReason::kIdleTimeout},
      {"gre", 47, 0, 15, FlowEndReason::kIdleTimeout},
  };
  std::uint32_t number = 0;
  for (const TimeoutCase& c : cases) {
    SCOPED_TRACE(c.what);
    FlowCache fresh({.flows_max = 10}, lifecycle);
    ended.clear();
    FlowKey key = numbered_key(++number);
    key.protocol = c.protocol;
    EXPECT_TRUE(fresh.merge({key, 1, 100, 114, at(0), at(0), c.flags, 0}, hash(key), 1, ended));
    RecordBatch cut;
    for (double s = 1; s < c.seconds; ++s) fresh.expire(at(s), cut);
    EXPECT_EQ(fresh.totals().flows, 1u) << "a second before";
    fresh.expire(at(c.seconds), cut);
    EXPECT_EQ(fresh.totals().flows, 1u) << "at the timeout itself";
    fresh.expire(at(c.seconds + 0.001), cut);
    EXPECT_EQ(fresh.totals().flows, 0u) << "just past it";
    ASSERT_FALSE(cut.empty());
    if (c.seconds < 30) {
      EXPECT_EQ(cut.back().end_reason, c.reason);
    }
  }
}

TEST_F(FlowCacheTest, ends_the_old_flow_first_when_a_packet_comes_after_the_timeout) {
  add(numbered_key(1), 0);
  add(numbered_key(1), 30);  // exactly the timeout: still the same flow
  EXPECT_TRUE(ended.empty());
  add(numbered_key(1), 60.001);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].packets, 2u);
  EXPECT_EQ(ended[0].last, at(30));
  EXPECT_EQ(ended[0].end_reason, FlowEndReason::kIdleTimeout);
  expect_balance();
}

TEST_F(FlowCacheTest, sees_a_fin_that_comes_late) {
  add(tcp_key(1), 0);
  pass(1);
  add(tcp_key(1), 2, kFin);
  pass(7.1);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].end_reason, FlowEndReason::kEndOfFlow);
}

TEST_F(FlowCacheTest, cuts_a_busy_flow_at_least_every_active_timeout) {
  for (int s = 0; s <= 600; ++s) {
    add(numbered_key(1), s);
    pass(s + 0.5);
  }
  cache.end_all(ended);
  TimeNs before = 0;
  std::uint64_t packets = 0;
  for (const FlowRecord& record : ended) {
    EXPECT_LE(record.last - record.first, 61 * kNsPerSecond);
    EXPECT_GT(record.first, before);
    before = record.last;
    packets += record.packets;
  }
  EXPECT_EQ(packets, 601u);
  EXPECT_GE(ended.size(), 10u);
  EXPECT_LE(ended.size(), 12u) << "one record an active timeout, the first one maybe earlier";
  expect_balance();
}

TEST_F(FlowCacheTest, says_nothing_of_a_flow_that_was_cut_and_fell_silent) {
  for (int s = 0; s <= 70; ++s) {
    add(tcp_key(1), s);
    pass(s + 0.5);
  }
  const std::size_t records = ended.size();
  pass(131);  // maybe a cut of what came since
  pass(400);
  EXPECT_EQ(cache.totals().flows, 0u);
  EXPECT_LE(ended.size(), records + 1);
  for (const FlowRecord& record : ended) EXPECT_GT(record.packets, 0u);
  expect_balance();
}

TEST_F(FlowCacheTest, spreads_the_cuts_of_flows_that_began_together) {
  std::map<std::int64_t, int> cuts;
  for (std::uint32_t i = 0; i < 500; ++i) add(tcp_key(i), 0, 0x10);
  for (int s = 1; s <= 60; ++s) {
    for (std::uint32_t i = 0; i < 500; ++i) add(tcp_key(i), s, 0x10);
    const std::size_t before = ended.size();
    pass(s + 0.1);
    cuts[s] = static_cast<int>(ended.size() - before);
  }
  int most = 0;
  int all = 0;
  for (const auto& [second, count] : cuts) {
    most = std::max(most, count);
    all += count;
  }
  EXPECT_GE(all, 490);
  EXPECT_LT(most, 60) << "500 cuts over 30 s are 17 a second";
}

TEST_F(FlowCacheTest, survives_time_that_jumps_and_runs_backwards) {
  add(numbered_key(1), 0);
  pass(0.5);
  add(numbered_key(2), 86'400.0 * 365);
  pass(86'400.0 * 365 + 1);
  EXPECT_EQ(cache.totals().flows, 1u) << "a year ends the first";
  add(numbered_key(3), -86'400);
  pass(-86'400 + 1);
  add(numbered_key(3), -86'400 + 2);
  add(numbered_key(2), 5);  // runs back: the same flow, its span covers both
  cache.end_all(ended);
  for (const FlowRecord& record : ended) EXPECT_LE(record.first, record.last);
  expect_balance();
}

class SmallCacheTest : public FlowCacheTest {
 protected:
  SmallCacheTest() : FlowCacheTest(100) {}
};

TEST_F(SmallCacheTest, sheds_the_idlest_flow_when_full) {
  for (std::uint32_t i = 0; i < 100; ++i) add(numbered_key(i), i * 0.1);
  pass(10);
  for (std::uint32_t i = 1; i < 100; ++i) add(numbered_key(i), 10);  // number 0 stays idle
  pass(10.1);
  EXPECT_TRUE(ended.empty());
  add(numbered_key(1000), 10.2);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].end_reason, FlowEndReason::kLackOfResources);
  EXPECT_EQ(ended[0].key, numbered_key(0));
  EXPECT_EQ(cache.totals().flows, 100u);
  expect_balance();
}

TEST_F(SmallCacheTest, keeps_exact_books_when_flooded) {
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    add(numbered_key(i), i * 0.001);
    if (i % 100 == 0) pass(i * 0.001);
  }
  EXPECT_EQ(cache.totals().flows, 100u);
  cache.end_all(ended);
  EXPECT_EQ(ended.size(), 20'000u);
  expect_balance();
}

class LargeCacheTest : public FlowCacheTest {
 protected:
  LargeCacheTest() : FlowCacheTest(20'000) {}
};

TEST_F(LargeCacheTest, sheds_a_few_of_the_idlest_at_once_when_full) {
  for (std::uint32_t i = 0; i < 20'000; ++i) add(numbered_key(i), 1);
  pass(1.1);
  for (std::uint32_t i = 40; i < 20'000; ++i) add(numbered_key(i), 2);  // 40 stay idle
  pass(2.1);
  ASSERT_TRUE(ended.empty());
  add(numbered_key(30'000), 2.2);
  EXPECT_GT(ended.size(), 1u);
  EXPECT_LE(ended.size(), 16u);
  EXPECT_EQ(cache.totals().flows, 20'001u - ended.size());
  for (std::uint32_t i = 0; i < 15; ++i) add(numbered_key(40'000 + i), 2.2);
  for (const FlowRecord& record : ended) {
    EXPECT_EQ(record.end_reason, FlowEndReason::kLackOfResources);
    EXPECT_EQ(record.last, at(1)) << "an idle one, not a busy one";
  }
  expect_balance();
}

TEST_F(FlowCacheTest, grows_for_a_recording) {
  FlowCache growing({.growable = true}, lifecycle);
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    const FlowKey key = numbered_key(i);
    EXPECT_TRUE(growing.merge({key, 1, 100, 114, at(0), at(0), 0, 0}, hash(key), 1, ended));
  }
  EXPECT_EQ(growing.totals().flows, 100'000u);
  EXPECT_TRUE(ended.empty());
  growing.end_all(ended);
  EXPECT_EQ(ended.size(), 100'000u);
}

// Random flows, flags and times against the plainest bookkeeping: sums per key.
TEST_F(SmallCacheTest, loses_nothing_under_random_use) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::map<std::uint32_t, std::uint64_t> sent;
  double now = 0;
  for (int i = 0; i < 50'000; ++i) {
    const auto flow = static_cast<std::uint32_t>(random() % 300);
    const std::uint64_t packets = 1 + random() % 9;
    add(tcp_key(flow), now - static_cast<double>(random() % 3),
        static_cast<std::uint16_t>(random() % 32), packets);
    sent[flow] += packets;
    now += static_cast<double>(random() % 100) / 100;
    if (random() % 10 == 0) pass(now);
  }
  cache.end_all(ended);
  std::map<std::uint16_t, std::uint64_t> got;
  for (const FlowRecord& record : ended) got[record.key.source_port] += record.packets;
  for (const auto& [flow, packets] : sent)
    EXPECT_EQ(got[static_cast<std::uint16_t>(flow)], packets);
  expect_balance();
}

TEST_F(FlowCacheTest, ends_a_flow_that_is_too_old_and_begins_another) {
  timeouts.maximum_life = std::chrono::seconds(100);
  lifecycle = Lifecycle(timeouts);
  for (int second = 0; second <= 250; ++second) {
    add(numbered_key(1), second);
    pass(second + 0.5);
  }
  EXPECT_EQ(cache.totals().created, 3u) << "at 0, and after 100 and 200 seconds";
  EXPECT_EQ(cache.totals().ended_by[static_cast<std::size_t>(EndCause::kMaximumLife)], 2u);
  EXPECT_GE(cache.totals().ended_by[static_cast<std::size_t>(EndCause::kActive)], 2u);
  cache.end_all(ended);
  std::uint64_t packets = 0;
  for (const FlowRecord& record : ended) packets += record.packets;
  EXPECT_EQ(packets, 251u);
  expect_balance();
}

TEST_F(FlowCacheTest, takes_a_maximum_life_given_to_flows_that_are_older) {
  timeouts.active = std::chrono::hours(1);
  lifecycle = Lifecycle(timeouts);
  for (int second = 0; second <= 20; ++second) add(numbered_key(1), second);
  timeouts.maximum_life = std::chrono::seconds(30);
  lifecycle = Lifecycle(timeouts);
  cache.take_new_timeouts(at(20));
  pass(29);
  EXPECT_TRUE(ended.empty());
  pass(30.5);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(cache.totals().flows, 0u);
  EXPECT_EQ(cache.totals().ended_by[static_cast<std::size_t>(EndCause::kMaximumLife)], 1u);
}

TEST_F(FlowCacheTest, says_which_timeout_it_was_and_how_records_were) {
  const auto with_protocol = [](std::uint32_t number, std::uint8_t protocol) {
    FlowKey key = numbered_key(number);
    key.protocol = protocol;
    return key;
  };
  add(with_protocol(1, 6), 0, 0, 10);
  add(with_protocol(2, 6), 0, kFin, 20);
  add(with_protocol(3, 6), 0, kRst);
  add(with_protocol(4, 17), 0);
  add(with_protocol(4, 17), 8, 0, 3);
  add(with_protocol(5, 1), 0);
  add(with_protocol(6, 47), 0);
  pass(1000);
  for (const EndCause cause : {EndCause::kIdle, EndCause::kTcp, EndCause::kTcpFin,
                               EndCause::kTcpRst, EndCause::kUdp, EndCause::kIcmp}) {
    EXPECT_EQ(cache.totals().ended_by[static_cast<std::size_t>(cause)], 1u)
        << static_cast<int>(cause);
  }
  const RecordStatistics& statistics = cache.statistics();
  EXPECT_EQ(statistics.packets.least, 1u);
  EXPECT_EQ(statistics.packets.most, 20u);
  EXPECT_EQ(statistics.octets.most, 2000u);
  EXPECT_EQ(statistics.nanoseconds.most, 8'000'000'000u);
  EXPECT_EQ(statistics.protocols[6].records, 3u);
  EXPECT_EQ(statistics.protocols[6].packets, 31u);
  EXPECT_EQ(statistics.protocols[17].octets, 400u);
  EXPECT_DOUBLE_EQ(statistics.protocols[17].seconds_max, 8);
  EXPECT_EQ(statistics.protocols[RecordStatistics::kNonIp].records, 0u);
}

TEST_F(FlowCacheTest, keeps_flows_of_other_mac_addresses_apart_if_they_are_identity) {
  FlowCache apart({.identity_link = true, .attributes = true, .flows_max = 100}, lifecycle);
  for (std::uint8_t round = 0; round < 4; ++round) {
    for (std::uint8_t mac = 0; mac < 20; ++mac) {
      FlowAttributes attributes;
      attributes.source_mac[5] = mac;
      attributes.ttl_min = attributes.ttl_max = 64;
      const FlowKey key = numbered_key(1);
      // One hash for all: the addresses themselves have to decide.
      EXPECT_TRUE(
          apart.merge({key, 1, 100, 114, at(round), at(round), 0, 0, &attributes}, 7, 1, ended));
    }
  }
  EXPECT_EQ(apart.totals().flows, 20u);
  apart.end_all(ended);
  ASSERT_EQ(ended.size(), 20u);
  std::map<std::uint8_t, std::uint64_t> packets;
  for (const FlowRecord& r : ended) packets[r.attributes->source_mac[5]] += r.packets;
  for (std::uint8_t mac = 0; mac < 20; ++mac) EXPECT_EQ(packets[mac], 4u);
}

class FlowAttributesInCache : public testing::Test {
 protected:
  void add(double seconds, std::uint8_t ttl, std::uint8_t mac) {
    FlowAttributes attributes;
    attributes.ttl_min = attributes.ttl_max = ttl;
    attributes.length_min = attributes.length_max = ttl;
    attributes.source_mac[0] = mac;
    const FlowKey key = numbered_key(1);
    const FlowDelta delta{key, 1, 100, 114, at(seconds), at(seconds), 0, 0, &attributes};
    EXPECT_TRUE(cache.merge(delta, hash(key), 1, ended));
  }

  TimeoutsConfig timeouts;
  Lifecycle lifecycle{timeouts};
  FlowHash hash{FlowHash::random_seed(), {}};
  FlowCache cache{{.attributes = true, .flows_max = 100}, lifecycle};
  RecordBatch ended;
};

TEST_F(FlowAttributesInCache, go_out_with_the_record_and_begin_anew_after_a_cut) {
  add(0, 64, 1);
  add(1, 50, 2);
  cache.expire(at(61), ended);  // an active cut: the flow goes on
  add(61.5, 80, 3);
  cache.end_all(ended);
  ASSERT_EQ(ended.size(), 2u);
  EXPECT_EQ(ended[0].attributes->ttl_min, 50);
  EXPECT_EQ(ended[0].attributes->ttl_max, 64);
  EXPECT_EQ(ended[0].attributes->source_mac[0], 1);
  EXPECT_EQ(ended[1].attributes->ttl_min, 80);
  EXPECT_EQ(ended[1].attributes->ttl_max, 80);
  EXPECT_EQ(ended[1].attributes->source_mac[0], 3);
}

TEST_F(FlowAttributesInCache, stay_with_their_records_when_the_batch_is_handed_on) {
  for (int i = 0; i < 100; ++i) {
    add(1000.0 * i, static_cast<std::uint8_t>(i + 1), 0);  // each gap ends the flow before
  }
  cache.end_all(ended);
  const RecordBatch moved = std::move(ended);
  ASSERT_EQ(moved.size(), 100u);
  for (std::size_t i = 0; i < moved.size(); ++i) EXPECT_EQ(moved[i].attributes->ttl_min, i + 1);
}

TEST_F(FlowCacheTest, keeps_no_attributes_unless_asked) {
  add(numbered_key(1), 0);
  cache.end_all(ended);
  EXPECT_EQ(ended.at(0).attributes, nullptr);
  EXPECT_TRUE(ended.attributes.empty());
}

}  // namespace
}  // namespace wiretally
