// SPDX-License-Identifier: Apache-2.0
// Times in other units, in v9 and IPFIX alike, over an uptime of more than 2^32 ms and steps of the
// clock; what a reduced key says of itself.
#include <gtest/gtest.h>

#include "control/export/message_encoder.hpp"
#include "tests/control/export/decoder.hpp"
#include "tests/control/export/sample_records.hpp"

namespace wiretally::test {
namespace {

struct Passed {
  DecodedMessage message;
  DecodedRecord flow;
};

Passed pass(const CollectorConfig& collector, const ExporterInfo& exporter, TimeNs now,
            const FlowRecord& record) {
  const auto encoder = make_message_encoder(collector, exporter, nullptr);
  Octets buffer(4000);
  Decoder decoder;
  RecordTally tally;
  encoder->begin(buffer, now);
  EXPECT_EQ(encoder->add_announcements(0), encoder->announcements());
  EXPECT_EQ(encoder->add_records({&record, 1}, tally), 1u);
  Passed passed;
  passed.message = decoder.decode(std::span(buffer).first(encoder->finish()));
  EXPECT_TRUE(decoder.errors().empty()) << decoder.errors().front();
  EXPECT_EQ(passed.message.flows().size(), 1u);
  passed.flow = passed.message.flows().at(0);
  return passed;
}

// RFC 7011 section 6.1.9 back to nanoseconds since 1970.
std::int64_t from_ntp(std::uint64_t value) {
  const auto seconds = static_cast<std::int64_t>(value >> 32) - 2'208'988'800;
  return seconds * 1'000'000'000 +
         static_cast<std::int64_t>((value & 0xffffffff) * 1'000'000'000 >> 32);
}

class Times : public testing::TestWithParam<NetflowVersion> {};
INSTANTIATE_TEST_SUITE_P(Versions, Times,
                         testing::Values(NetflowVersion::kV9, NetflowVersion::kIpfix),
                         [](const auto& info) {
                           return "version_" + std::to_string(static_cast<unsigned>(info.param));
                         });

TEST_P(Times, in_micro_and_nanoseconds_are_as_ntp_counts) {
  CollectorConfig collector;
  collector.version = GetParam();
  const FlowRecord record = tcp_ipv4();
  collector.times = RecordTimes::kNanoseconds;
  DecodedRecord flow = pass(collector, sample_exporter(), record.last, record).flow;
  EXPECT_NEAR(static_cast<double>(from_ntp(flow.number(156)) - record.first), 0, 2);
  EXPECT_NEAR(static_cast<double>(from_ntp(flow.number(157)) - record.last), 0, 2);
  EXPECT_FALSE(flow.has(152));
  collector.times = RecordTimes::kMicroseconds;
  flow = pass(collector, sample_exporter(), record.last, record).flow;
  EXPECT_NEAR(static_cast<double>(from_ntp(flow.number(154)) - record.first), 0, 1000);
  EXPECT_EQ(flow.number(155) & 0x7ff, 0u);
}

TEST_P(Times, of_uptime_survive_its_wrap_and_steps_of_the_clock) {
  CollectorConfig collector;
  collector.version = GetParam();
  collector.times = RecordTimes::kUptime;
  const ExporterInfo exporter = sample_exporter();
  constexpr std::int64_t kHour = 3600ll * kNsPerSecond;
  for (const std::int64_t hours : {0, 1, 596, 597, 1193, 1194, 2386, 20'000, -1}) {
    const TimeNs now = exporter.start_time + hours * kHour;
    FlowRecord record = tcp_ipv4();
    record.first = now - kHour - 123'000'000;  // the clock was set forward, or the flow is long
    record.last = now + kHour;                 // or back
    const Passed passed = pass(collector, exporter, now, record);
    const std::int64_t boot_ms =
        GetParam() == NetflowVersion::kIpfix
            ? static_cast<std::int64_t>(passed.flow.number(160))
            : std::int64_t{passed.message.unix_s} * 1000 - passed.message.uptime_ms;
    const auto first = static_cast<std::int64_t>(passed.flow.number(22));
    const auto last = static_cast<std::int64_t>(passed.flow.number(21));
    EXPECT_LE(first, last) << hours;
    EXPECT_EQ(boot_ms + first, record.first / 1'000'000) << hours;
    EXPECT_EQ(boot_ms + last, record.last / 1'000'000) << hours;
  }
}

TEST_P(Times, a_reduced_key_says_which_elements_it_holds) {
  CollectorConfig collector;
  collector.version = GetParam();
  ExporterInfo exporter = sample_exporter();
  FlowRecord record = tcp_ipv4();
  EXPECT_FALSE(pass(collector, exporter, record.last, record).flow.has(173));
  exporter.key.ports = exporter.key.protocol = false;
  record.key.source_port = record.key.destination_port = record.key.protocol = 0;
  const DecodedRecord flow = pass(collector, exporter, record.last, record).flow;
  ASSERT_TRUE(flow.has(173));
  EXPECT_EQ(flow.number(173) & 0x3, 0x3u) << "both addresses";
  EXPECT_EQ(flow.number(173) >> 2 & 0x7, 0u) << "no port, no protocol";
}

}  // namespace
}  // namespace wiretally::test
