// SPDX-License-Identifier: Apache-2.0
// See collector_settings.hpp. Thread: control.
#include "control/export/collector_settings.hpp"

#include <chrono>

#include "config/startup_error.hpp"
#include "control/export/message_encoder.hpp"

namespace wiretally {
namespace {

TimeNs system_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

[[noreturn]] void refuse(const CollectorConfig& collector, const std::string& why) {
  throw StartupError(ExitCode::kUsage, "export.collectors: " + collector.address + ": " + why);
}

}  // namespace

void check_collector(const CollectorConfig& collector) {
  if (collector.transport != Transport::kUdp && collector.version != NetflowVersion::kIpfix) {
    refuse(collector, "transport: NetFlow goes over udp; write version: 10");
  }
  if (collector.max_datagram < kDatagramMin || collector.max_datagram > kDatagramMax) {
    refuse(collector, "max_datagram: " + std::to_string(collector.max_datagram) +
                          " is not between " + std::to_string(kDatagramMin) + " and " +
                          std::to_string(kDatagramMax) + " octets");
  }
}

std::optional<SocketAddress> source_address(const CollectorConfig& collector) {
  if (collector.source.empty()) return std::nullopt;
  const auto address = numeric_address(collector.source, "0");
  if (!address) refuse(collector, "source: \"" + collector.source + "\" is not an IP address");
  return address;
}

ExporterInfo with_defaults(ExporterInfo exporter) {
  if (!exporter.clock) exporter.clock = system_now;
  if (exporter.start_time == 0) exporter.start_time = exporter.clock();
  exporter.domain_id = observation_domain_id(exporter.domain_id);
  return exporter;
}

}  // namespace wiretally
