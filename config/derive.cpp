// SPDX-License-Identifier: Apache-2.0
// The rules for values left open. Start-up and reload, on control.
#include "config/derive.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wiretally {
namespace {

void derive_ports(CaptureConfig& capture) {
  for (std::size_t i = 0; i < capture.interfaces.size(); ++i) {
    InterfaceConfig& interface = capture.interfaces[i];
    if (interface.ifindex == 0) interface.ifindex = static_cast<std::uint32_t>(i + 1);
  }
  for (std::size_t i = 0; i < capture.dpdk.ports.size(); ++i) {
    DpdkPortConfig& port = capture.dpdk.ports[i];
    if (port.ifindex == 0) port.ifindex = static_cast<std::uint32_t>(i + 1);
    if (port.name.empty()) port.name = fmt::format("port{}", i);
  }
}

void derive_timeouts(FlowsConfig& flows, const Findings& findings) {
  using std::chrono::nanoseconds;
  TimeoutsConfig& t = flows.timeouts;
  const auto is_open = [&](const char* name) {
    return !findings.is_written(fmt::format("flows.timeouts.{}", name));
  };
  const auto follow = [&](const char* name, nanoseconds& value, nanoseconds limit) {
    if (is_open(name)) value = std::max(std::min(value, limit), flows.tick);
  };
  const nanoseconds idle_limit = is_open("idle") ? nanoseconds::max() : t.idle;
  follow("active", t.active, nanoseconds::max());
  follow("idle", t.idle, nanoseconds::max());
  follow("tcp", t.tcp, idle_limit);
  follow("udp", t.udp, idle_limit);
  follow("icmp", t.icmp, idle_limit);
  follow("tcp_fin", t.tcp_fin, t.tcp);
  follow("tcp_rst", t.tcp_rst, t.tcp);
}

// Rules and dumps are of hosts.
void derive_dumps(Config& config) {
  for (MonitorConfig& monitor : config.monitors) {
    const bool of_hosts = !monitor.rules.empty() || !monitor.dump.file.empty();
    if (of_hosts && monitor.group_by.empty()) monitor.group_by = {"host"};
  }
}

// A history is wanted where somebody says something about it, or counts by monitors.
void derive_history(Config& config, const Findings& findings) {
  const bool said = findings.is_written("history") || !config.monitors.empty();
  config.history.wanted = said && !config.history.path.empty();
}

}  // namespace

void derive(Config& config, const Findings& findings) {
  derive_ports(config.capture);
  derive_timeouts(config.flows, findings);
  derive_dumps(config);
  derive_history(config, findings);
}

}  // namespace wiretally
