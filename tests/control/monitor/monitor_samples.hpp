// SPDX-License-Identifier: Apache-2.0
// Packets through tables, merger and monitors, and the plain sums they are held against.
#pragma once

#include <arpa/inet.h>

#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "control/merge/merger.hpp"
#include "control/monitor/monitor_book.hpp"
#include "tests/dataplane/flow/flow_samples.hpp"

namespace wiretally::test {

inline void set_address(std::array<std::uint8_t, 16>& address, const std::string& text) {
  const bool v6 = text.find(':') != std::string::npos;
  inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), address.data() + (v6 ? 0 : 12));
}

inline FlowKey key_of(const std::string& source, const std::string& destination,
                      std::uint8_t protocol, std::uint16_t source_port,
                      std::uint16_t destination_port) {
  FlowKey key;
  set_address(key.source, source);
  set_address(key.destination, destination);
  key.protocol = protocol;
  key.source_port = source_port;
  key.destination_port = destination_port;
  const bool v6 = source.find(':') != std::string::npos;
  key.set_kind(v6 ? IpVersion::kV6 : IpVersion::kV4, CoarseLevel::kExact);
  return key;
}

inline MonitorConfig monitor_of(const std::string& name, const std::string& filter,
                                std::vector<std::string> group_by = {},
                                std::vector<std::string> local = {}) {
  MonitorConfig config;
  config.name = name;
  config.filter = filter;
  config.group_by = std::move(group_by);
  config.local = std::move(local);
  return config;
}

// A meter without sources: what is fed counts in the next tick.
class MonitoredMeter {
 public:
  explicit MonitoredMeter(const std::vector<MonitorConfig>& monitors,
                          std::uint64_t flows_max = 1'000'000)
      : merger(options_of(flows_max), hash),
        book(monitors, {11, 12}, kShards, [this](MonitorSet* set) { merger.set_monitors(set); }) {}

  void tick(const std::vector<ParsedPacket>& packets, std::size_t exact_flows = 1'000'000) {
    CountTable table(exact_flows, 2, CountTable::Memory::kLazy);
    std::vector<std::uint64_t> hashes(packets.size());
    hash.hash_all(packets, hashes.data());
    table.open(now, 0, packets.size());
    count(table, packets, hashes, hash);
    now += kNsPerSecond;
    const CountTable* tables[] = {&table};
    merger.run({tables, now, 0, ++ticks, false});
    book.end_tick(now, kNsPerSecond);
  }

  MonitorSnapshot snapshot(const std::string& name) { return book.snapshot(name).value(); }

  FlowHash hash{FlowHash::random_seed(), {}};
  Merger merger;
  MonitorBook book;
  TimeNs now = 1000 * kNsPerSecond;
  std::uint32_t ticks = 0;

 private:
  static MergerOptions options_of(std::uint64_t flows_max) {
    MergerOptions options;
    options.flows.max_flows = flows_max;
    options.threads = 2;
    options.ifindex = {11, 12};
    return options;
  }
};

inline std::map<std::string, GroupStatus> by_name(const MonitorSnapshot& snapshot) {
  std::map<std::string, GroupStatus> groups;
  for (const GroupStatus& group : snapshot.groups) groups[group.name] = group;
  return groups;
}

inline Volume sum_of(const MonitorSnapshot& snapshot) {
  Volume sum = snapshot.other.volume.total;
  for (const GroupStatus& group : snapshot.groups) sum += group.volume.total;
  return sum;
}

}  // namespace wiretally::test
