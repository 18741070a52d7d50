// SPDX-License-Identifier: Apache-2.0
// A Status in which every member differs from its default and from its neighbours, so that a view
// that takes the wrong one is found out; and records of every kind. Thread: any.
#pragma once

#include <arpa/inet.h>

#include <memory>
#include <string>

#include "config/startup_error.hpp"
#include "control/api/meter_view.hpp"

namespace wiretally::test {

inline void set_address(std::array<std::uint8_t, 16>& address, const std::string& text) {
  const bool v4 = text.find(':') == std::string::npos;
  inet_pton(v4 ? AF_INET : AF_INET6, text.c_str(), address.data() + (v4 ? 12 : 0));
}

// A UDP flow of 192.0.2.1:1000 > 198.51.100.2:53, 2 packets; the caller changes what matters.
inline FlowRecord sample_record() {
  FlowRecord record;
  set_address(record.key.source, "192.0.2.1");
  set_address(record.key.destination, "198.51.100.2");
  record.key.source_port = 1000;
  record.key.destination_port = 53;
  record.key.protocol = 17;
  record.key.set_kind(IpVersion::kV4, CoarseLevel::kExact);
  record.packets = 2;
  record.octets = 120;
  record.l2_octets = 148;
  record.first = 1'700'000'000'000'000'001;
  record.last = 1'700'000'000'250'000'000;
  record.ingress_ifindex = 3;
  record.tcp_flags = 0;
  record.tos = 184;
  record.end_reason = FlowEndReason::kIdleTimeout;
  return record;
}

inline FlowRecord sample_record_v6() {
  FlowRecord record = sample_record();
  record.key = {};
  set_address(record.key.source, "2001:db8::1");
  set_address(record.key.destination, "2001:db8:0:1::2");
  record.key.source_port = 443;
  record.key.destination_port = 50000;
  record.key.protocol = 6;
  record.key.set_vlan(100);
  record.key.set_kind(IpVersion::kV6, CoarseLevel::kExact);
  record.tcp_flags = 0x1b;
  record.end_reason = FlowEndReason::kEndOfFlow;
  return record;
}

inline FlowRecord sample_record_non_ip() {
  FlowRecord record = sample_record();
  record.key = {};
  record.key.destination_port = 0x88cc;
  record.key.set_kind(IpVersion::kNone, CoarseLevel::kExact);
  record.octets = 0;
  record.tos = 0;
  return record;
}

inline LedgerLine ledger_line(std::string stage, std::string subject, LedgerUnit unit,
                              LedgerTerm total, std::vector<LedgerTerm> parts) {
  return {std::move(stage), std::move(subject), unit, std::move(total), std::move(parts)};
}

inline Ledger sample_ledger() {
  Ledger ledger;
  ledger.lines = {ledger_line("port", "lab", LedgerUnit::kPackets, {"offered", 1'234'567},
                              {{"received", 1'234'500}, {"missed.nic", 67}, {"missed.no_mbuf", 0}}),
                  ledger_line("worker", "0", LedgerUnit::kPackets, {"received", 1'234'500},
                              {{"metered", 1'234'400}, {"not_metered.filtered", 100}}),
                  ledger_line("worker", "0", LedgerUnit::kL2Octets, {"received", 99'000'000},
                              {{"metered", 98'990'000}, {"not_metered.filtered", 10'000}}),
                  ledger_line("sink", "127.0.0.1:2055", LedgerUnit::kRecords, {"records", 500},
                              {{"delivered", 490}, {"queued", 7}, {"dropped.refused", 3}})};
  return ledger;
}

inline PortStatus sample_port() {
  PortStatus port;
  port.name = "lab";
  port.ifindex = 12;
  port.mode = "zero-copy";
  port.received = {1'234'500, 0, 99'000'000};
  port.missed = {{"nic", 67}, {"no_mbuf", 0}};
  port.metered = {Volume{10, 0, 600}, Volume{1'000'000, 80'000'000, 94'000'000},
                  Volume{234'390, 4'000'000, 4'389'400}};
  const auto result = [&](ParseError e) -> Volume& {
    return port.parse_results[static_cast<std::size_t>(e)];
  };
  result(ParseError::kFiltered) = {100, 0, 10'000};
  result(ParseError::kTruncatedTransport) = {5, 0, 300};
  port.coarse_packets = {0, 41, 42, 43, 44};
  return port;
}

inline Status sample_status() {
  Status status;
  status.version = "9.8.7";
  status.driver = "dpdk";
  status.driver_note = "net_af_packet";
  status.time = 1'700'000'000'123'000'000;
  status.uptime_s = 192;
  status.tick_interval_s = 1;
  status.paused = true;
  status.ports = {sample_port()};
  status.workers = {WorkerStatus{
      .id = 0,
      .core = 1,
      .table_entries = 61'000,
      .table_capacity = 786'432,
      .epochs = 191,
      .busy_ratio = 0.25,
      .phase_ns = {1'000'000'000, 2'000'000'000, 3'500'000'000, 4'000'000'000, 5'000'000}}};
  status.tick.step_ns = {1'000'000, 250'000'000, 0, 0, 500'000'000};
  status.tick.count = 191;
  status.tick.sum_s = 0.955;
  status.tick.last_s = 0.0042;
  status.tick.buckets = {1, 150, 30, 5, 2, 1, 1, 0, 1};
  status.tick.drained_entries = 7'777'777;
  status.flows.active = 61'234;
  status.flows.max = 1'000'000;
  status.flows.created = 250'000;
  status.flows.deleted = 321;
  status.flows.ended = {0, 100'000, 80'000, 8'000, 700, 66};
  status.flows.ended_by = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  status.flows.records = {
      1'700,
      {1, 12.5, 900},
      {46, 3'000, 1'000'000},
      {0, 2.5, 60},
      {{"tcp", 1'000, 20'000, 5'000'000, 3.5, 60}, {"udp", 700, 1'250, 100'000, 1.25, 30}}};
  status.sinks = {SinkAccount{.name = "127.0.0.1:2055",
                              .offered = 500,
                              .delivered = 490,
                              .queued = 7,
                              .dropped = {{"refused", 3}},
                              .datagrams = 21,
                              .send_errors = 2,
                              .state = "up"}};
  status.monitors.resize(1);
  status.monitors[0].name = "web";
  status.monitors[0].volume = {{91, 9'200, 9'300}, {50, 5'100, 5'200}, {40, 4'100, 4'101}};
  status.monitors[0].flows = 94;
  status.monitors[0].quota = {QuotaState::kWarning, 10'000, 9'200, 12'000, 0, 0};
  status.monitors[0].top = {{"192.0.2.1", {{41, 4'200, 4'250}, {}, {}}, 2},
                            {"other", {{50, 5'000, 5'050}, {}, {}}, 3}};
  status.dumps = {true, 71, 72, 73, 74, "the disk of the dumps is full"};
  status.ledger = sample_ledger();
  return status;
}

inline ActiveFlows sample_active_flows() {
  ActiveFlows flows;
  flows.flows = {ActiveFlow{sample_record(), 10, 125'000}, ActiveFlow{sample_record_v6(), 4, 6'000},
                 ActiveFlow{sample_record_non_ip(), 1, 0}};
  flows.active = 61'234;
  flows.recent_seconds = 1;
  return flows;
}

inline TopRows sample_top_rows() {
  TopRows rows;
  rows.recent_seconds = 2;
  rows.rows = {TopRow{"192.0.2.1", {10, 750'000, 0}, {100, 8'000'000, 0}, 3},
               TopRow{"other", {5, 250'000, 0}, {50, 2'000'000, 0}, 9}};
  return rows;
}

inline std::vector<MonitorSnapshot> sample_monitors() {
  MonitorSnapshot web;
  web.whole.name = "web";
  web.whole.volume = {{1'000, 500'000, 514'000}, {600, 400'000, 408'400}, {300, 80'000, 84'200}};
  web.whole.flows = 17;
  web.whole.recent = {10, 5'000, 5'140};
  web.whole.recent_s = 1;
  web.whole.peak_octets_per_s = 70'000;
  web.whole.peak_packets_per_s = 99;
  web.whole.quota = {QuotaState::kWarning, 1'000'000,    850'000, 2'000'000,
                     1'699'999'000,        1'700'999'000};
  MonitorSnapshot hosts;
  hosts.whole.name = "hosts";
  hosts.whole.grouped = true;
  hosts.whole.groups = 7;
  hosts.whole.volume.total = {70, 7'000, 7'980};
  hosts.groups = {{"192.0.2.1", {{40, 4'000, 4'560}, {1, 2, 3}, {4, 5, 6}}, 3}};
  hosts.other = {"other", {{30, 3'000, 3'420}, {}, {}}, 8};
  return {web, hosts};
}

// Answers with the samples, and remembers what it was asked.
class SampleMeter : public MeterView {
 public:
  [[nodiscard]] StatusPtr status() const override { return status_; }
  ActiveFlows active_flows(const FlowQuery& query) override {
    last_query = query;
    return sample_active_flows();
  }
  TopRows top(TopDimension dimension, std::size_t limit, const std::string& filter) override {
    last_dimension = dimension;
    last_filter = filter;
    last_limit = limit;
    return sample_top_rows();
  }
  std::vector<MonitorSnapshot> monitors(const MonitorQuery& query) override {
    last_monitors = query;
    return sample_monitors();
  }
  void request_stop(Leave last) override {
    ++stops;
    last_leave = last;
  }
  SweptFlows sweep(Leave how, const std::string& filter) override {
    last_leave = how;
    last_filter = filter;
    return {17, {18, 19, 20}};
  }
  std::size_t send_templates() override { return 3; }
  ReloadResult reload() override {
    if (!reload_error.empty()) throw StartupError(ExitCode::kUsage, reload_error);
    return {{"flows.tick"}, {"capture.filter"}, {"a warning"}};
  }
  void set_paused(bool to_pause) override { paused = to_pause; }
  FlowsConfig flows_config() override { return {}; }
  std::string log_level(const std::string& level) override {
    return level.empty() ? "info" : level;
  }

  StatusPtr status_ = std::make_shared<const Status>(sample_status());
  FlowQuery last_query;
  TopDimension last_dimension = TopDimension::kFlow;
  std::size_t last_limit = 0;
  MonitorQuery last_monitors;
  int stops = 0;
  Leave last_leave = Leave::kExport;
  std::string last_filter;
  std::string reload_error;
  bool paused = false;
};

}  // namespace wiretally::test
