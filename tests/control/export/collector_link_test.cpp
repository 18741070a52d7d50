// SPDX-License-Identifier: Apache-2.0
// A link against a UDP socket on loopback: up, down, back, slow, flooded; after every case the
// books balance and say where each record went.
#include "control/export/collector_link.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "config/startup_error.hpp"
#include "tests/control/export/sample_records.hpp"
#include "tests/control/export/test_collector.hpp"

namespace wiretally::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

std::uint64_t dropped(const SinkAccount& account, std::string_view reason) {
  for (const DroppedCount& count : account.dropped) {
    if (count.reason == reason) return count.records;
  }
  ADD_FAILURE() << "no reason " << reason;
  return 0;
}

std::uint64_t dropped_sum(const SinkAccount& account) {
  std::uint64_t sum = 0;
  for (const DroppedCount& count : account.dropped) sum += count.records;
  return sum;
}

void expect_balance(const SinkAccount& account) {
  EXPECT_EQ(account.offered, account.delivered + account.queued + dropped_sum(account));
}

class Log {
 public:
  LogCallback callback() {
    return [this](LinkEvent, const std::string& line) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(line);
    };
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

CollectorConfig collector_config(const std::string& address) {
  CollectorConfig config;
  config.address = address;
  return config;
}

bool wait_for(const std::function<bool()>& condition, milliseconds limit = seconds(10)) {
  const auto end = Clock::now() + limit;
  while (!condition()) {
    if (Clock::now() >= end) return false;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return true;
}

TEST(CollectorLink, delivers_every_record_and_announces_before_the_first) {
  TestCollector collector;
  Log log;
  const auto link =
      make_collector_link(collector_config(collector.address()), sample_exporter(), log.callback());
  link->offer(make_batch(RecordBatch(5000, tcp_ipv4())));
  link->offer(make_batch(RecordBatch(5000, udp_ipv6())));
  EXPECT_TRUE(collector.receive_until([&] { return collector.flows == 10000; }));
  link->finish(5);
  const SinkAccount account = link->account();
  EXPECT_EQ(account.delivered, 10000u);
  EXPECT_EQ(account.queued, 0u);
  expect_balance(account);
  EXPECT_TRUE(collector.errors().empty()) << collector.errors().front();
  EXPECT_GE(collector.messages.front().templates.size(), 6u);
  EXPECT_EQ(account.datagrams, collector.messages.size());
  ASSERT_EQ(log.lines().size(), 1u);
  EXPECT_NE(log.lines()[0].find("sending to"), std::string::npos);
}

TEST(CollectorLink, reaches_a_collector_over_ipv6_and_sees_it_refuse) {
  TestCollector collector(true, AF_INET6);
  const auto link =
      make_collector_link(collector_config(collector.address()), sample_exporter(), nullptr);
  link->offer(make_batch(RecordBatch(100, udp_ipv6())));
  EXPECT_TRUE(collector.receive_until([&] { return collector.flows == 100; }));
  EXPECT_TRUE(wait_for([&] { return link->account().delivered == 100; }));
  collector.close();
  link->offer(make_batch(RecordBatch(100, udp_ipv6())));
  EXPECT_TRUE(wait_for([&] { return link->account().state.rfind("refused since", 0) == 0; }));
  link->finish(5);
  EXPECT_EQ(dropped(link->account(), "refused"), 100u);
  expect_balance(link->account());
}

TEST(CollectorLink, fills_its_datagrams_and_never_passes_max_datagram) {
  TestCollector collector;
  CollectorConfig config = collector_config(collector.address());
  config.max_datagram = 700;
  config.rate = 0;
  const auto link = make_collector_link(config, sample_exporter(), nullptr);
  link->offer(make_batch(RecordBatch(12'000, tcp_ipv4())));
  EXPECT_TRUE(collector.receive_until([&] { return collector.flows == 12'000; }));
  link->finish(5);
  EXPECT_LE(*std::max_element(collector.sizes.begin(), collector.sizes.end()), 700u);
  EXPECT_LE(collector.messages.size(), 12'000u / 12 + 120) << "12 records of 55 octets fit 700";
}

TEST(CollectorLink, repeats_templates_after_a_second_and_by_packets_and_time) {
  TestCollector collector;
  CollectorConfig config = collector_config(collector.address());
  config.templates = {10, seconds(2)};
  const auto link = make_collector_link(config, sample_exporter(), nullptr);
  const auto announced = [&] {
    std::size_t n = 0;
    for (const auto& message : collector.messages) n += !message.templates.empty();
    return n;
  };
  const auto start = Clock::now();
  EXPECT_TRUE(collector.receive_until([&] { return announced() == 1; }));
  EXPECT_LT(Clock::now() - start, milliseconds(800)) << "without any record";
  EXPECT_TRUE(collector.receive_until([&] { return announced() == 2; }));
  EXPECT_GT(Clock::now() - start, milliseconds(900));
  EXPECT_TRUE(collector.receive_until([&] { return announced() == 3; }));
  EXPECT_GT(Clock::now() - start, milliseconds(2800)) << "2 s later";
  const std::size_t messages = collector.messages.size();
  link->offer(make_batch(RecordBatch(2500, tcp_ipv4())));  // 100 datagrams
  EXPECT_TRUE(collector.receive_until([&] { return collector.flows == 2500; }));
  EXPECT_NEAR(static_cast<double>(announced() - 3),
              static_cast<double>(collector.messages.size() - messages) / 10, 2);
}

TEST(CollectorLink, keeps_the_pace_and_never_sends_a_burst) {
  TestCollector collector;
  CollectorConfig config = collector_config(collector.address());
  config.rate = 20'000;
  const auto link = make_collector_link(config, sample_exporter(), nullptr);
  const auto start = Clock::now();
  link->offer(make_batch(RecordBatch(20'000, tcp_ipv4())));
  EXPECT_TRUE(collector.receive_until([&] { return collector.flows == 20'000; }));
  const auto taken = Clock::now() - start;
  EXPECT_GT(taken, milliseconds(900));
  EXPECT_LT(taken, milliseconds(4000));
}

// A default receive buffer holds about 92 datagrams: 5 ms bring at most two thirds of that. A
// machine that held the sender up in the middle of a slice can push a few together; the bound
// itself is Pacer's, tested with a clock of the test's own.
TEST(CollectorLink, a_flood_of_records_arrives_in_slices_a_default_receive_buffer_holds) {
  TestCollector collector;
  CollectorConfig config = collector_config(collector.address());
  config.rate = 200'000;
  const auto link = make_collector_link(config, sample_exporter(), nullptr);
  link->offer(make_batch(RecordBatch(100'000, tcp_ipv4())));
  const auto stamps = collector.receive_stamps(milliseconds(300));
  ASSERT_GE(stamps.size(), 4000u);
  std::size_t crowded = 0;
  for (std::size_t from = 0, at = 0; at < stamps.size(); ++at) {
    while (stamps[at] - stamps[from] > 5'000'000) ++from;
    if (at - from + 1 > 76) ++crowded;
  }
  EXPECT_LE(crowded, stamps.size() / 20);
}

// One record of 5 TB is 1,165 records of v5, 39 datagrams: each of them is paced.
TEST(CollectorLink, paces_the_pieces_of_a_v5_record_too) {
  TestCollector collector;
  CollectorConfig config = collector_config(collector.address());
  config.version = NetflowVersion::kV5;
  config.rate = 50'000;
  const auto link = make_collector_link(config, sample_exporter(), nullptr);
  FlowRecord huge = tcp_ipv4();
  huge.octets = 5'000'000'000'123;
  const auto start = Clock::now();
  link->offer(make_batch(RecordBatch(10, huge)));
  EXPECT_TRUE(collector.receive_until([&] { return collector.flows >= 10 * 1165; }));
  EXPECT_GT(Clock::now() - start, milliseconds(180));
  EXPECT_EQ(collector.flows, 10u * 1165);
  link->finish(5);
  EXPECT_EQ(link->account().delivered, 10u);
}

TEST(CollectorLink, loses_nothing_to_a_collector_that_starts_late) {
  TestCollector collector(false);
  Log log;
  const auto link =
      make_collector_link(collector_config(collector.address()), sample_exporter(), log.callback());
  link->offer(make_batch(RecordBatch(1000, tcp_ipv4())));
  EXPECT_TRUE(wait_for([&] { return link->account().state.rfind("refused since", 0) == 0; }));
  std::this_thread::sleep_for(milliseconds(700));
  SinkAccount account = link->account();
  EXPECT_EQ(account.delivered, 0u);
  EXPECT_EQ(account.queued, 1000u);
  expect_balance(account);
  collector.open();
  const auto opened = Clock::now();
  EXPECT_TRUE(collector.receive_until([&] { return collector.flows == 1000; }));
  EXPECT_LT(Clock::now() - opened, milliseconds(2500));
  EXPECT_FALSE(collector.messages.front().templates.empty()) << "templates at once";
  EXPECT_TRUE(collector.errors().empty()) << collector.errors().front();
  link->finish(5);
  account = link->account();
  EXPECT_EQ(account.delivered, 1000u);
  expect_balance(account);
  ASSERT_EQ(log.lines().size(), 3u) << "one line a change of state: sending, nobody listens, back";
  EXPECT_NE(log.lines()[1].find("nobody listens"), std::string::npos);
  EXPECT_NE(log.lines()[2].find("is back"), std::string::npos);
}

TEST(CollectorLink, counts_exactly_what_a_collector_that_went_away_refused) {
  TestCollector collector;
  CollectorConfig config = collector_config(collector.address());
  config.rate = 5'000;
  const auto link = make_collector_link(config, sample_exporter(), nullptr);
  link->offer(make_batch(RecordBatch(10'000, tcp_ipv4())));
  EXPECT_TRUE(collector.receive_until([&] { return collector.flows >= 1000; }));
  // What is in its buffer now was delivered by any measure: read it, then go.
  collector.receive_until([] { return false; }, milliseconds(30));
  const std::uint64_t before = collector.flows;
  collector.close();
  EXPECT_TRUE(wait_for([&] { return link->account().state.rfind("refused since", 0) == 0; }));
  const std::uint64_t refused = dropped(link->account(), "refused");
  EXPECT_GT(refused, 0u) << "the datagram that met the closed port";
  EXPECT_LE(refused, 100u) << "the link stops sending at the first answer";
  collector.open();
  EXPECT_TRUE(collector.receive_until(
      [&] { return link->account().queued == 0 && collector.flows + refused + 60 >= 10'000; }));
  link->finish(5);
  collector.receive_until([] { return false; }, milliseconds(50));
  const SinkAccount account = link->account();
  expect_balance(account);
  EXPECT_EQ(account.delivered + dropped(account, "refused"), 10'000u);
  // At most one datagram (25 records) can fall between the last read and the close.
  EXPECT_GE(collector.flows + 100, account.delivered);
  EXPECT_LE(collector.flows, account.delivered);
  EXPECT_GT(collector.flows, before);
}

TEST(CollectorLink, bounds_its_queue_while_the_collector_is_away) {
  TestCollector collector(false);
  ExporterInfo exporter = sample_exporter();
  exporter.queue_records = 2000;
  const auto link = make_collector_link(collector_config(collector.address()), exporter, nullptr);
  EXPECT_TRUE(wait_for([&] { return link->account().state.rfind("refused since", 0) == 0; }));
  for (int i = 0; i < 50; ++i) {
    link->offer(make_batch(RecordBatch(100, tcp_ipv4())));
    expect_balance(link->account());
  }
  const SinkAccount account = link->account();
  EXPECT_EQ(account.queued, 2000u);
  EXPECT_EQ(dropped(account, "refused"), 3000u);
}

TEST(CollectorLink, drops_the_oldest_as_queue_full_when_the_rate_is_too_low) {
  TestCollector collector;
  CollectorConfig config = collector_config(collector.address());
  config.rate = 100;
  ExporterInfo exporter = sample_exporter();
  exporter.queue_records = 1000;
  const auto link = make_collector_link(config, exporter, nullptr);
  EXPECT_TRUE(wait_for([&] { return link->account().state == "up"; }));
  link->offer(make_batch(RecordBatch(5000, tcp_ipv4())));
  const SinkAccount account = link->account();
  EXPECT_GE(dropped(account, "queue_full"), 3900u);
  expect_balance(account);
}

TEST(CollectorLink, finish_hurries_as_much_as_the_time_left_demands) {
  TestCollector collector;
  CollectorConfig config = collector_config(collector.address());
  config.rate = 100;  // at this pace 50 s
  const auto link = make_collector_link(config, sample_exporter(), nullptr);
  link->offer(make_batch(RecordBatch(5000, tcp_ipv4())));
  std::thread reader(
      [&] { EXPECT_TRUE(collector.receive_until([&] { return collector.flows == 5000; })); });
  const auto start = Clock::now();
  link->finish(3);
  EXPECT_LT(Clock::now() - start, milliseconds(3500));
  reader.join();
  const SinkAccount account = link->account();
  EXPECT_EQ(account.delivered, 5000u);
  EXPECT_EQ(account.state, "closed");
  expect_balance(account);
}

TEST(CollectorLink, finish_gives_up_at_once_on_a_collector_that_is_not_there) {
  TestCollector collector(false);
  const auto link =
      make_collector_link(collector_config(collector.address()), sample_exporter(), nullptr);
  link->offer(make_batch(RecordBatch(500, tcp_ipv4())));
  const auto start = Clock::now();
  link->finish(10);
  EXPECT_LT(Clock::now() - start, seconds(2));
  link->offer(make_batch(RecordBatch(5, tcp_ipv4())));
  const SinkAccount account = link->account();
  EXPECT_EQ(dropped(account, "refused"), 500u);
  EXPECT_EQ(dropped(account, "shutdown"), 5u);
  EXPECT_EQ(account.queued, 0u);
  expect_balance(account);
}

TEST(CollectorLink, a_name_without_address_is_a_state_and_not_an_error) {
  Log log;
  ExporterInfo exporter = sample_exporter();
  exporter.queue_records = 100;
  const auto link =
      make_collector_link(collector_config("collector.invalid:2055"), exporter, log.callback());
  link->offer(make_batch(RecordBatch(150, tcp_ipv4())));
  EXPECT_TRUE(wait_for([&] { return link->account().state.rfind("unresolved since", 0) == 0; },
                       seconds(30)));
  SinkAccount account = link->account();
  EXPECT_EQ(dropped(account, "unresolved"), 50u) << "only what the queue does not hold";
  EXPECT_EQ(account.queued, 100u);
  link->finish(15);
  account = link->account();
  EXPECT_EQ(dropped(account, "unresolved"), 150u);
  expect_balance(account);
  ASSERT_FALSE(log.lines().empty());
  EXPECT_NE(log.lines()[0].find("has no address"), std::string::npos);
}

TEST(CollectorLink, a_name_with_two_addresses_finds_the_one_that_listens) {
  TestCollector collector;  // 127.0.0.1 only; "localhost" may well be ::1 first
  const auto link =
      make_collector_link(collector_config("localhost:" + std::to_string(collector.port())),
                          sample_exporter(), nullptr);
  link->offer(make_batch(RecordBatch(100, tcp_ipv4())));
  EXPECT_TRUE(collector.receive_until([&] { return collector.flows == 100; }, seconds(20)));
  link->finish(5);
  EXPECT_EQ(link->account().delivered, 100u);
}

TEST(CollectorLink, counts_by_reason_what_a_version_or_a_filter_leaves_out) {
  TestCollector collector;
  CollectorConfig config = collector_config(collector.address());
  config.version = NetflowVersion::kV5;
  ExporterInfo exporter = sample_exporter();
  exporter.accepts = [](const FlowRecord& record) { return record.key.protocol != 1; };
  const auto link = make_collector_link(config, exporter, nullptr);
  RecordBatch records;
  for (int i = 0; i < 100; ++i) {
    for (const auto& record : {tcp_ipv4(), udp_ipv6(), icmp_echo(), arp_frames()}) {
      records.push_back(record);
    }
  }
  link->offer(make_batch(records));
  EXPECT_TRUE(collector.receive_until([&] { return collector.flows == 100; }));
  link->finish(5);
  const SinkAccount account = link->account();
  EXPECT_EQ(account.delivered, 100u);
  EXPECT_EQ(dropped(account, "not_in_version"), 100u);
  EXPECT_EQ(dropped(account, "filtered"), 100u);
  EXPECT_EQ(dropped(account, "non_ip"), 100u);
  expect_balance(account);
}

TEST(CollectorLink, v5_without_templates_comes_back_too) {
  TestCollector collector(false);
  CollectorConfig config = collector_config(collector.address());
  config.version = NetflowVersion::kV5;
  const auto link = make_collector_link(config, sample_exporter(), nullptr);
  link->offer(make_batch(RecordBatch(1000, tcp_ipv4())));
  EXPECT_TRUE(wait_for([&] { return link->account().state.rfind("refused since", 0) == 0; }));
  collector.open();
  EXPECT_TRUE(collector.receive_until([&] {
    return link->account().queued == 0 &&
           collector.flows + dropped(link->account(), "refused") == 1000;
  }));
  link->finish(5);
  expect_balance(link->account());
  EXPECT_LE(dropped(link->account(), "refused"), 100u);
}

TEST(CollectorLink, lossless_offer_waits_for_room_instead_of_dropping) {
  TestCollector collector;
  CollectorConfig config = collector_config(collector.address());
  config.rate = 50'000;
  ExporterInfo exporter = sample_exporter();
  exporter.queue_records = 500;
  exporter.lossless = true;
  const auto link = make_collector_link(config, exporter, nullptr);
  std::thread writer([&] {
    for (int i = 0; i < 50; ++i) link->offer(make_batch(RecordBatch(400, tcp_ipv4())));
  });
  EXPECT_TRUE(collector.receive_until([&] { return collector.flows == 20'000; }));
  writer.join();
  link->finish(5);
  EXPECT_EQ(link->account().delivered, 20'000u);
  EXPECT_EQ(dropped_sum(link->account()), 0u);
}

TEST(CollectorLink, books_balance_at_any_moment) {
  TestCollector collector;
  CollectorConfig config = collector_config(collector.address());
  config.rate = 0;
  ExporterInfo exporter = sample_exporter();
  exporter.queue_records = 3000;
  const auto link = make_collector_link(config, exporter, nullptr);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    const auto batch = make_batch(RecordBatch(777, udp_ipv6()));
    while (!stop) link->offer(batch);
  });
  for (int i = 0; i < 2000; ++i) expect_balance(link->account());
  stop = true;
  writer.join();
  link->finish(1);
  expect_balance(link->account());
  EXPECT_EQ(link->account().queued, 0u);
}

TEST(CollectorLink, refuses_what_no_waiting_can_mend_in_words) {
  const auto why = [](const CollectorConfig& config) -> std::string {
    try {
      make_collector_link(config, sample_exporter(), nullptr);
    } catch (const StartupError& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
      return error.what();
    }
    return "";
  };
  EXPECT_NE(why(collector_config("127.0.0.1")).find("there is no port"), std::string::npos);
  EXPECT_NE(why(collector_config("127.0.0.1:0")).find("1 to 65535"), std::string::npos);
  EXPECT_NE(why(collector_config("::1:2055")).find("brackets"), std::string::npos);
  EXPECT_NE(why(collector_config(":2055")).find("there is no host"), std::string::npos);
  CollectorConfig config = collector_config("127.0.0.1:2055");
  config.max_datagram = 100;
  EXPECT_NE(why(config).find("max_datagram: 100"), std::string::npos);
  config = collector_config("127.0.0.1:2055");
  config.source = "eth0";
  EXPECT_NE(why(config).find("\"eth0\" is not an IP address"), std::string::npos);
  config = collector_config("127.0.0.1:2055");
  config.transport = Transport::kTcp;
  EXPECT_NE(why(config).find("transport"), std::string::npos);
}

TEST(CollectorLink, sends_from_the_configured_source_and_says_when_it_cannot) {
  TestCollector collector;
  CollectorConfig config = collector_config(collector.address());
  config.source = "127.0.0.77";
  const auto link = make_collector_link(config, sample_exporter(), nullptr);
  link->offer(make_batch(RecordBatch(10, tcp_ipv4())));
  EXPECT_TRUE(collector.receive_until([&] { return collector.flows == 10; }));
  config.source = "192.0.2.99";  // nobody's
  Log log;
  const auto other = make_collector_link(config, sample_exporter(), log.callback());
  EXPECT_TRUE(wait_for([&] { return other->account().state.rfind("unreachable since", 0) == 0; }));
  ASSERT_FALSE(log.lines().empty());
  EXPECT_NE(log.lines()[0].find("cannot send from 192.0.2.99"), std::string::npos);
}

}  // namespace
}  // namespace wiretally::test
