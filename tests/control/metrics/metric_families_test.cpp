// SPDX-License-Identifier: Apache-2.0
// Names, labels, types and values of /metrics against the contract.
#include "control/metrics/metric_families.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <cstdio>
#include <cstdlib>
#include <set>
#include <sstream>

#include "tests/control/sample_status.hpp"

namespace wiretally {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string exposition(const Status& status) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, metric_families(status));
  return text.str();
}

void expect_line(const std::string& text, const std::string& line) {
  EXPECT_THAT("\n" + text, HasSubstr("\n" + line + "\n"));
}

TEST(Metrics, shows_every_value_under_the_contracts_name_and_labels) {
  const std::string text = exposition(test::sample_status());
  for (const char* line :
       {R"(wiretally_build_info{version="9.8.7"} 1)",
        R"(wiretally_port_info{port="lab",driver="dpdk",mode="zero-copy"} 1)",
        R"(wiretally_received_packets_total{port="lab"} 1234500)",
        R"(wiretally_received_octets_total{port="lab"} 99000000)",
        R"(wiretally_missed_packets_total{port="lab",reason="nic"} 67)",
        R"(wiretally_missed_packets_total{port="lab",reason="no_mbuf"} 0)",
        R"(wiretally_metered_packets_total{port="lab",ip_version="4"} 1000000)",
        R"(wiretally_metered_packets_total{port="lab",ip_version="6"} 234390)",
        R"(wiretally_metered_packets_total{port="lab",ip_version="none"} 10)",
        R"(wiretally_metered_octets_total{port="lab",ip_version="4"} 80000000)",
        R"(wiretally_metered_octets_total{port="lab",ip_version="6"} 4000000)",
        R"(wiretally_metered_l2_octets_total{port="lab",ip_version="none"} 600)",
        R"(wiretally_not_metered_packets_total{port="lab",reason="filtered"} 100)",
        R"(wiretally_not_metered_packets_total{port="lab",reason="truncated_ip"} 0)",
        R"(wiretally_parse_notes_total{port="lab",reason="truncated_transport"} 5)",
        R"(wiretally_coarse_packets_total{port="lab",level="no_ports"} 41)",
        R"(wiretally_coarse_packets_total{port="lab",level="destination_host"} 42)",
        R"(wiretally_coarse_packets_total{port="lab",level="source_host"} 43)",
        R"(wiretally_coarse_packets_total{port="lab",level="protocol"} 44)",
        R"(wiretally_table_entries{worker="0"} 61000)",
        R"(wiretally_table_capacity{worker="0"} 786432)",
        R"(wiretally_worker_busy_ratio{worker="0"} 0.25)",
        R"(wiretally_worker_epochs_total{worker="0"} 191)",
        R"(wiretally_worker_time_seconds_total{worker="0",phase="idle"} 1)",
        R"(wiretally_worker_time_seconds_total{worker="0",phase="parse_hash"} 3.5)",
        R"(wiretally_worker_time_seconds_total{worker="0",phase="flip"} 0.005)",
        R"(wiretally_tick_step_seconds_total{step="drain_merge"} 0.25)",
        R"(wiretally_tick_step_seconds_total{step="publish"} 0.5)",
        R"(wiretally_flows_active 61234)",
        R"(wiretally_flows_created_total 250000)",
        R"(wiretally_flows_ended_total{reason="idle_timeout"} 100000)",
        R"(wiretally_flows_ended_total{reason="lack_of_resources"} 66)",
        R"(wiretally_drain_entries_total 7777777)",
        R"(wiretally_export_records_total{collector="127.0.0.1:2055"} 490)",
        R"(wiretally_export_datagrams_total{collector="127.0.0.1:2055"} 21)",
        R"(wiretally_export_dropped_records_total{collector="127.0.0.1:2055",reason="refused"} 3)",
        R"(wiretally_export_queue_records{collector="127.0.0.1:2055"} 7)",
        R"(wiretally_sink_offered_records_total{sink="127.0.0.1:2055"} 500)",
        R"(wiretally_sink_send_errors_total{sink="127.0.0.1:2055"} 2)",
        R"(wiretally_sink_up{sink="127.0.0.1:2055"} 1)",
        R"(wiretally_monitor_packets_total{monitor="web"} 91)",
        R"(wiretally_monitor_octets_total{monitor="web"} 9200)",
        R"(wiretally_monitor_l2_octets_total{monitor="web"} 9300)",
        R"(wiretally_monitor_flows_total{monitor="web"} 94)",
        R"(wiretally_monitor_in_octets_total{monitor="web"} 5100)",
        R"(wiretally_monitor_out_octets_total{monitor="web"} 4100)",
        R"(wiretally_monitor_group_packets_total{monitor="web",group="192.0.2.1"} 41)",
        R"(wiretally_monitor_group_octets_total{monitor="web",group="192.0.2.1"} 4200)",
        R"(wiretally_monitor_group_octets_total{monitor="web",group="other"} 5000)",
        R"(wiretally_monitor_quota_octets{monitor="web"} 10000)",
        R"(wiretally_monitor_quota_used_octets{monitor="web"} 9200)",
        R"(wiretally_monitor_quota_expected_octets{monitor="web"} 12000)",
        R"(wiretally_monitor_quota_state{monitor="web"} 1)",
        R"(wiretally_ledger_imbalance_packets 0)"}) {
    expect_line(text, line);
  }
}

TEST(Metrics, shows_ticks_as_a_cumulative_histogram_of_seconds) {
  const std::string text = exposition(test::sample_status());
  for (const char* line :
       {R"(wiretally_tick_seconds_bucket{le="0.001"} 1)",
        R"(wiretally_tick_seconds_bucket{le="0.005"} 151)",
        R"(wiretally_tick_seconds_bucket{le="0.05"} 188)",
        R"(wiretally_tick_seconds_bucket{le="1"} 190)",
        R"(wiretally_tick_seconds_bucket{le="+Inf"} 191)", "wiretally_tick_seconds_count 191",
        "wiretally_tick_seconds_sum 0.955"}) {
    expect_line(text, line);
  }
}

TEST(Metrics, shows_an_imbalance_in_packets) {
  Status status = test::sample_status();
  status.ledger.lines[0].total.value += 12;
  expect_line(exposition(status), "wiretally_ledger_imbalance_packets 12");
}

TEST(Metrics, gives_counters_their_suffix_and_all_families_a_help) {
  for (const prometheus::MetricFamily& family : metric_families(test::sample_status())) {
    const bool is_counter = family.type == prometheus::MetricType::Counter;
    EXPECT_EQ(family.name.ends_with("_total"), is_counter) << family.name;
    EXPECT_FALSE(family.help.empty()) << family.name;
    EXPECT_TRUE(family.name.starts_with("wiretally_")) << family.name;
  }
}

TEST(Metrics, never_shows_two_samples_with_the_same_labels) {
  Status status = test::sample_status();
  status.ports.push_back(status.ports[0]);  // two ports of one name, two collectors of one address
  status.sinks.push_back(status.sinks[0]);
  std::set<std::string> samples;
  for (const prometheus::MetricFamily& family : metric_families(status)) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      std::string sample = family.name;
      for (const auto& label : metric.label) sample += "," + label.name + "=" + label.value;
      EXPECT_TRUE(samples.insert(sample).second) << sample;
    }
  }
  expect_line(exposition(status), R"(wiretally_received_packets_total{port="lab#2"} 1234500)");
}

TEST(Metrics, has_series_for_every_reason_from_the_start) {
  Status status;
  status.ports.resize(1);
  const std::string text = exposition(status);
  for (std::size_t e = 1; e < kParseErrors; ++e) {
    EXPECT_THAT(text, HasSubstr("reason=\"" + std::string(label(static_cast<ParseError>(e)))));
  }
  EXPECT_THAT(text, Not(HasSubstr("reason=\"\"")));
}

// promtool reads the text as Prometheus does, and knows its naming rules.
TEST(Metrics, pass_promtool) {
  ASSERT_EQ(std::system("command -v promtool >/dev/null"), 0) << "needs package prometheus";
  std::FILE* promtool = ::popen("promtool check metrics 2>&1", "w");
  ASSERT_NE(promtool, nullptr);
  const std::string text = exposition(test::sample_status());
  std::fwrite(text.data(), 1, text.size(), promtool);
  EXPECT_EQ(::pclose(promtool), 0);
}

}  // namespace
}  // namespace wiretally
