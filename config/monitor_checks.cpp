// SPDX-License-Identifier: Apache-2.0
// Monitors: their names, filters, networks, quotas, rules and dumps, and who else needs them.
// Start-up and reload, on control.
#include <algorithm>
#include <utility>
#include <vector>

#include "config/host_rule.hpp"
#include "config/network.hpp"
#include "config/quota_values.hpp"
#include "config/section_checks.hpp"
#include "config/values.hpp"

namespace wiretally {
namespace {

constexpr std::string_view kMonitors = "monitors";

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

}  // namespace

void check_monitors(const Config& config, Findings& findings) {
  for (std::size_t i = 0; i < config.monitors.size(); ++i) {
    const MonitorConfig& monitor = config.monitors[i];
    check_expression(monitor.filter, ExpressionUse::kFlows, entry_path(kMonitors, i, "filter"),
                     findings);
    check_quota(monitor.quota, entry_path(kMonitors, i, "quota"), findings);
    check_time_zone(monitor.dump.timezone, entry_path(kMonitors, i, "dump.timezone"), findings);
    check_local(monitor, entry_path(kMonitors, i, "local"), findings);
  }
  check_top(config, findings);
  check_key(config, findings);
  check_dumps(config, findings);
  check_unique(config.monitors, &MonitorConfig::name, kMonitors, "name", "give each its own name",
               findings);
}

}  // namespace wiretally
