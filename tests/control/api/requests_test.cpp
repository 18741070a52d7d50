// SPDX-License-Identifier: Apache-2.0
// Request lines to answers: what is asked of the meter, and what a wrong request is told.
#include "control/api/requests.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "control/api/json_codec.hpp"
#include "tests/control/sample_status.hpp"

namespace wiretally {
namespace {

using test::SampleMeter;

std::string error_of(const std::string& line) {
  SampleMeter meter;
  return decode_error(answer_request(line, meter));
}

TEST(Requests, answers_each_view_on_one_line) {
  SampleMeter meter;
  for (const char* command :
       {"status", "ledger", "flows", "top", "monitors", "timeouts", "expire", "delete",
        "send-templates", "reload", "pause", "resume", "log-level", "stop"}) {
    const std::string answer =
        answer_request(R"({"command":")" + std::string(command) + R"("})", meter);
    EXPECT_EQ(decode_error(answer), "") << command;
    EXPECT_EQ(answer.find('\n'), std::string::npos) << command;
  }
  EXPECT_EQ(meter.stops, 1);
}

TEST(Requests, passes_limit_and_order_of_flows_on) {
  SampleMeter meter;
  answer_request(R"({"command":"flows","args":{"limit":7,"sort":"packets"}})", meter);
  EXPECT_EQ(meter.last_query.limit, 7u);
  EXPECT_EQ(meter.last_query.order, FlowOrder::kPackets);
  answer_request(R"({"command":"flows"})", meter);
  EXPECT_EQ(meter.last_query.limit, 20u);
  EXPECT_EQ(meter.last_query.order, FlowOrder::kRecentOctets);
}

TEST(Requests, bounds_the_rows_of_an_answer) {
  SampleMeter meter;
  for (const char* limit : {"0", "99999999999"}) {
    answer_request(R"({"command":"flows","args":{"limit":)" + std::string(limit) + "}}", meter);
    EXPECT_EQ(meter.last_query.limit, kAnswerRowsMax) << limit;
  }
}

TEST(Requests, passes_the_dimension_of_top_on) {
  SampleMeter meter;
  answer_request(R"({"command":"top","args":{"by":"port","limit":3}})", meter);
  EXPECT_EQ(meter.last_dimension, TopDimension::kPort);
  EXPECT_EQ(meter.last_limit, 3u);
}

TEST(Requests, passes_names_and_limit_of_monitors_on) {
  SampleMeter meter;
  answer_request(R"({"command":"monitors","args":{"names":["web","lan"],"limit":3}})", meter);
  EXPECT_EQ(meter.last_monitors.names, (std::vector<std::string>{"web", "lan"}));
  EXPECT_EQ(meter.last_monitors.groups, 3u);
  EXPECT_NE(error_of(R"({"command":"monitors","args":{"names":"web"}})").find("a list of texts"),
            std::string::npos);
}

TEST(Requests, says_what_is_wrong_with_a_request) {
  EXPECT_NE(error_of("garbage").find("not JSON"), std::string::npos);
  EXPECT_NE(error_of("").find("not JSON"), std::string::npos);
  EXPECT_NE(error_of("[]").find("\"command\""), std::string::npos);
  EXPECT_NE(error_of(R"({"command":7})").find("\"command\""), std::string::npos);
  EXPECT_EQ(
      error_of(R"({"command":"report"})"),
      "unknown command \"report\"; there are delete, expire, flows, ledger, log-level, monitors, "
      "pause, reload, resume, send-templates, status, stop, timeouts, top");
  EXPECT_EQ(error_of(R"({"command":"flows","args":{"limit":-1}})"),
            "args.limit: a whole number, 0 for all");
  EXPECT_EQ(error_of(R"({"command":"flows","args":{"sort":"size"}})"),
            "args.sort: one of rate, packet_rate, octets, packets, first");
  EXPECT_EQ(error_of(R"({"command":"status","args":{"limit":1}})"),
            "args.limit is not known to this command");
  EXPECT_EQ(error_of(R"({"command":"status","args":[1]})"), "args: an object, {\"limit\": 20}");
}

TEST(Requests, pass_orders_on_with_what_they_are_about) {
  SampleMeter meter;
  const auto ask = [&](const std::string& line) {
    return nlohmann::json::parse(answer_request(line, meter));
  };
  const auto swept = ask(R"({"command":"expire","args":{"filter":"udp"}})");
  EXPECT_EQ(swept.at("flows"), 17);
  EXPECT_EQ(swept.at("packets"), 18);
  EXPECT_EQ(swept.at("octets"), 19);
  EXPECT_EQ(meter.last_leave, Leave::kExport);
  EXPECT_EQ(meter.last_filter, "udp");
  ask(R"({"command":"delete"})");
  EXPECT_EQ(meter.last_leave, Leave::kDelete);
  EXPECT_EQ(meter.last_filter, "");
  EXPECT_EQ(ask(R"({"command":"pause"})").at("paused"), true);
  EXPECT_TRUE(meter.paused);
  EXPECT_EQ(ask(R"({"command":"resume"})").at("paused"), false);
  EXPECT_FALSE(meter.paused);
  EXPECT_EQ(ask(R"({"command":"log-level","args":{"level":"debug"}})").at("level"), "debug");
  EXPECT_EQ(ask(R"({"command":"log-level"})").at("level"), "info");
  EXPECT_EQ(ask(R"({"command":"send-templates"})").at("collectors"), 3);
  EXPECT_EQ(ask(R"({"command":"timeouts"})").at("udp"), 30.0);
  ask(R"({"command":"flows","args":{"filter":"port 53"}})");
  EXPECT_EQ(meter.last_query.filter, "port 53");
  ask(R"({"command":"stop","args":{"export":false}})");
  EXPECT_EQ(meter.last_leave, Leave::kDelete);
}

TEST(Requests, say_what_a_reload_changed_or_why_it_did_not) {
  SampleMeter meter;
  const auto answer = nlohmann::json::parse(answer_request(R"({"command":"reload"})", meter));
  EXPECT_EQ(answer.at("changed"), nlohmann::json{"flows.tick"});
  EXPECT_EQ(answer.at("restart_needed"), nlohmann::json{"capture.filter"});
  EXPECT_EQ(answer.at("warnings"), nlohmann::json{"a warning"});
  meter.reload_error = "f.yaml:1:2: flows.tick: no";
  const std::string refused = answer_request(R"({"command":"reload"})", meter);
  EXPECT_EQ(decode_error(refused), meter.reload_error);
  EXPECT_EQ(decode_exit_code(refused), ExitCode::kUsage);
}

TEST(Requests, survives_text_that_is_not_utf8) {
  SampleMeter meter;
  const std::string answer = answer_request("{\"command\":\"\xff\xfe\"}", meter);
  EXPECT_NE(decode_error(answer), "");
}

TEST(Requests, answers_before_the_first_tick_with_words) {
  SampleMeter meter;
  meter.status_ = nullptr;
  EXPECT_EQ(decode_error(answer_request(R"({"command":"status"})", meter)),
            "the meter is starting; ask again after the first tick");
}

TEST(Requests, names_the_flows_of_top) {
  SampleMeter meter;
  const TopRows rows = decode_top_rows(answer_request(R"({"command":"top"})", meter));
  ASSERT_EQ(rows.rows.size(), 3u);
  EXPECT_EQ(rows.rows[0].name, "192.0.2.1:1000 > 198.51.100.2:53 udp");
  EXPECT_EQ(rows.rows[0].recent, (Volume{10, 125'000, 0}));
  EXPECT_EQ(rows.rows[1].name, "[2001:db8::1]:443 > [2001:db8:0:1::2]:50000 tcp");
  EXPECT_EQ(rows.rows[2].name, "ether 0x88cc");
}

}  // namespace
}  // namespace wiretally
