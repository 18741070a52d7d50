// SPDX-License-Identifier: Apache-2.0
// Both directions of a flow in one record (RFC 5103): who is first, what pairs, what stays alone.
#include "control/export/biflow.hpp"

#include <gtest/gtest.h>

#include <utility>

#include "control/export/message_batch.hpp"
#include "tests/control/export/decoder.hpp"
#include "tests/control/export/sample_records.hpp"

namespace wiretally::test {
namespace {

constexpr std::uint16_t kReverse = DecodedRecord::kReverse;

FlowRecord answer_to(const FlowRecord& record) {
  FlowRecord answer = record;
  std::swap(answer.key.source, answer.key.destination);
  std::swap(answer.key.source_port, answer.key.destination_port);
  answer.first += 1'000'000;
  answer.last += 1'000'000;
  answer.packets = 7;
  answer.octets = 700;
  return answer;
}

// Everything through a batch of biflows and the decoder; all flows that came out.
std::vector<DecodedRecord> pass(const std::vector<FlowRecord>& records) {
  CollectorConfig collector;
  collector.version = NetflowVersion::kIpfix;
  collector.biflow = true;
  const ExporterInfo exporter = sample_exporter();
  MessageBatch batch(make_message_encoder(collector, exporter, nullptr), nullptr, 1400, true);
  batch.announce();
  batch.add({{make_batch(records), 0, records.size()}}, 0);
  batch.release(0, true);
  std::vector<DecodedRecord> flows;
  Decoder decoder;
  while (batch.announcing() || batch.in_hand() > 0) {
    batch.build(exporter.clock(), MessageBatch::kMessagesMax, false);
    for (const auto& message : batch.messages()) {
      for (auto& flow : decoder.decode(message.octets).flows()) flows.push_back(std::move(flow));
    }
    batch.commit(batch.messages().size());
  }
  EXPECT_TRUE(decoder.errors().empty()) << decoder.errors().front();
  return flows;
}

TEST(Biflow, holds_both_directions_with_the_first_packets_sender_first) {
  const FlowRecord request = udp_ipv6();
  for (const bool answer_comes_first : {false, true}) {
    std::vector<FlowRecord> records = {request, answer_to(request)};
    if (answer_comes_first) std::swap(records[0], records[1]);
    const auto flows = pass(records);
    ASSERT_EQ(flows.size(), 1u);
    EXPECT_EQ(flows[0].number(7), request.key.source_port);
    EXPECT_EQ(flows[0].number(2), request.packets);
    EXPECT_EQ(flows[0].number(2 | kReverse), 7u);
    EXPECT_EQ(flows[0].number(1 | kReverse), 700u);
    EXPECT_EQ(flows[0].number(152 | kReverse),
              static_cast<std::uint64_t>(request.first / 1'000'000 + 1));
    EXPECT_EQ(flows[0].number(239), 1u) << "initiator";
    EXPECT_FALSE(flows[0].has(7 | kReverse)) << "the key stands once";
  }
}

TEST(Biflow, begins_at_the_side_with_the_only_syn_whatever_came_first) {
  FlowRecord client = tcp_ipv4();
  client.tcp_flags = 0x02;
  FlowRecord server = answer_to(client);
  server.tcp_flags = 0x10;
  server.first = client.first - 5'000'000;
  const auto flows = pass({server, client});
  ASSERT_EQ(flows.size(), 1u);
  EXPECT_EQ(flows[0].number(7), client.key.source_port);
  EXPECT_EQ(flows[0].number(239), 1u);
}

TEST(Biflow, says_so_when_nothing_tells_who_began) {
  const FlowRecord one = udp_ipv6();
  FlowRecord other = answer_to(one);
  other.first = one.first;
  const auto flows = pass({one, other});
  ASSERT_EQ(flows.size(), 1u);
  EXPECT_EQ(flows[0].number(239), 0u) << "arbitrary";
}

TEST(Biflow, pairs_echo_request_and_reply) {
  const FlowRecord request = icmp_echo();
  FlowRecord reply = request;
  std::swap(reply.key.source, reply.key.destination);
  reply.key.destination_port = 0;
  reply.first += 1000;
  const auto flows = pass({request, reply});
  ASSERT_EQ(flows.size(), 1u);
  EXPECT_EQ(flows[0].number(32), 8u * 256);
  EXPECT_EQ(flows[0].number(11), 8u * 256);
  EXPECT_EQ(flows[0].number(32 | kReverse), 0u);
}

TEST(Biflow, leaves_what_nothing_answers_and_coarse_rows_uniflows) {
  const auto flows = pass({tcp_ipv4(), udp_ipv6(), coarse(CoarseLevel::kNoPorts)});
  ASSERT_EQ(flows.size(), 3u);
  for (const DecodedRecord& flow : flows) EXPECT_FALSE(flow.has(239));
}

TEST(BiflowMatcher, releases_a_record_when_its_time_is_over_and_keeps_the_initiator) {
  BiflowMatcher matcher;
  FlowRecord first = tcp_ipv4();
  first.end_reason = FlowEndReason::kActiveTimeout;
  const auto one = make_batch(std::vector<FlowRecord>{first});
  EXPECT_TRUE(matcher.match({{one, 0, 1}}, 100).empty());
  EXPECT_EQ(matcher.held(), 1u);
  EXPECT_EQ(matcher.due_at(), 100 + BiflowMatcher::kHoldNs);
  EXPECT_TRUE(matcher.release(100, false).empty());
  EXPECT_EQ(matcher.release(matcher.due_at(), false).size(), 1u);
  EXPECT_EQ(matcher.held(), 0u);
  EXPECT_EQ(matcher.due_at(), kNever);

  const auto both = make_batch(std::vector<FlowRecord>{first, answer_to(first)});
  auto out = matcher.match({{both, 0, 2}}, 200);
  ASSERT_EQ(out.at(0).size(), 2u);
  EXPECT_EQ(out[0].records()[0].key.source_port, first.key.source_port);
  FlowRecord later = first;
  later.first = answer_to(first).first + 1;  // the answer's part begins earlier this time
  const auto next = make_batch(std::vector<FlowRecord>{answer_to(first), later});
  out = matcher.match({{next, 0, 2}}, 300);
  EXPECT_EQ(out.at(0).records()[0].key.source_port, first.key.source_port);
}

}  // namespace
}  // namespace wiretally::test
