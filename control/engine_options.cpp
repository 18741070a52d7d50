// SPDX-License-Identifier: Apache-2.0
// See engine_options.hpp. Thread: main.
#include "control/engine_options.hpp"

#include <sched.h>

#include <algorithm>

#include "config/values.hpp"
#include "control/dump/dump_book.hpp"
#include "control/export/record_layout.hpp"
#include "control/filter/flow_filter.hpp"

namespace wiretally {
namespace {

// As many as control has cores, at most four: a shard's work is short.
int control_threads() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  sched_getaffinity(0, sizeof mask, &mask);
  return std::clamp(CPU_COUNT(&mask), 1, 4);
}

// What the statistics options tell of the metering process, as of the last tick.
MeteringStatistics metering_statistics(const StatusBoard& board) {
  MeteringStatistics statistics;
  const StatusPtr status = board.latest();
  if (status == nullptr) return statistics;
  statistics.observed_flows = status->flows.created;
  for (const PortStatus& port : status->ports) {
    for (std::size_t e = 1; e < kParseErrors; ++e) {
      if (is_metered(static_cast<ParseError>(e))) continue;
      statistics.ignored_packets += port.parse_results[e].packets;
      statistics.ignored_octets += port.parse_results[e].l2_octets;
    }
  }
  return statistics;
}

}  // namespace

// Attributes cost a line and a half a packet: they are kept if some sink or layout has use for
// them.
bool attributes_wanted(const Config& config, const std::vector<RecordSink*>& sinks) {
  bool wanted =
      config.flows.key.macs || !config.capture.own_macs.empty() ||
      std::ranges::any_of(sinks, [](const RecordSink* sink) { return sink->wants_attributes(); });
  for (std::size_t i = 0; i < config.exporting.collectors.size(); ++i) {
    wanted = wanted || attributes_wanted(config, i);
  }
  return wanted;
}

// How the frames of a flow look decides what a filter makes of it.
bool monitors_want_attributes(const Config& config) {
  return std::ranges::any_of(config.monitors, [](const MonitorConfig& monitor) {
    const bool macs = std::ranges::find(monitor.group_by, "mac") != monitor.group_by.end();
    return macs || !monitor.filter.empty();
  });
}

bool attributes_wanted(const Config& config, std::size_t number) {
  const CollectorConfig& collector = config.exporting.collectors[number];
  return collector.version >= NetflowVersion::kV9 &&
         wants_attributes(layout_choice(collector, config.flows.tunnel, config.flows.key, false));
}

WorkerOptions worker_options(const Config& config, TimeBase time_base, bool service) {
  WorkerOptions options;
  options.parse.tunnel =
      config.flows.tunnel == TunnelKey::kInner ? TunnelView::kInner : TunnelView::kOuter;
  options.time_base = time_base;
  options.stop_at_end = !service;
  options.profile = config.metrics.profile;
  options.tick = std::min<TimeNs>(config.flows.tick.count(), Worker::kRecordingTickMax);
  options.grid = dump_grid_s(config.monitors) * kNsPerSecond;
  options.join_fragments = config.flows.fragment_ports == FragmentPorts::kFirst;
  options.key_addresses = config.flows.key.addresses;
  options.key_protocol = config.flows.key.protocol;
  options.key_ports = config.flows.key.ports;
  options.key_macs = config.flows.key.macs;
  options.sampling_rate = config.capture.sampling.rate;
  options.sampling_random = config.capture.sampling.mode == SamplingMode::kRandom;
  return options;
}

MergerOptions merger_options(const Config& config, const Capture& capture, bool recording,
                             bool attributes) {
  MergerOptions options;
  options.flows = config.flows;
  options.recording = recording;
  options.attributes = attributes;
  options.threads = recording ? 1 : control_threads();
  options.ifindex = port_ifindexes(capture);
  for (const CapturePort* port : capture.ports) options.egress.push_back(port->egress());
  for (const std::string& mac : config.capture.own_macs) {
    options.own_macs.push_back(parse_mac(mac));
  }
  return options;
}

std::vector<std::uint32_t> port_ifindexes(const Capture& capture) {
  std::vector<std::uint32_t> ifindexes;
  for (const CapturePort* port : capture.ports) ifindexes.push_back(port->ifindex());
  return ifindexes;
}

std::string port_names(const Capture& capture) {
  std::string names;
  for (const CapturePort* port : capture.ports) {
    if (!names.empty()) names += ',';
    names += port->name();
  }
  return names;
}

ExporterInfo exporter_info(const Config& config, const Capture& capture, bool service,
                           const StatusBoard& board) {
  ExporterInfo info;
  info.domain_id = observation_domain_id(config.exporting.domain_id);
  info.sampling_rate = config.capture.sampling.rate;
  info.sampling_mode = config.capture.sampling.mode;
  info.tunnel_key = config.flows.tunnel;
  info.key = config.flows.key;
  info.domain_name = host_name();
  info.lossless = !service;
  info.metering = [&board] { return metering_statistics(board); };
  const auto is_egress = [](const CapturePort* port) { return port->egress(); };
  info.directions =
      !config.capture.own_macs.empty() || std::ranges::any_of(capture.ports, is_egress);
  for (const CapturePort* port : capture.ports) {
    const std::string_view name = port->name();
    const auto known = [&](const auto& each) { return each.ifindex == port->ifindex(); };
    if (std::ranges::any_of(info.interfaces, known)) continue;  // the other direction of it
    info.interfaces.push_back({port->ifindex(), std::string(name.substr(0, name.find(':'))), ""});
  }
  return info;
}

// What a collector wants to see; empty: everything.
std::function<bool(const FlowRecord&)> acceptance(const CollectorConfig& collector) {
  if (collector.filter.empty()) return {};
  auto filter = std::make_shared<const FlowFilter>(collector.filter);
  return [filter](const FlowRecord& record) { return filter->matches(record); };
}

}  // namespace wiretally
