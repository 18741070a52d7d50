// SPDX-License-Identifier: Apache-2.0
// What the CLI decodes is what the meter encoded, field by field.
#include "control/api/json_codec.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/control/sample_status.hpp"

namespace wiretally {
namespace {

void expect_equal(const LedgerLine& a, const LedgerLine& b) {
  EXPECT_EQ(a.stage, b.stage);
  EXPECT_EQ(a.subject, b.subject);
  EXPECT_EQ(a.unit, b.unit);
  EXPECT_EQ(a.total.name, b.total.name);
  EXPECT_EQ(a.total.value, b.total.value);
  ASSERT_EQ(a.parts.size(), b.parts.size());
  for (std::size_t i = 0; i < a.parts.size(); ++i) {
    EXPECT_EQ(a.parts[i].name, b.parts[i].name);
    EXPECT_EQ(a.parts[i].value, b.parts[i].value);
  }
}

TEST(JsonCodec, brings_a_ledger_back_with_its_imbalance) {
  Ledger sent = test::sample_ledger();
  sent.lines[0].total.value += 3;
  const Ledger came = decode_ledger(encode(sent));
  ASSERT_EQ(came.lines.size(), sent.lines.size());
  for (std::size_t i = 0; i < sent.lines.size(); ++i) expect_equal(came.lines[i], sent.lines[i]);
  EXPECT_EQ(came.imbalance_packets(), 3u);
}

TEST(JsonCodec, tells_scripts_whether_the_ledger_balances) {
  Ledger ledger = test::sample_ledger();
  EXPECT_TRUE(nlohmann::json::parse(encode(ledger))["balanced"].get<bool>());
  ledger.lines[1].parts[0].value += 1;
  const auto json = nlohmann::json::parse(encode(ledger));
  EXPECT_FALSE(json["balanced"].get<bool>());
  EXPECT_EQ(json["imbalance_packets"], 1);
  EXPECT_EQ(json["lines"][1]["imbalance"], -1);
}

TEST(JsonCodec, brings_ports_back) {
  const PortStatus sent = test::sample_port();
  const Status came = decode_status(encode(test::sample_status()));
  ASSERT_EQ(came.ports.size(), 1u);
  const PortStatus& port = came.ports[0];
  EXPECT_EQ(port.name, sent.name);
  EXPECT_EQ(port.ifindex, sent.ifindex);
  EXPECT_EQ(port.mode, sent.mode);
  EXPECT_EQ(port.received, sent.received);
  EXPECT_EQ(port.metered, sent.metered);
  EXPECT_EQ(port.parse_results, sent.parse_results);
  EXPECT_EQ(port.coarse_packets, sent.coarse_packets);
  ASSERT_EQ(port.missed.size(), 2u);
  EXPECT_EQ(port.missed[0].reason, "nic");
  EXPECT_EQ(port.missed[0].packets, 67u);
}

TEST(JsonCodec, brings_the_rest_of_a_status_back) {
  const Status sent = test::sample_status();
  const Status came = decode_status(encode(sent));
  EXPECT_EQ(came.version, sent.version);
  EXPECT_EQ(came.driver, sent.driver);
  EXPECT_EQ(came.driver_note, sent.driver_note);
  EXPECT_EQ(came.time, sent.time);
  EXPECT_EQ(came.uptime_s, sent.uptime_s);
  ASSERT_EQ(came.workers.size(), 1u);
  EXPECT_EQ(came.workers[0].core, 1);
  EXPECT_EQ(came.workers[0].table_entries, 61'000u);
  EXPECT_EQ(came.workers[0].table_capacity, 786'432u);
  EXPECT_EQ(came.workers[0].epochs, 191u);
  EXPECT_EQ(came.workers[0].busy_ratio, 0.25);
  EXPECT_EQ(came.tick.buckets, sent.tick.buckets);
  EXPECT_EQ(came.tick.sum_s, sent.tick.sum_s);
  EXPECT_EQ(came.tick.drained_entries, sent.tick.drained_entries);
  EXPECT_EQ(came.tick.step_ns, sent.tick.step_ns);
  EXPECT_EQ(came.workers[0].phase_ns, sent.workers[0].phase_ns);
  EXPECT_EQ(came.flows.active, sent.flows.active);
  EXPECT_EQ(came.flows.ended, sent.flows.ended);
  ASSERT_EQ(came.sinks.size(), 1u);
  EXPECT_EQ(came.sinks[0].delivered, 490u);
  EXPECT_EQ(came.sinks[0].queued, 7u);
  ASSERT_EQ(came.sinks[0].dropped.size(), 1u);
  EXPECT_EQ(came.sinks[0].dropped[0].reason, "refused");
  EXPECT_EQ(came.sinks[0].dropped[0].records, 3u);
  EXPECT_EQ(came.sinks[0].datagrams, 21u);
  EXPECT_EQ(came.ledger.lines.size(), sent.ledger.lines.size());
}

TEST(JsonCodec, brings_flows_of_every_kind_back) {
  ActiveFlows sent = test::sample_active_flows();
  FlowRecord coarse = test::sample_record();
  coarse.key.source = {};
  coarse.key.set_kind(IpVersion::kV4, CoarseLevel::kDestinationHost);
  sent.flows.push_back({coarse, 1, 2});
  const ActiveFlows came = decode_active_flows(encode(sent));
  EXPECT_EQ(came.active, sent.active);
  EXPECT_EQ(came.recent_seconds, sent.recent_seconds);
  ASSERT_EQ(came.flows.size(), sent.flows.size());
  for (std::size_t i = 0; i < sent.flows.size(); ++i) {
    SCOPED_TRACE(i);
    const FlowRecord& a = came.flows[i].record;
    const FlowRecord& b = sent.flows[i].record;
    EXPECT_TRUE(a.key == b.key);
    EXPECT_EQ(a.end_reason, FlowEndReason{}) << "it has not ended";
    EXPECT_EQ(a.packets, b.packets);
    EXPECT_EQ(a.octets, b.octets);
    EXPECT_EQ(a.l2_octets, b.l2_octets);
    EXPECT_EQ(a.first, b.first);
    EXPECT_EQ(a.last, b.last);
    EXPECT_EQ(a.tcp_flags, b.tcp_flags);
    EXPECT_EQ(a.tos, b.tos);
    EXPECT_EQ(a.ingress_ifindex, b.ingress_ifindex);
    EXPECT_EQ(came.flows[i].recent_packets, sent.flows[i].recent_packets);
    EXPECT_EQ(came.flows[i].recent_octets, sent.flows[i].recent_octets);
  }
}

TEST(JsonCodec, encodes_no_flows_as_an_empty_list) {
  EXPECT_EQ(encode(ActiveFlows{}), R"({"active":0,"recent_seconds":0.0,"flows":[]})");
}

TEST(JsonCodec, brings_top_rows_back) {
  const TopRows came = decode_top_rows(encode(test::sample_top_rows()));
  EXPECT_EQ(came.recent_seconds, 2);
  ASSERT_EQ(came.rows.size(), 2u);
  EXPECT_EQ(came.rows[0].name, "192.0.2.1");
  EXPECT_EQ(came.rows[0].recent, (Volume{10, 750'000, 0}));
  EXPECT_EQ(came.rows[0].total, (Volume{100, 8'000'000, 0}));
  EXPECT_EQ(came.rows[1].flows, 9u);
}

void expect_equal(const DirectedVolume& a, const DirectedVolume& b) {
  EXPECT_EQ(a.total, b.total);
  EXPECT_EQ(a.in, b.in);
  EXPECT_EQ(a.out, b.out);
}

TEST(JsonCodec, brings_monitors_back) {
  const std::vector<MonitorSnapshot> sent = test::sample_monitors();
  const std::vector<MonitorSnapshot> came = decode_monitors(encode(sent));
  ASSERT_EQ(came.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const MonitorStatus& a = came[i].whole;
    const MonitorStatus& b = sent[i].whole;
    EXPECT_EQ(a.name, b.name);
    expect_equal(a.volume, b.volume);
    EXPECT_EQ(a.flows, b.flows);
    EXPECT_EQ(a.recent, b.recent);
    EXPECT_EQ(a.recent_s, b.recent_s);
    EXPECT_EQ(a.peak_octets_per_s, b.peak_octets_per_s);
    EXPECT_EQ(a.peak_packets_per_s, b.peak_packets_per_s);
    EXPECT_EQ(a.grouped, b.grouped);
    EXPECT_EQ(a.groups, b.groups);
    EXPECT_EQ(a.quota.state, b.quota.state);
    EXPECT_EQ(a.quota.limit, b.quota.limit);
    EXPECT_EQ(a.quota.used, b.quota.used);
    EXPECT_EQ(a.quota.expected, b.quota.expected);
    EXPECT_EQ(a.quota.starts_s, b.quota.starts_s);
    EXPECT_EQ(a.quota.ends_s, b.quota.ends_s);
    ASSERT_EQ(came[i].groups.size(), sent[i].groups.size());
    for (std::size_t g = 0; g < sent[i].groups.size(); ++g) {
      EXPECT_EQ(came[i].groups[g].name, sent[i].groups[g].name);
      expect_equal(came[i].groups[g].volume, sent[i].groups[g].volume);
      EXPECT_EQ(came[i].groups[g].flows, sent[i].groups[g].flows);
    }
    expect_equal(came[i].other.volume, sent[i].other.volume);
    EXPECT_EQ(came[i].other.flows, sent[i].other.flows);
  }
}

TEST(JsonCodec, passes_over_reasons_that_only_a_newer_meter_knows) {
  auto json = nlohmann::json::parse(encode(test::sample_status()));
  json["ports"][0]["parse_results"]["too_new_for_us"] = {
      {"packets", 1}, {"octets", 2}, {"l2_octets", 3}};
  EXPECT_EQ(decode_status(json.dump()).ports[0].parse_results, test::sample_port().parse_results);
}

TEST(JsonCodec, throws_on_what_is_no_such_answer) {
  EXPECT_THROW(decode_status("{}"), std::exception);
  EXPECT_THROW(decode_ledger("[]"), std::exception);
  EXPECT_THROW(decode_active_flows("not json"), std::exception);
  EXPECT_THROW(decode_top_rows(R"({"rows":[{}],"recent_seconds":1})"), std::exception);
}

// Such a number cannot be turned into a count: undefined behaviour, found by control_fuzz.
TEST(JsonCodec, takes_no_fraction_for_a_count) {
  const std::string good = encode(test::sample_ledger());
  for (const char* number : {"-9223372036854775809", "1e300", "1234567.5"}) {
    std::string text = good;
    const std::size_t at = text.find("1234567");
    ASSERT_NE(at, std::string::npos);
    text.replace(at, 7, number);
    EXPECT_THROW(decode_ledger(text), std::exception) << number;
  }
}

TEST(JsonCodec, shows_text_that_is_not_utf8_with_a_mark) {
  Status status = test::sample_status();
  status.ports[0].name = "bad\xff";
  EXPECT_EQ(decode_status(encode(status)).ports[0].name, "bad\xEF\xBF\xBD");
}

TEST(JsonCodec, keeps_an_error_apart_from_an_answer) {
  EXPECT_EQ(decode_error(encode_error("no \"such\" thing")), "no \"such\" thing");
  EXPECT_EQ(decode_error(encode(test::sample_ledger())), "");
}

}  // namespace
}  // namespace wiretally
