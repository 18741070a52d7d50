// SPDX-License-Identifier: Apache-2.0
// A tick with monitors, on one core: so many active flows, each with a packet a tick, so many
// monitors that all take all of them and group them by host. Milliseconds of CPU of the first tick,
// in which every flow and every group is new (filters run, groups are made), of one in which all
// flows are new and the groups are there, and of those after it: merge, settling the classes,
// settling the groups (once a history flush, or when they are asked for).
// Usage: monitor_bench [FLOWS [MONITORS [GROUPS [TICKS]]]]. Thread: one; the merger's arena has it
// alone.
#include <fmt/core.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <vector>

#include "control/merge/merger.hpp"
#include "control/monitor/monitor_book.hpp"

namespace wiretally::perf {
namespace {

struct Size {
  std::uint32_t flows = 200'000;
  std::uint32_t monitors = 50;
  std::uint32_t groups = 10'000;
  std::uint32_t ticks = 20;
};

std::vector<MonitorConfig> monitors_of(const Size& size, bool both_ends) {
  std::vector<MonitorConfig> monitors(size.monitors);
  for (std::uint32_t i = 0; i < size.monitors; ++i) {
    monitors[i].name = fmt::format("m{}", i);
    monitors[i].filter = fmt::format("ip and not port {}", 60'000 + i);  // none is another's
    monitors[i].group_by = {both_ends ? "host" : "src_host"};
    monitors[i].max_groups = size.groups;
  }
  return monitors;
}

class Bench {
 public:
  Bench(const Size& size, bool both_ends)
      : size_(size),
        merger_(options_of(size), hash_),
        book_(monitors_of(size, both_ends), {1}, kShards,
              [this](MonitorSet* set) { merger_.set_monitors(set); }),
        table_(size.flows, 1, CountTable::Memory::kPopulated) {}

  void run(const char* title) {
    std::vector<double> merged;
    std::vector<double> settled;
    std::vector<double> grouped;
    double new_ms[2] = {};
    for (std::uint32_t tick = 1; tick <= size_.ticks + 2; ++tick) {
      fill(tick, tick == 1 ? 0 : 1);
      const CountTable* tables[] = {&table_};
      const TimeNs began = cpu_time();
      merger_.run({tables, now_, 0, tick, false});
      const TimeNs after_merge = cpu_time();
      book_.end_tick(now_, kNsPerSecond);
      const TimeNs after_settle = cpu_time();
      (void)book_.snapshot("m0");
      const TimeNs after_groups = cpu_time();
      if (tick <= 2) {
        new_ms[tick - 1] = milliseconds(after_settle - began);
        continue;
      }
      merged.push_back(milliseconds(after_merge - began));
      settled.push_back(milliseconds(after_settle - after_merge));
      grouped.push_back(milliseconds(after_groups - after_settle));
    }
    fmt::print(
        "{:<10} all new {:.1f} ms; all flows new {:.1f} ms; then {:.1f} ms merge, {:.2f} ms "
        "classes, {:.1f} ms groups (medians of {})\n",
        title, new_ms[0], new_ms[1], median(merged), median(settled), median(grouped), size_.ticks);
  }

 private:
  static MergerOptions options_of(const Size& size) {
    MergerOptions options;
    options.flows.max_flows = 4 * size.flows;
    options.threads = 1;
    options.ifindex = {1};
    return options;
  }
  static TimeNs cpu_time() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * kNsPerSecond + now.tv_nsec;
  }
  static double milliseconds(TimeNs time) { return static_cast<double>(time) / 1e6; }
  static double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values.empty() ? 0 : values[values.size() / 2];
  }

  // Hosts talk to each other: flow i is between host i and another one. Flows of another `turn`
  // are others, of the same hosts.
  void fill(std::uint32_t tick, std::uint32_t turn) {
    if (table_.is_open()) table_.recycle();
    now_ += kNsPerSecond;
    table_.open(now_, 10, size_.flows);
    for (std::uint32_t i = 0; i < size_.flows; ++i) {
      ParsedPacket packet;
      packet.key.set_kind(IpVersion::kV4, CoarseLevel::kExact);
      packet.key.protocol = 6;
      packet.key.source_port = static_cast<std::uint16_t>(1024 + i / size_.groups);
      packet.key.destination_port = static_cast<std::uint16_t>(443 + turn);
      set_host(packet.key.source, i % size_.groups);
      set_host(packet.key.destination, (i * 7 + 1) % size_.groups);
      packet.octets = 1000 + tick;
      packet.wire_octets = 1014 + tick;
      const std::uint64_t hash = hash_(packet.key);
      std::uint8_t unplaced = 0;
      (void)table_.count_all({&packet, 1}, &hash, &unplaced);
    }
  }
  static void set_host(std::array<std::uint8_t, 16>& address, std::uint32_t number) {
    address[12] = 10;
    address[14] = static_cast<std::uint8_t>(number >> 8);
    address[15] = static_cast<std::uint8_t>(number);
  }

  const Size size_;
  FlowHash hash_{FlowHash::random_seed(), {}};
  Merger merger_;
  MonitorBook book_;
  CountTable table_;
  TimeNs now_ = 1'700'000'000 * kNsPerSecond;
};

std::uint32_t number(const char* text) {
  std::uint32_t value = 0;
  std::from_chars(text, text + std::strlen(text), value);
  return value;
}

int main(int argc, char** argv) {
  Size size;
  std::uint32_t* const fields[] = {&size.flows, &size.monitors, &size.groups, &size.ticks};
  for (int i = 1; i < argc && i <= 4; ++i) *fields[i - 1] = number(argv[i]);
  fmt::print("{} flows, {} monitors, {} groups each\n", size.flows, size.monitors, size.groups);
  Bench(size, false).run("src_host");
  Bench(size, true).run("host");
  return 0;
}

}  // namespace
}  // namespace wiretally::perf

int main(int argc, char** argv) {
  return wiretally::perf::main(argc, argv);
}
