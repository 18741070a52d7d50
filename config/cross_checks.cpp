// SPDX-License-Identifier: Apache-2.0
// The steps, and what concerns capture, flows and metrics: sources fit the driver, names and
// numbers are unique, timeouts fit the tick. Start-up and reload, on control.
#include "config/cross_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/section_checks.hpp"
#include "config/time_zone.hpp"
#include "config/values.hpp"

namespace wiretally {
namespace {

// ---- capture ----

void check_sources(const CaptureConfig& capture, Findings& findings) {
  if (findings.has_error_under("") || findings.has_error_under("capture")) return;
  const bool interfaces = !capture.interfaces.empty();
  const bool ports = !capture.dpdk.ports.empty();
  const bool files = !capture.files.empty();
  const bool reads = capture.driver == Driver::kPcap || (capture.driver == Driver::kAuto && !ports);
  if (files && interfaces && reads) {
    findings.warning_at("capture.files",
                        "are read, and capture.interfaces are not metered beside them; leave out "
                        "the one or the other");
  }
  switch (capture.driver) {
    case Driver::kAuto:
      if (interfaces || ports || files) return;
      return findings.error_at("capture",
                               "names nothing to meter; write for example capture: {interfaces: "
                               "[{name: eth1}]}, or dpdk: {ports: [...]}, or files: [...]");
    case Driver::kDpdk:
      if (ports) return;
      return findings.error_at("capture.dpdk.ports",
                               "driver dpdk needs a port; write for example ports: [{device: "
                               "\"0000:3b:00.0\"}] or [{device: \"net_af_packet0,iface=eth1\"}]");
    case Driver::kPcap:
      if (interfaces || files) return;
      return findings.error_at(
          "capture", "driver pcap needs interfaces: [{name: eth1}] or files: [trace.pcap]");
    case Driver::kAfXdp:
    case Driver::kEbpf:
      if (interfaces) return;
      return findings.error_at("capture.interfaces",
                               "this driver needs an interface; write interfaces: [{name: eth1}]");
  }
}

constexpr std::string_view kInterfaces = "capture.interfaces";
constexpr std::string_view kDpdkPorts = "capture.dpdk.ports";

void check_ports(const CaptureConfig& capture, Findings& findings) {
  constexpr std::string_view kNumber = "give each its own number";
  constexpr std::string_view kName = "give each its own name";
  constexpr std::string_view kOnce = "each can be metered once";
  check_unique(capture.interfaces, &InterfaceConfig::name, kInterfaces, "name", kOnce, findings);
  check_unique(capture.interfaces, &InterfaceConfig::ifindex, kInterfaces, "ifindex", kNumber,
               findings);
  check_unique(capture.dpdk.ports, &DpdkPortConfig::name, kDpdkPorts, "name", kName, findings);
  check_unique(capture.dpdk.ports, &DpdkPortConfig::device, kDpdkPorts, "device", kOnce, findings);
  check_unique(capture.dpdk.ports, &DpdkPortConfig::ifindex, kDpdkPorts, "ifindex", kNumber,
               findings);
}

// The other drivers see what an interface receives, or both without telling them apart.
void check_directions(const CaptureConfig& capture, Findings& findings) {
  if (capture.driver == Driver::kEbpf || findings.has_error_under("capture")) return;
  for (std::size_t i = 0; i < capture.interfaces.size(); ++i) {
    if (capture.interfaces[i].direction == Direction::kIngress) continue;
    findings.error_at(entry_path(kInterfaces, i, "direction"),
                      "only driver ebpf meters what is sent; write driver: ebpf, or ingress");
  }
}

void check_names(const CaptureConfig& capture, Findings& findings) {
  for (std::size_t i = 0; i < capture.interfaces.size(); ++i) {
    if (capture.interfaces[i].name.find_first_of("/ \t") == std::string::npos) continue;
    findings.error_at(entry_path(kInterfaces, i, "name"),
                      fmt::format("{} cannot be an interface: a name has no blank and no `/`",
                                  quoted(capture.interfaces[i].name)));
  }
  for (std::size_t i = 0; i < capture.dpdk.ports.size(); ++i) {
    // Every PCI address has a colon, every virtual device of DPDK an underscore.
    const std::string& device = capture.dpdk.ports[i].device;
    if (device.empty() || device.find_first_of(":_") != std::string::npos) continue;
    findings.error_at(
        entry_path(kDpdkPorts, i, "device"),
        fmt::format("{} is neither a PCI address (\"0000:3b:00.0\") nor a virtual device; "
                    "for a kernel interface write \"net_af_packet0,iface={}\"",
                    quoted(device), device));
  }
}

void check_own_macs(const CaptureConfig& capture, Findings& findings) {
  for (std::size_t i = 0; i < capture.own_macs.size(); ++i) {
    const std::string path = fmt::format("capture.own_macs[{}]", i);
    if (findings.has_error_under(path)) continue;
    try {
      (void)parse_mac(capture.own_macs[i]);
    } catch (const ValueError& error) {
      findings.error_at(path, error.what());
    }
  }
}

// ---- flows ----

void check_timeouts(const FlowsConfig& flows, Findings& findings) {
  if (findings.has_error_under("flows")) return;
  const TimeoutsConfig& t = flows.timeouts;
  const std::array<std::pair<const char*, std::chrono::nanoseconds>, 7> all = {
      {{"active", t.active},
       {"idle", t.idle},
       {"tcp", t.tcp},
       {"tcp_fin", t.tcp_fin},
       {"tcp_rst", t.tcp_rst},
       {"udp", t.udp},
       {"icmp", t.icmp}}};
  std::vector<std::pair<const char*, std::chrono::nanoseconds>> bounded(all.begin(), all.end());
  if (t.maximum_life.count() != 0) bounded.emplace_back("maximum_life", t.maximum_life);
  for (const auto& [name, value] : bounded) {
    if (value >= flows.tick) continue;
    findings.error_at(fmt::format("flows.timeouts.{}", name),
                      fmt::format("{} is shorter than the tick ({}); raise it or lower flows.tick",
                                  format_duration(value), format_duration(flows.tick)));
  }
  for (const auto& [name, value] : {all[3], all[4]}) {
    if (value <= t.tcp) continue;
    findings.warning_at(fmt::format("flows.timeouts.{}", name),
                        fmt::format("{} is longer than tcp ({}): a closed connection would stay "
                                    "longer than a silent one",
                                    format_duration(value), format_duration(t.tcp)));
  }
}

// ---- metrics ----

// Debian's civetweb, which serves it, is built without IPv6.
void check_metrics(const MetricsConfig& metrics, Findings& findings) {
  if (!metrics.listen.starts_with('[')) return;
  findings.error_at("metrics.listen",
                    fmt::format("{} is IPv6, and the metrics server listens on IPv4 only; write "
                                "127.0.0.1:PORT or 0.0.0.0:PORT",
                                quoted(metrics.listen)));
}

}  // namespace

void check_expression(const std::string& expression, ExpressionUse use, const std::string& path,
                      Findings& findings) {
  if (expression.empty() || findings.has_error_under(path)) return;
  const ExpressionVerdict verdict = judge_expression(expression, use);
  if (!verdict.error.empty()) findings.error_at(path, verdict.error);
  if (!verdict.note.empty()) findings.warning_at(path, verdict.note);
}

void check_time_zone(const std::string& name, const std::string& path, Findings& findings) {
  if (findings.has_error_under(path)) return;
  try {
    (void)parse_time_zone(name);
  } catch (const ValueError& error) {
    findings.error_at(path, error.what());
  }
}

void cross_check(const Config& config, Findings& findings) {
  check_sources(config.capture, findings);
  check_ports(config.capture, findings);
  check_directions(config.capture, findings);
  check_names(config.capture, findings);
  check_own_macs(config.capture, findings);
  check_timeouts(config.flows, findings);
  check_metrics(config.metrics, findings);
  check_expression(config.capture.filter, ExpressionUse::kPackets, "capture.filter", findings);
  check_time_zone(config.history.timezone, "history.timezone", findings);
  check_collectors(config, findings);
  check_monitors(config, findings);
}

}  // namespace wiretally
