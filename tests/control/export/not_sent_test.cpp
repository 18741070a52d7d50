// SPDX-License-Identifier: Apache-2.0
// What the statistics tell of records that were not sent (IEs 166, 167, 168): whatever the reason,
// exactly what was offered and did not come.
#include <gtest/gtest.h>

#include <optional>

#include "control/export/collector_link.hpp"
#include "control/export/export_link.hpp"
#include "tests/control/export/sample_records.hpp"
#include "tests/control/export/test_collector.hpp"

namespace wiretally::test {
namespace {

using std::chrono::milliseconds;

// `count` records like `record`, no two of the same volume.
std::vector<FlowRecord> varied(FlowRecord record, std::uint64_t count) {
  std::vector<FlowRecord> records(count, record);
  for (std::uint64_t i = 0; i < count; ++i) {
    records[i].packets = 1 + i;
    records[i].octets = record.octets == 0 ? 0 : 1000 * i + 7;
  }
  return records;
}

RecordSum told(const DecodedRecord& statistics) {
  return {statistics.number(166), statistics.number(167), statistics.number(168)};
}

std::uint64_t dropped_sum(const SinkAccount& account) {
  std::uint64_t sum = 0;
  for (const DroppedCount& count : account.dropped) sum += count.records;
  return sum;
}

class NotSent : public testing::TestWithParam<NetflowVersion> {
 protected:
  CollectorConfig config() const {
    CollectorConfig config;
    config.address = collector_.address();
    config.version = GetParam();
    return config;
  }
  void start(const CollectorConfig& config, const ExporterInfo& exporter) {
    link_ = make_collector_link(config, exporter, nullptr);
  }
  void offer(const std::vector<FlowRecord>& records) {
    offered_ += sum_of(records);
    link_->offer(make_batch(records));
  }
  // Every record offered has come or is dropped; what came.
  RecordSum receive_rest() {
    EXPECT_TRUE(collector_.receive_until([&] {
      const SinkAccount account = link_->account();
      return account.queued == 0 && collector_.flows + dropped_sum(account) == offered_.records;
    }));
    RecordSum received;
    for (const DecodedMessage& message : collector_.messages) {
      for (const DecodedRecord& flow : message.flows()) {
        received += {1, flow.number(2), flow.number(1)};
      }
    }
    return received;
  }
  // The statistics as they are now.
  std::optional<DecodedRecord> ask_statistics() {
    const std::size_t before = collector_.messages.size();
    std::optional<DecodedRecord> statistics;
    link_->send_templates();
    EXPECT_TRUE(collector_.receive_until([&] {
      for (std::size_t i = before; i < collector_.messages.size(); ++i) {
        for (const DecodedRecord& record : collector_.messages[i].options()) {
          if (record.has(166)) statistics = record;
        }
      }
      return statistics.has_value();
    }));
    return statistics;
  }
  // `dropped`: how many at least.
  void expect_exact(std::uint64_t dropped) {
    RecordSum missing = offered_;
    missing -= receive_rest();
    EXPECT_GE(missing.records, dropped);
    const auto statistics = ask_statistics();
    ASSERT_TRUE(statistics.has_value());
    const RecordSum got = told(*statistics);
    EXPECT_EQ(got.records, missing.records);
    EXPECT_EQ(got.packets, missing.packets);
    EXPECT_EQ(got.octets, missing.octets);
    EXPECT_TRUE(collector_.errors().empty()) << collector_.errors().front();
  }

  TestCollector collector_;
  std::unique_ptr<RecordSink> link_;
  RecordSum offered_;
};

TEST_P(NotSent, is_nothing_when_everything_went_out) {
  start(config(), sample_exporter());
  offer(varied(tcp_ipv4(), 500));
  expect_exact(0);
}

TEST_P(NotSent, has_the_volume_of_what_found_no_room) {
  CollectorConfig config = this->config();
  config.rate = 20'000;
  ExporterInfo exporter = sample_exporter();
  exporter.queue_records = 1000;
  start(config, exporter);
  for (int i = 0; i < 5; ++i) offer(varied(i % 2 == 0 ? tcp_ipv4() : udp_ipv6(), 5000));
  expect_exact(20'000);
}

TEST_P(NotSent, has_the_volume_of_the_datagrams_that_came_back) {
  start(config(), sample_exporter());
  offer(varied(tcp_ipv4(), 100));
  EXPECT_EQ(receive_rest().records, 100u);
  collector_.close();
  offer(varied(udp_ipv6(), 300));  // several datagrams: the first is refused
  const auto refused = [&] { return dropped_sum(link_->account()) > 0; };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!refused() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_TRUE(refused());
  collector_.open();
  expect_exact(1);
}

TEST_P(NotSent, has_the_volume_of_what_a_filter_or_the_collector_leaves_out) {
  ExporterInfo exporter = sample_exporter();
  exporter.accepts = [](const FlowRecord& record) { return record.key.protocol != 1; };
  exporter.metering = [] { return MeteringStatistics{7, 8, 9}; };
  start(config(), exporter);
  const auto tcp = varied(tcp_ipv4(), 200);
  const auto icmp = varied(icmp_echo(), 200);
  const auto arp = varied(arp_frames(), 200);
  std::vector<FlowRecord> mixed;
  for (std::size_t i = 0; i < tcp.size(); ++i) {
    for (const auto* records : {&tcp, &icmp, &arp}) mixed.push_back((*records)[i]);
  }
  offer(mixed);
  expect_exact(400);
  RecordSum left_out = sum_of(icmp);
  left_out += sum_of(arp);
  const auto statistics = ask_statistics();
  ASSERT_TRUE(statistics.has_value());
  EXPECT_EQ(told(*statistics), left_out);
  EXPECT_EQ(statistics->number(163), 7u);
  EXPECT_EQ(statistics->number(165), 9u);
}

// A link whose end the statistics can be asked about: no thread, no collector.
class ClosedLink : public ExportLink {
 public:
  ClosedLink(const CollectorConfig& collector, const ExporterInfo& exporter)
      : ExportLink(collector, exporter, nullptr, collector.templates) {}

  // So many are in hand (of a biflow layout: held), the others wait.
  void take(std::size_t records) { batch_.add(queue_.take(records), steady_now()); }
  [[nodiscard]] std::uint64_t in_hand() const { return batch_.in_hand() + batch_.held(); }
  void end() {
    queue_.close();
    close_books(ExportDrop::kShutdown);
  }
  DecodedRecord statistics() {
    Decoder decoder;
    DecodedRecord statistics;
    batch_.announce();
    while (batch_.announcing()) {
      batch_.build_announcements(kEpoch);
      for (const auto& message : batch_.messages()) {
        for (const DecodedRecord& record : decoder.decode(message.octets).options()) {
          if (record.has(166)) statistics = record;
        }
      }
      batch_.commit(batch_.messages().size());
    }
    EXPECT_TRUE(decoder.errors().empty()) << decoder.errors().front();
    return statistics;
  }

 private:
  void run() override {}
};

TEST_P(NotSent, has_the_volume_of_what_the_end_leaves) {
  for (const bool biflow : {false, GetParam() == NetflowVersion::kIpfix}) {
    CollectorConfig config = this->config();
    config.biflow = biflow;
    ClosedLink link(config, sample_exporter());
    const auto records = varied(tcp_ipv4(), 2000);
    link.offer(make_batch(records));
    link.take(300);
    EXPECT_EQ(link.in_hand(), 300u);
    EXPECT_EQ(told(link.statistics()), RecordSum{});
    link.end();
    EXPECT_EQ(told(link.statistics()), sum_of(records));
    const auto late = varied(udp_ipv6(), 7);
    link.offer(make_batch(late));
    RecordSum all = sum_of(records);
    all += sum_of(late);
    EXPECT_EQ(told(link.statistics()), all);
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, NotSent,
                         testing::Values(NetflowVersion::kV9, NetflowVersion::kIpfix));

}  // namespace
}  // namespace wiretally::test
