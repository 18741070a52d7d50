// SPDX-License-Identifier: Apache-2.0
// Monitors behind tables and merger: what they count is what a plain sum over the packets says,
// whatever is grouped, bounded, cleared and reloaded in between.
#include "control/monitor/monitor_book.hpp"

#include <gtest/gtest.h>

#include "tests/control/monitor/monitor_samples.hpp"

namespace wiretally {
namespace {

using test::by_name;
using test::key_of;
using test::monitor_of;
using test::MonitoredMeter;
using test::packet_of;
using test::sum_of;

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

std::string host(unsigned network, unsigned number) {
  return "10." + std::to_string(network) + ".0." + std::to_string(number);
}

std::vector<ParsedPacket> random_traffic(std::mt19937_64& random, std::size_t count) {
  std::vector<ParsedPacket> packets;
  for (std::size_t i = 0; i < count; ++i) {
    const auto pick = [&](std::uint64_t of) { return static_cast<unsigned>(random() % of); };
    const std::uint8_t protocol = pick(3) == 0 ? kUdp : kTcp;
    const auto port = static_cast<std::uint16_t>(pick(2) == 0 ? 80 : 1000 + pick(5));
    const std::uint64_t octets = 40 + pick(1400);
    packets.push_back(packet_of(key_of(host(pick(4), pick(6)), host(pick(4), pick(6)), protocol,
                                       static_cast<std::uint16_t>(2000 + pick(3)), port),
                                octets, static_cast<std::uint32_t>(octets + 14)));
  }
  return packets;
}

Volume volume_of(const ParsedPacket& packet) {
  return {1, packet.octets, packet.wire_octets};
}

std::string text_of(const std::array<std::uint8_t, 16>& address) {
  return host(address[13], address[15]);
}

bool is_local(const std::array<std::uint8_t, 16>& address) {
  return address[13] == 1;
}

TEST(MonitorBook, tells_which_monitors_counted_the_same_packets_once) {
  MonitoredMeter meter({monitor_of("all", ""), monitor_of("web", "tcp port 80"),
                        monitor_of("udp", "udp"), monitor_of("none", "udp port 1")});
  EXPECT_TRUE(meter.book.take_overlaps().empty());
  meter.tick({packet_of(key_of(host(1, 1), host(2, 1), kTcp, 2000, 80), 100, 114)});
  EXPECT_EQ(meter.book.take_overlaps(), (Overlaps{{"all", {"web"}}, {"web", {"all"}}}));
  meter.tick({packet_of(key_of(host(1, 1), host(2, 1), kUdp, 2000, 80), 100, 114)});
  EXPECT_EQ(meter.book.take_overlaps(), (Overlaps{{"all", {"udp"}}, {"udp", {"all"}}}));
  meter.tick({packet_of(key_of(host(1, 1), host(2, 1), kUdp, 2000, 80), 100, 114)});
  EXPECT_TRUE(meter.book.take_overlaps().empty());
}

TEST(MonitorBook, counts_what_a_plain_sum_counts_tick_after_tick) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  MonitoredMeter meter({monitor_of("all", ""), monitor_of("web", "tcp port 80"),
                        monitor_of("udp", "udp"), monitor_of("to", "net 10.1.0.0/16", {"dst_host"}),
                        monitor_of("ports", "", {"protocol", "dst_port"})});
  std::map<std::string, Volume> plain;
  std::map<std::string, Volume> to;
  std::map<std::string, Volume> ports;
  for (int tick = 0; tick < 4; ++tick) {
    const auto packets = random_traffic(random, 5000);
    meter.tick(packets);
    for (const ParsedPacket& packet : packets) {
      const FlowKey& key = packet.key;
      const Volume volume = volume_of(packet);
      plain["all"] += volume;
      if (key.protocol == kTcp && key.destination_port == 80) plain["web"] += volume;
      if (key.protocol == kUdp) plain["udp"] += volume;
      ports[std::to_string(key.protocol) + " " + std::to_string(key.destination_port)] += volume;
      if (!is_local(key.source) && !is_local(key.destination)) continue;
      plain["to"] += volume;
      to[text_of(key.destination)] += volume;
    }
    for (const MonitorStatus& status : meter.book.status()) {
      if (status.name == "ports") continue;
      EXPECT_EQ(status.volume.total, plain[status.name]) << status.name;
    }
  }
  const auto expect_groups = [&](const std::string& name,
                                 const std::map<std::string, Volume>& expected) {
    const MonitorSnapshot snapshot = meter.snapshot(name);
    EXPECT_EQ(sum_of(snapshot), snapshot.whole.volume.total) << name;
    std::map<std::string, Volume> got;
    for (const auto& [group, status] : by_name(snapshot)) got[group] = status.volume.total;
    EXPECT_EQ(got, expected) << name;
  };
  expect_groups("to", to);
  expect_groups("ports", ports);
  EXPECT_EQ(meter.snapshot("all").whole.flows, meter.merger.totals().created);
}

TEST(MonitorBook, tells_in_out_and_through_by_the_local_networks) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  MonitoredMeter meter({monitor_of("edge", "", {}, {"10.1.0.0/16"}),
                        monitor_of("hosts", "", {"host"}, {"10.1.0.0/16", "2001:db8::/32"}),
                        monitor_of("everyone", "", {"host"})});
  DirectedVolume edge;
  std::map<std::string, std::pair<Volume, Volume>> hosts;  // in, out
  std::map<std::string, std::pair<Volume, Volume>> everyone;
  Volume neither;
  for (int tick = 0; tick < 3; ++tick) {
    const auto packets = random_traffic(random, 3000);
    meter.tick(packets);
    for (const ParsedPacket& packet : packets) {
      const FlowKey& key = packet.key;
      const Volume volume = volume_of(packet);
      const bool from = is_local(key.source);
      const bool to = is_local(key.destination);
      edge.total += volume;
      if (to && !from) edge.in += volume;
      if (from && !to) edge.out += volume;
      if (!from && !to) neither += volume;
      if (from) hosts[text_of(key.source)].second += volume;
      if (to) hosts[text_of(key.destination)].first += volume;
      everyone[text_of(key.source)].second += volume;
      everyone[text_of(key.destination)].first += volume;
    }
  }
  EXPECT_EQ(meter.snapshot("edge").whole.volume, edge);
  EXPECT_EQ(meter.snapshot("hosts").whole.volume, edge);
  EXPECT_EQ(meter.snapshot("hosts").other.volume.total, neither);
  EXPECT_TRUE(meter.snapshot("everyone").other.volume.total.is_zero());
  for (const auto& [name, expected] :
       {std::pair("hosts", &hosts), std::pair("everyone", &everyone)}) {
    const auto groups = by_name(meter.snapshot(name));
    EXPECT_EQ(groups.size(), expected->size()) << name;
    for (const auto& [group, volumes] : *expected) {
      ASSERT_TRUE(groups.contains(group)) << name << ": " << group;
      EXPECT_EQ(groups.at(group).volume.in, volumes.first) << group;
      EXPECT_EQ(groups.at(group).volume.out, volumes.second) << group;
    }
  }
}

TEST(MonitorBook, counts_a_flow_between_the_ends_of_one_group_once_in_and_once_out) {
  MonitoredMeter meter({monitor_of("nets", "", {"net/24"})});
  meter.tick({packet_of(key_of("192.0.2.1", "192.0.2.9", kUdp, 5, 6), 100, 114)});
  const auto groups = by_name(meter.snapshot("nets"));
  ASSERT_EQ(groups.size(), 1u);
  const GroupStatus& group = groups.at("192.0.2.0/24");
  EXPECT_EQ(group.volume.total, (Volume{1, 100, 114}));
  EXPECT_EQ(group.volume.in, group.volume.total);
  EXPECT_EQ(group.volume.out, group.volume.total);
  EXPECT_EQ(group.flows, 1u);
}

TEST(MonitorBook, keeps_at_most_max_groups_and_the_rest_exactly_in_other) {
  auto few = monitor_of("few", "", {"src_host"});
  few.max_groups = 3;
  auto many = monitor_of("many", "", {"src_host"});
  MonitoredMeter meter({few, many});
  Volume all;
  for (int tick = 0; tick < 3; ++tick) {
    std::vector<ParsedPacket> packets;
    for (unsigned i = 0; i < 50; ++i) {
      packets.push_back(packet_of(key_of(host(2, i), "192.0.2.1", kUdp, 7, 8), 100 + i, 120 + i));
      all += volume_of(packets.back());
    }
    meter.tick(packets);
  }
  const MonitorSnapshot bounded = meter.snapshot("few");
  EXPECT_EQ(bounded.groups.size(), 3u);
  EXPECT_EQ(bounded.other.flows, 47u);
  EXPECT_EQ(sum_of(bounded), all);
  for (const GroupStatus& group : bounded.groups) EXPECT_EQ(group.volume.total.packets, 3u);
  EXPECT_EQ(meter.snapshot("many").groups.size(), 50u);
  EXPECT_EQ(sum_of(meter.snapshot("many")), all);
}

// The samples and series of groups that come and go, summed.
class GroupSums {
 public:
  explicit GroupSums(MonitoredMeter& meter) : meter_(meter) {
    meter.book.expect_samples(20);
    meter.book.set_top(2);
  }
  void take() {
    std::vector<SeriesSample> samples;
    meter_.book.take_samples(samples);
    for (const SeriesSample& sample : samples) {
      if (!sample.series.group.empty()) history += sample.volume.total;
    }
    series = {};
    const std::vector<MonitorStatus> status = meter_.book.status();
    for (const GroupStatus& row : status.at(0).top) series += row.volume.total;
  }
  Volume history;
  Volume series;

 private:
  MonitoredMeter& meter_;
};

TEST(MonitorBook, lets_idle_groups_make_place_when_all_are_taken) {
  MonitorConfig hosts = monitor_of("hosts", "", {"src_host"});
  hosts.max_groups = 3;
  hosts.group_idle = std::chrono::seconds(50);
  MonitoredMeter meter({hosts});
  GroupSums sums(meter);
  Volume all;
  // Groups after packets of these hosts, `seconds` later.
  const auto groups_after = [&](TimeNs seconds, const std::vector<unsigned>& numbers) {
    std::vector<ParsedPacket> packets;
    for (const unsigned number : numbers) {
      packets.push_back(packet_of(key_of(host(2, number), "192.0.2.1", kTcp, 7, 8), 100, 120));
      all += volume_of(packets.back());
    }
    meter.now += (seconds - 1) * kNsPerSecond;
    meter.tick(packets);
    sums.take();
    EXPECT_EQ(sum_of(meter.snapshot("hosts")), all);
    EXPECT_EQ(sums.history, all);
    EXPECT_EQ(sums.series, all);
    std::vector<std::string> names;
    for (const auto& [name, group] : by_name(meter.snapshot("hosts"))) names.push_back(name);
    return names;
  };
  meter.tick({});
  EXPECT_EQ(groups_after(60, {1, 2, 3}).size(), 3u);
  EXPECT_EQ(groups_after(60, {1, 3, 4}), (std::vector{host(2, 1), host(2, 3)})) << "2 was idle";
  EXPECT_EQ(groups_after(30, {2}), (std::vector{host(2, 1), host(2, 2), host(2, 3)}))
      << "a flow goes on whose group had left";
  EXPECT_EQ(groups_after(60, {1, 2, 4}), (std::vector{host(2, 1), host(2, 2)}));
  EXPECT_EQ(groups_after(60, {1, 4}), (std::vector{host(2, 1), host(2, 4)}))
      << "a flow has a group at last";
  EXPECT_EQ(groups_after(600, {}).size(), 2u) << "there is place: they stay";
  const auto groups = by_name(meter.snapshot("hosts"));
  EXPECT_EQ(groups.at(host(2, 1)).volume.total.packets, 4u);
  EXPECT_EQ(groups.at(host(2, 4)).volume.total.packets, 1u) << "what it had before is in other";
}

TEST(MonitorBook, keeps_idle_groups_that_a_dump_will_tell) {
  MonitorConfig hosts = monitor_of("hosts", "", {"host"});
  hosts.max_groups = 2;
  hosts.dump.file = "x";
  MonitoredMeter meter({hosts});
  meter.tick({packet_of(key_of(host(2, 1), host(2, 2), kTcp, 7, 8), 100, 120)});
  meter.now += 3600 * kNsPerSecond;
  meter.tick({packet_of(key_of(host(2, 3), host(2, 4), kTcp, 7, 8), 100, 120)});
  meter.now += 3600 * kNsPerSecond;
  meter.tick({packet_of(key_of(host(2, 3), host(2, 4), kTcp, 7, 8), 100, 120)});
  EXPECT_TRUE(by_name(meter.snapshot("hosts")).contains(host(2, 1)));
  EXPECT_FALSE(by_name(meter.snapshot("hosts")).contains(host(2, 3)));
}

TEST(MonitorBook, puts_what_has_no_such_field_into_other) {
  MonitoredMeter meter({monitor_of("hosts", "", {"dst_host"}), monitor_of("macs", "", {"mac"}),
                        monitor_of("ports", "", {"port"})});
  FlowKey arp;
  arp.destination_port = 0x0806;
  meter.tick(
      {packet_of(arp, 0, 60), packet_of(key_of("10.0.0.1", "10.0.0.2", 1, 0, 2048), 84, 98)});
  EXPECT_EQ(meter.snapshot("hosts").other.volume.total, (Volume{1, 0, 60}));
  EXPECT_EQ(by_name(meter.snapshot("hosts")).at("10.0.0.2").volume.total, (Volume{1, 84, 98}));
  EXPECT_EQ(meter.snapshot("macs").other.volume.total, (Volume{2, 84, 158}));
  EXPECT_EQ(by_name(meter.snapshot("ports")).at("0").volume.total, (Volume{2, 84, 158}));
}

// Rows of an overloaded table: exact in sum, and counted where their key says something.
TEST(MonitorBook, counts_coarse_rows_by_what_they_still_know) {
  MonitoredMeter meter({monitor_of("all", ""), monitor_of("victim", "", {"dst_host"}),
                        monitor_of("hosts", "", {"host"}),
                        monitor_of("net", "dst net 10.9.0.0/16")});
  std::vector<ParsedPacket> packets;
  for (unsigned i = 0; i < 20'000; ++i) {
    FlowKey key = key_of("10.0.0.1", "10.9.0.9", kUdp, 1, 2);
    std::memcpy(key.source.data() + 12, &i, sizeof i);
    packets.push_back(packet_of(key, 40, 60));
  }
  meter.tick(packets, 1000);
  const Volume all = {20'000, 800'000, 1'200'000};
  EXPECT_EQ(meter.snapshot("all").whole.volume.total, all);
  EXPECT_EQ(sum_of(meter.snapshot("victim")), all);
  EXPECT_EQ(meter.snapshot("hosts").whole.volume.total, all);
  EXPECT_GT(by_name(meter.snapshot("victim")).at("10.9.0.9").volume.total.packets, 1000u);
  EXPECT_LE(meter.snapshot("net").whole.volume.total.packets, all.packets);
}

TEST(MonitorBook, forgets_groups_when_told_and_counts_on) {
  MonitoredMeter meter(
      {monitor_of("hosts", "", {"src_host"}), monitor_of("same", "", {"src_host"})});
  const auto packet = packet_of(key_of("10.0.0.1", "10.0.0.2", kTcp, 1, 2), 100, 114);
  const auto late = packet_of(key_of("10.0.0.7", "10.0.0.2", kTcp, 1, 2), 50, 64);
  meter.tick({packet});
  EXPECT_TRUE(meter.book.clear_groups("hosts"));
  EXPECT_FALSE(meter.book.clear_groups("host"));
  EXPECT_TRUE(meter.snapshot("hosts").groups.empty());
  meter.tick({packet, late});
  const auto groups = by_name(meter.snapshot("hosts"));
  EXPECT_EQ(groups.at("10.0.0.1").volume.total, (Volume{1, 100, 114}));
  EXPECT_EQ(groups.at("10.0.0.7").volume.total, (Volume{1, 50, 64}));
  EXPECT_EQ(by_name(meter.snapshot("same")).at("10.0.0.1").volume.total, (Volume{2, 200, 228}));
  EXPECT_EQ(meter.snapshot("hosts").whole.volume.total, (Volume{3, 250, 292}));
}

TEST(MonitorBook, keeps_what_a_reload_does_not_change) {
  Config running;
  running.monitors = {monitor_of("stays", "tcp", {"src_host"}), monitor_of("changes", "tcp"),
                      monitor_of("goes", "udp")};
  MonitoredMeter meter(running.monitors);
  const auto packet = packet_of(key_of("10.0.0.1", "10.0.0.2", kTcp, 1, 80), 100, 114);
  meter.tick({packet});
  Config next;
  next.monitors = {monitor_of("new", "tcp port 80"), monitor_of("changes", "tcp port 80"),
                   monitor_of("stays", "tcp", {"src_host"})};
  meter.book.prepare(running, next).commit(next);
  meter.tick({packet});
  EXPECT_EQ(meter.snapshot("stays").whole.volume.total.packets, 2u);
  EXPECT_EQ(meter.snapshot("stays").whole.flows, 1u);
  EXPECT_EQ(by_name(meter.snapshot("stays")).at("10.0.0.1").volume.total.packets, 2u);
  EXPECT_EQ(meter.snapshot("changes").whole.volume.total.packets, 1u);
  EXPECT_EQ(meter.snapshot("new").whole.volume.total.packets, 1u);
  EXPECT_FALSE(meter.book.snapshot("goes"));

  Config none;
  meter.book.prepare(next, none).commit(none);
  meter.tick({packet});
  EXPECT_TRUE(meter.book.status().empty());
}

TEST(MonitorBook, gives_the_history_each_count_once) {
  const std::vector<MonitorConfig> monitors = {monitor_of("hosts", "", {"src_host"})};
  MonitoredMeter meter(monitors);
  meter.book.expect_samples(20);
  const auto packet = packet_of(key_of("10.0.0.1", "10.0.0.2", kTcp, 1, 80), 100, 114);
  std::map<std::string, Volume> got;
  const auto take = [&] {
    std::vector<SeriesSample> samples;
    meter.book.take_samples(samples);
    for (const SeriesSample& sample : samples) got[sample.series.group] += sample.volume.total;
    return samples.size();
  };
  meter.tick({packet});
  EXPECT_EQ(take(), 2u);
  EXPECT_EQ(take(), 0u);
  meter.tick({packet, packet});
  meter.book.clear_groups("hosts");
  meter.tick({packet});
  Config config;
  config.monitors = monitors;
  meter.book.prepare(config, config).commit(config);
  meter.tick({packet});
  Config none;
  meter.book.prepare(config, none).commit(none);
  take();
  EXPECT_EQ(got.at(""), (Volume{5, 500, 570}));
  EXPECT_EQ(got.at("10.0.0.1"), (Volume{5, 500, 570}));
}

TEST(MonitorBook, rates_are_of_whole_ticks_and_the_peak_stays) {
  MonitoredMeter meter({monitor_of("all", "")});
  const auto packet = packet_of(key_of("10.0.0.1", "10.0.0.2", kTcp, 1, 80), 1000, 1014);
  meter.tick({});
  meter.tick({packet, packet, packet});
  meter.tick({packet});
  const MonitorStatus status = meter.book.status().at(0);
  EXPECT_EQ(status.recent, (Volume{1, 1000, 1014}));
  EXPECT_DOUBLE_EQ(status.recent_s, 1);
  EXPECT_DOUBLE_EQ(status.peak_octets_per_s, 3000);
  EXPECT_DOUBLE_EQ(status.peak_packets_per_s, 3);
}

}  // namespace
}  // namespace wiretally
