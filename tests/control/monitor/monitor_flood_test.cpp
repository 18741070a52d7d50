// SPDX-License-Identifier: Apache-2.0
// A million hosts that nobody asked for: groups, rows and memory stay bounded, sums exact.
#include <gtest/gtest.h>
#include <malloc.h>

#include "tests/control/monitor/monitor_samples.hpp"

namespace wiretally {
namespace {

std::vector<ParsedPacket> hosts_from(std::uint32_t first, std::uint32_t count) {
  std::vector<ParsedPacket> packets;
  packets.reserve(count);
  for (std::uint32_t i = first; i < first + count; ++i) {
    FlowKey key = test::key_of("10.0.0.1", "192.0.2.1", 17, 1, 53);
    const std::uint32_t mixed = i * 2654435761u;
    std::memcpy(key.source.data() + 12, &mixed, sizeof mixed);
    packets.push_back(test::packet_of(key, 40, 60));
  }
  return packets;
}

TEST(MonitorFlood, a_million_hosts_leave_groups_and_memory_as_they_were) {
  constexpr std::uint32_t kPerTick = 50'000;
  constexpr std::uint32_t kTicks = 20;
  std::vector<MonitorConfig> monitors;
  for (int i = 0; i < 4; ++i) {
    monitors.push_back(
        test::monitor_of(std::to_string(i), i % 2 == 0 ? "" : "ip", {i < 2 ? "host" : "src_host"}));
    monitors.back().max_groups = 1000;
  }
  test::MonitoredMeter meter(monitors, 20'000);
  meter.tick(hosts_from(0, kPerTick));
  (void)meter.snapshot("0");
  const std::size_t before = mallinfo2().uordblks;
  for (std::uint32_t tick = 1; tick < kTicks; ++tick) {
    meter.tick(hosts_from(tick * kPerTick, kPerTick));
  }
  const Volume all = {kTicks * kPerTick, kTicks * kPerTick * 40ull, kTicks * kPerTick * 60ull};
  for (const MonitorConfig& config : monitors) {
    const MonitorSnapshot snapshot = meter.snapshot(config.name);
    EXPECT_EQ(snapshot.whole.volume.total, all) << config.name;
    EXPECT_EQ(snapshot.groups.size(), 1000u) << config.name;
    if (config.group_by[0] == "src_host") {
      EXPECT_EQ(test::sum_of(snapshot), all) << config.name;
    }
  }
  constexpr std::size_t kSlack = 2 << 20;
  EXPECT_LT(mallinfo2().uordblks, before + kSlack);
}

}  // namespace
}  // namespace wiretally
