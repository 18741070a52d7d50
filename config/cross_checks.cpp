// SPDX-License-Identifier: Apache-2.0
// Checks over several keys: sources fit the driver, names and numbers are unique, timeouts fit the
// tick, collectors make sense. Start-up and reload, on control.
#include "config/cross_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/datagram_check.hpp"
#include "config/expression_check.hpp"
#include "config/host_rule.hpp"
#include "config/network.hpp"
#include "config/quota_values.hpp"
#include "config/values.hpp"

namespace wiretally {
namespace {

std::string entry_path(std::string_view list, std::size_t index, std::string_view key) {
  return fmt::format("{}[{}].{}", list, index, key);
}

// ---- capture ----

void check_sources(const CaptureConfig& capture, Findings& findings) {
  if (findings.has_error_under("") || findings.has_error_under("capture")) return;
  const bool interfaces = !capture.interfaces.empty();
  const bool ports = !capture.dpdk.ports.empty();
  const bool files = !capture.files.empty();
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

// The same value in two entries of one list.
template <class List, class Member>
void check_unique(const List& list, Member member, std::string_view list_path, std::string_view key,
                  std::string_view cure, Findings& findings) {
  if (findings.has_error_under(list_path)) return;
  std::map<std::decay_t<decltype(list[0].*member)>, std::size_t> first_with;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto& value = list[i].*member;
    const auto [first, is_new] = first_with.emplace(value, i);
    if (is_new) continue;
    findings.error_at(entry_path(list_path, i, key),
                      fmt::format("`{}` is also the {} of {}[{}]; {}", value, key, list_path,
                                  first->second, cure));
  }
}

constexpr std::string_view kInterfaces = "capture.interfaces";
constexpr std::string_view kDpdkPorts = "capture.dpdk.ports";
constexpr std::string_view kCollectors = "export.collectors";

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

// ---- export ----

void check_datagram(const CollectorConfig& collector, std::size_t index, Findings& findings) {
  constexpr std::uint32_t kEthernetMax = 1472;  // 1500 less the IPv4 and UDP headers
  if (collector.transport != Transport::kUdp || collector.max_datagram <= kEthernetMax) return;
  findings.warning_at(entry_path(kCollectors, index, "max_datagram"),
                      fmt::format("{} is above {}: on Ethernet each datagram travels in fragments, "
                                  "and one lost fragment loses all of it",
                                  collector.max_datagram, kEthernetMax));
}

void check_transport(const CollectorConfig& collector, std::size_t index, Findings& findings) {
  const bool path = collector.address.starts_with('/');
  const bool file = collector.transport == Transport::kFile;
  if (path != file) {
    findings.error_at(
        entry_path(kCollectors, index, "address"),
        file ? fmt::format("{} is no file; write an absolute path, such as "
                           "/var/lib/wiretally/flows.ipfix",
                           quoted(collector.address))
             : fmt::format("{} is a path; it needs transport: file", quoted(collector.address)));
  }
  if (collector.transport == Transport::kUdp || collector.version == NetflowVersion::kIpfix) return;
  findings.error_at(entry_path(kCollectors, index, "transport"),
                    "NetFlow 1, 5 and 9 go over udp only; use udp, or version: 10");
}

void check_spool(const CollectorConfig& collector, std::size_t index, Findings& findings) {
  if (collector.spool.path.empty()) return;
  const std::string at = entry_path(kCollectors, index, "spool.path");
  if (collector.transport == Transport::kUdp || collector.transport == Transport::kFile) {
    return findings.error_at(at,
                             "only tcp and tls tell what has arrived; use one of them, or leave "
                             "the spool out");
  }
  if (!collector.spool.path.starts_with('/')) {
    findings.error_at(at, fmt::format("{} must begin with a /: a service has no folder of its own",
                                      quoted(collector.spool.path)));
  }
  if (collector.biflow) {
    findings.error_at(at,
                      "a spool keeps records in their order, which biflow changes; leave one of "
                      "the two out");
  }
}

// What a version's records cannot be.
void check_records(const CollectorConfig& collector, std::size_t index, Findings& findings) {
  const bool fixed =
      collector.version == NetflowVersion::kV1 || collector.version == NetflowVersion::kV5;
  if (collector.biflow && collector.version != NetflowVersion::kIpfix) {
    findings.error_at(entry_path(kCollectors, index, "biflow"),
                      "only IPFIX has records of both directions; use version: 10");
  }
  if (!fixed || collector.times == RecordTimes::kMilliseconds) return;
  findings.error_at(entry_path(kCollectors, index, "times"),
                    "a NetFlow 1 or 5 record is always the same; use version: 9 or 10");
}

void check_source(const CollectorConfig& collector, std::size_t index, Findings& findings) {
  if (collector.source.empty() || collector.address.empty()) return;
  const bool source_is_v6 = is_ipv6(collector.source);
  bool mixed = false;
  try {
    const Endpoint endpoint = parse_endpoint(collector.address);
    mixed = source_is_v6 ? endpoint.v4_literal : endpoint.v6_literal;
  } catch (const ValueError&) {
    return;  // already told
  }
  if (!mixed) return;
  findings.error_at(entry_path(kCollectors, index, "source"),
                    fmt::format("{} cannot send to {}: one is IPv4, the other IPv6",
                                quoted(collector.source), quoted(collector.address)));
}

// RFC 7011 section 8 gives an element that stands twice a meaning for addresses only.
void check_repeated_fields(const CollectorConfig& collector, const std::string& at,
                           Findings& findings) {
  for (auto field = collector.fields.begin(); field != collector.fields.end(); ++field) {
    const bool first = std::find(collector.fields.begin(), field, *field) == field;
    const bool ip_address = field->ends_with("v4Address") || field->ends_with("v6Address");
    if (first || ip_address) continue;
    findings.error_at(at, fmt::format("`{}` is in the list twice; only an IP address may be, for "
                                      "the two headers of a tunnel",
                                      *field));
  }
}

void check_layout(const CollectorConfig& collector, std::size_t index, Findings& findings) {
  const bool named = collector.layout != RecordLayout::kBasic;
  const std::string at =
      entry_path(kCollectors, index, collector.fields.empty() ? "layout" : "fields");
  if (collector.fields.empty() && !named) return;
  if (collector.version == NetflowVersion::kV1 || collector.version == NetflowVersion::kV5) {
    return findings.error_at(at,
                             "a NetFlow 1 or 5 record is always the same; use version: 9 or 10");
  }
  if (collector.fields.empty()) return;
  if (named) return findings.error_at(at, "is instead of a layout; leave one of the two out");
  if (std::ranges::find(collector.fields, "packetDeltaCount") == collector.fields.end()) {
    return findings.error_at(
        at, "must hold packetDeltaCount: it is the one element that every record has");
  }
  check_repeated_fields(collector, at, findings);
}

// Two links cannot share a folder.
void check_spools_apart(const ExportConfig& exporting, Findings& findings) {
  std::map<std::string, std::size_t> first_with;
  for (std::size_t i = 0; i < exporting.collectors.size(); ++i) {
    const std::string& path = exporting.collectors[i].spool.path;
    if (path.empty()) continue;
    const auto [first, is_new] = first_with.emplace(path, i);
    if (is_new) continue;
    findings.error_at(entry_path(kCollectors, i, "spool.path"),
                      fmt::format("{} is also the spool of {}[{}]; give each its own", quoted(path),
                                  kCollectors, first->second));
  }
}

// A Template that fits no message would never be announced.
void check_message_size(const Config& config, Findings& findings) {
  for (std::size_t i = 0; i < config.exporting.collectors.size(); ++i) {
    const CollectorConfig& collector = config.exporting.collectors[i];
    if (findings.has_error_under(fmt::format("{}[{}]", kCollectors, i))) continue;
    const std::size_t needed = datagram_needed(config, i);
    if (needed <= collector.max_datagram) continue;
    findings.error_at(entry_path(kCollectors, i, "max_datagram"),
                      fmt::format("{} octets do not hold this collector's templates; write at "
                                  "least {}, or fewer fields",
                                  collector.max_datagram, needed));
  }
}

void check_collectors(const ExportConfig& exporting, Findings& findings) {
  check_spools_apart(exporting, findings);
  std::map<std::string, std::size_t> first_with;
  for (std::size_t i = 0; i < exporting.collectors.size(); ++i) {
    const CollectorConfig& collector = exporting.collectors[i];
    if (findings.has_error_under(fmt::format("{}[{}]", kCollectors, i))) continue;
    check_datagram(collector, i, findings);
    check_transport(collector, i, findings);
    check_spool(collector, i, findings);
    check_records(collector, i, findings);
    check_source(collector, i, findings);
    check_layout(collector, i, findings);
    if (collector.address.empty()) continue;
    const auto [first, is_new] = first_with.emplace(collector.address, i);
    if (is_new) continue;
    findings.warning_at(entry_path(kCollectors, i, "address"),
                        fmt::format("{} is also the address of {}[{}]: it gets every record twice",
                                    quoted(collector.address), kCollectors, first->second));
  }
}

// ---- filters ----

void check_filter(const std::string& expression, ExpressionUse use, const std::string& path,
                  Findings& findings) {
  if (expression.empty() || findings.has_error_under(path)) return;
  const ExpressionVerdict verdict = judge_expression(expression, use);
  if (!verdict.error.empty()) findings.error_at(path, verdict.error);
  if (!verdict.note.empty()) findings.warning_at(path, verdict.note);
}

void check_local(const MonitorConfig& monitor, const std::string& path, Findings& findings) {
  if (findings.has_error_under(path)) return;
  for (const std::string& network : monitor.local) {
    try {
      (void)parse_network(network);
    } catch (const ValueError& error) {
      findings.error_at(path, error.what());
    }
  }
}

void check_quota(const QuotaConfig& quota, const std::string& path, Findings& findings) {
  if (findings.has_error_under(path)) return;
  const auto check = [&](const char* key, const auto& parse, const std::string& text) {
    try {
      (void)parse(text);
    } catch (const ValueError& error) {
      findings.error_at(fmt::format("{}.{}", path, key), error.what());
    }
  };
  check("warn", parse_percent, quota.warn);
  if (!quota.octets.empty()) return check("octets", parse_traffic, quota.octets);
  const QuotaConfig none;
  const bool said = quota.per != none.per || quota.starts != none.starts ||
                    quota.warn != none.warn || quota.command != none.command;
  if (said) {
    findings.error_at(path, "has no octets; write for example quota: {octets: 3GB, per: month}");
  }
}

void check_filters(const Config& config, Findings& findings) {
  check_filter(config.capture.filter, ExpressionUse::kPackets, "capture.filter", findings);
  for (std::size_t i = 0; i < config.exporting.collectors.size(); ++i) {
    check_filter(config.exporting.collectors[i].filter, ExpressionUse::kFlows,
                 entry_path(kCollectors, i, "filter"), findings);
  }
  for (std::size_t i = 0; i < config.monitors.size(); ++i) {
    check_filter(config.monitors[i].filter, ExpressionUse::kFlows,
                 entry_path("monitors", i, "filter"), findings);
    check_quota(config.monitors[i].quota, entry_path("monitors", i, "quota"), findings);
    check_local(config.monitors[i], entry_path("monitors", i, "local"), findings);
  }
}

void check_top(const Config& config, Findings& findings) {
  const bool grouped = std::ranges::any_of(
      config.monitors, [](const MonitorConfig& monitor) { return !monitor.group_by.empty(); });
  if (config.metrics.top == 0 || grouped || findings.has_error_under("monitors")) return;
  findings.warning_at("metrics.top",
                      "shows the groups of monitors, and there is none with group_by; write for "
                      "example monitors: [{name: hosts, group_by: [host]}]");
}

void check_key(const Config& config, Findings& findings) {
  const KeyConfig& key = config.flows.key;
  const bool asks = std::ranges::any_of(config.monitors, [](const MonitorConfig& monitor) {
    return !monitor.filter.empty() || !monitor.group_by.empty();
  });
  if (!asks || (key.addresses && key.protocol && key.ports)) return;
  findings.warning_at("flows.key",
                      "monitors see of a flow what its key has: to filters and groups, protocol, "
                      "ports or addresses that it leaves out are 0");
}

// ---- dumps ----

void check_rules(const MonitorConfig& monitor, std::size_t index, Findings& findings) {
  for (std::size_t rule = 0; rule < monitor.rules.size(); ++rule) {
    try {
      (void)parse_host_rule(monitor.rules[rule]);
    } catch (const ValueError& error) {
      findings.error_at(fmt::format("monitors[{}].rules[{}]", index, rule), error.what());
    }
  }
}

void check_dump_times(const DumpConfig& dump, std::size_t index, Findings& findings) {
  const auto at = [index](std::string_view key) { return entry_path("monitors", index, key); };
  for (const auto& [key, value] : {std::pair{"dump.every", dump.every},
                                   {"dump.after", dump.after},
                                   {"dump.clear_after", dump.clear_after}}) {
    if (value % std::chrono::seconds(1) == std::chrono::nanoseconds(0)) continue;
    findings.error_at(at(key),
                      fmt::format("{} is no whole number of seconds", format_duration(value)));
  }
  if (dump.clear == "always" || dump.clear == "never") return;
  try {
    const auto clear = parse_duration(dump.clear);
    if (clear >= dump.every && clear % dump.every == std::chrono::nanoseconds(0) &&
        dump.clear_after % dump.every == std::chrono::nanoseconds(0)) {
      return;
    }
    findings.error_at(at("dump.clear"),
                      fmt::format("counts begin anew when a dump has been written: clear ({}) and "
                                  "clear_after ({}) must be multiples of every ({})",
                                  format_duration(clear), format_duration(dump.clear_after),
                                  format_duration(dump.every)));
  } catch (const ValueError& error) {
    findings.error_at(at("dump.clear"), fmt::format("{}; or write always or never", error.what()));
  }
}

void check_dumps(const Config& config, Findings& findings) {
  for (std::size_t i = 0; i < config.monitors.size(); ++i) {
    const MonitorConfig& monitor = config.monitors[i];
    if (findings.has_error_under(fmt::format("monitors[{}]", i))) continue;
    check_rules(monitor, i, findings);
    check_dump_times(monitor.dump, i, findings);
    const bool of_hosts = monitor.group_by == std::vector<std::string>{"host"};
    if (!of_hosts && (!monitor.rules.empty() || !monitor.dump.file.empty())) {
      findings.error_at(fmt::format("monitors[{}].group_by", i),
                        "rules and dumps are of hosts; write group_by: [host]");
    }
    const std::string dump = fmt::format("monitors[{}].dump", i);
    if (!findings.is_written(dump) || findings.is_written(dump + ".file")) continue;
    findings.error_at(dump,
                      "has no file; write for example file: /var/log/wiretally/%Y-%m-%d.%H-%M");
  }
}

// Debian's civetweb, which serves it, is built without IPv6.
void check_metrics(const MetricsConfig& metrics, Findings& findings) {
  if (!metrics.listen.starts_with('[')) return;
  findings.error_at("metrics.listen",
                    fmt::format("{} is IPv6, and the metrics server listens on IPv4 only; write "
                                "127.0.0.1:PORT or 0.0.0.0:PORT",
                                quoted(metrics.listen)));
}

}  // namespace

void cross_check(const Config& config, Findings& findings) {
  check_sources(config.capture, findings);
  check_ports(config.capture, findings);
  check_directions(config.capture, findings);
  check_names(config.capture, findings);
  check_timeouts(config.flows, findings);
  check_collectors(config.exporting, findings);
  check_message_size(config, findings);
  check_metrics(config.metrics, findings);
  check_filters(config, findings);
  check_top(config, findings);
  check_key(config, findings);
  check_dumps(config, findings);
  check_unique(config.monitors, &MonitorConfig::name, "monitors", "name", "give each its own name",
               findings);
}

}  // namespace wiretally
