// SPDX-License-Identifier: Apache-2.0
// Collectors: what their keys say together, and that two do not share what one needs for itself.
// Start-up and reload, on control.
#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "config/datagram_check.hpp"
#include "config/folder_name.hpp"
#include "config/section_checks.hpp"
#include "config/values.hpp"

namespace wiretally {
namespace {

constexpr std::string_view kCollectors = "export.collectors";

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
    const auto [first, is_new] = first_with.emplace(folder_name(path), i);
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

void check_each_collector(const ExportConfig& exporting, Findings& findings) {
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

}  // namespace

void check_collectors(const Config& config, Findings& findings) {
  check_each_collector(config.exporting, findings);
  check_message_size(config, findings);
  for (std::size_t i = 0; i < config.exporting.collectors.size(); ++i) {
    check_expression(config.exporting.collectors[i].filter, ExpressionUse::kFlows,
                     entry_path(kCollectors, i, "filter"), findings);
  }
}

}  // namespace wiretally
