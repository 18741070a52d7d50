// SPDX-License-Identifier: Apache-2.0
// The pure clocks of a link, and its queue with the books, under a fake time and without a socket.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "control/export/in_flight.hpp"
#include "control/export/pacer.hpp"
#include "control/export/record_queue.hpp"
#include "tests/control/export/sample_records.hpp"

namespace wiretally::test {
namespace {

constexpr SteadyNs kMs = 1'000'000;
constexpr SteadyNs kSecond = 1000 * kMs;

TEST(Pacer, sends_the_configured_rate_over_a_second) {
  Pacer pacer(10'000);
  std::uint64_t sent = 0;
  for (SteadyNs now = kSecond; now < 2 * kSecond; now += kMs / 2) {
    const std::uint64_t n = pacer.available(now);
    pacer.spend(n);
    sent += n;
  }
  EXPECT_NEAR(static_cast<double>(sent), 10'000, 50);
}

TEST(Pacer, does_not_make_up_for_lost_time_in_a_burst) {
  Pacer pacer(200'000);
  pacer.available(kSecond);
  EXPECT_LE(pacer.available(10 * kSecond), Pacer::kSliceRecordsMax);
}

// Whatever the machine does to the sender: no 5 ms have more than their share and one slice.
TEST(Pacer, lets_no_window_have_more_than_its_rate_and_one_slice) {
  constexpr std::uint64_t kRate = 200'000;
  constexpr SteadyNs kWindow = 5'000'000;
  std::mt19937_64 random(20261124);
  Pacer pacer(kRate);
  std::vector<std::pair<SteadyNs, std::uint64_t>> sent;
  SteadyNs now = 1;
  for (int i = 0; i < 20'000; ++i) {
    pacer.set_backlog(100'000);
    const std::uint64_t records = pacer.available(now);
    pacer.spend(records);
    sent.emplace_back(now, records);
    now += random() % 50 == 0 ? static_cast<SteadyNs>(random() % 40'000'000)  // held up
                              : static_cast<SteadyNs>(random() % 3'000'000);
  }
  std::uint64_t in_window = 0;
  for (std::size_t from = 0, at = 0; at < sent.size(); ++at) {
    in_window += sent[at].second;
    for (; sent[at].first - sent[from].first > kWindow; ++from) in_window -= sent[from].second;
    ASSERT_LE(in_window, kRate * kWindow / kNsPerSecond + Pacer::kSliceRecordsMax) << at;
  }
}

TEST(Pacer, lets_nothing_go_until_a_debt_is_paid) {
  Pacer pacer(50'000);
  pacer.available(kSecond);
  pacer.spend(1'000);
  EXPECT_TRUE(pacer.in_debt(kSecond + 10 * kMs));
  EXPECT_EQ(pacer.available(kSecond + 10 * kMs), 0u);
  EXPECT_GT(pacer.ready_at(1), kSecond + 20 * kMs - kMs / 10);
  EXPECT_FALSE(pacer.in_debt(kSecond + 21 * kMs));
}

TEST(Pacer, spreads_what_waits_over_half_a_second_or_more) {
  Pacer pacer(200'000);
  std::uint64_t waiting = 60'000;
  SteadyNs now = kSecond;
  for (; waiting > 0; now += kMs) {
    const std::uint64_t n = std::min(waiting, pacer.available(now));
    pacer.spend(n);
    waiting -= n;
    pacer.set_backlog(waiting);
  }
  EXPECT_GT(now - kSecond, 500 * kMs);
  EXPECT_LT(now - kSecond, 1500 * kMs);
}

TEST(Pacer, goes_faster_than_its_rate_only_on_demand) {
  Pacer pacer(100);
  pacer.demand(10'000);
  pacer.set_backlog(0);
  std::uint64_t sent = 0;
  for (SteadyNs now = kSecond; now < 2 * kSecond; now += kMs) {
    const std::uint64_t n = pacer.available(now);
    pacer.spend(n);
    sent += n;
  }
  EXPECT_NEAR(static_cast<double>(sent), 10'000, 200);
}

TEST(Pacer, hands_out_smaller_slices_when_a_datagram_holds_few_records) {
  Pacer wide(200'000, 8);
  wide.set_backlog(1'000'000);
  wide.available(1);
  EXPECT_EQ(wide.available(kSecond), 16u * 8);
  Pacer usual(200'000);
  usual.set_backlog(1'000'000);
  usual.available(1);
  EXPECT_EQ(usual.available(kSecond), Pacer::kSliceRecordsMax);
}

TEST(Pacer, says_when_a_slice_is_ready_and_is_right) {
  Pacer pacer(1'000);
  pacer.available(kSecond);
  const SteadyNs ready = pacer.ready_at(5);
  EXPECT_GE(pacer.available(ready), 5u);
  EXPECT_LE(ready, kSecond + 6 * kMs);
}

TEST(Pacer, rate_zero_is_no_limit) {
  Pacer pacer(0);
  EXPECT_EQ(pacer.available(1), Pacer::kUnlimited);
  pacer.spend(1'000'000);
  EXPECT_EQ(pacer.available(1), Pacer::kUnlimited);
}

TEST(AnnouncementPlan, announces_at_once_after_a_second_then_by_time) {
  AnnouncementPlan plan({20, std::chrono::seconds(20)});
  plan.restart(kSecond);
  EXPECT_TRUE(plan.due(kSecond));
  plan.announced(kSecond);
  EXPECT_FALSE(plan.due(2 * kSecond - 1));
  EXPECT_TRUE(plan.due(2 * kSecond));
  plan.announced(2 * kSecond);
  EXPECT_FALSE(plan.due(22 * kSecond - 1));
  EXPECT_TRUE(plan.due(22 * kSecond));
}

TEST(AnnouncementPlan, announces_after_the_configured_datagrams) {
  AnnouncementPlan plan({20, std::chrono::seconds(20)});
  plan.restart(0);
  plan.announced(0);
  for (int i = 0; i < 19; ++i) plan.datagram_sent();
  EXPECT_FALSE(plan.due(kMs));
  plan.datagram_sent();
  EXPECT_TRUE(plan.due(kMs));
  plan.announced(kMs);
  EXPECT_FALSE(plan.due(2 * kMs));
}

TEST(AnnouncementPlan, of_a_version_without_templates_is_never_due) {
  AnnouncementPlan plan({20, std::chrono::seconds(20)}, false);
  plan.restart(5);
  for (int i = 0; i < 100; ++i) plan.datagram_sent();
  EXPECT_FALSE(plan.due(1'000'000'000'000));
  EXPECT_EQ(plan.due_at(), kNever) << "a link that sleeps until then sleeps";
  EXPECT_GT(plan.datagrams_left(), 1'000'000u);
}

TEST(AnnouncementPlan, restarts_when_a_collector_returns) {
  AnnouncementPlan plan({20, std::chrono::seconds(20)});
  plan.restart(0);
  plan.announced(0);
  plan.announced(kSecond);
  plan.restart(5 * kSecond);
  EXPECT_TRUE(plan.due(5 * kSecond));
  plan.announced(5 * kSecond);
  EXPECT_TRUE(plan.due(6 * kSecond));
}

TEST(InFlight, settles_after_a_while_and_knows_what_was_quoted) {
  InFlight in_flight;
  MessageQuote first{};
  MessageQuote second{};
  second[12] = 1;
  in_flight.add(0, first, {10, 100, 1000});
  in_flight.add(kMs, second, {20, 200, 2000});
  EXPECT_EQ(in_flight.settled(InFlight::kSettleNs - 1), 0u);
  EXPECT_EQ(in_flight.lost(second), (RecordSum{20, 200, 2000}));
  EXPECT_EQ(in_flight.lost(second), RecordSum{}) << "only once";
  EXPECT_EQ(in_flight.settled(10 * kSecond), 10u);
  EXPECT_TRUE(in_flight.empty());
}

const RecordSum& dropped(const RecordBooks& books, ExportDrop reason) {
  return books.dropped[static_cast<std::size_t>(reason)];
}

std::uint64_t sum_of(const RecordBooks& books) {
  std::uint64_t sum = books.delivered + books.waiting + books.taken;
  for (const RecordSum& dropped : books.dropped) sum += dropped.records;
  return sum;
}

TEST(RecordQueue, drops_the_oldest_past_its_bound_under_the_reason_set) {
  RecordQueue queue(100, false);
  RecordBatch records(80, tcp_ipv4());
  for (std::size_t i = 0; i < records.size(); ++i) records[i].packets = i;
  queue.offer(make_batch(records));
  queue.offer(make_batch(RecordBatch(50, udp_ipv6())));
  RecordBooks books = queue.books();
  EXPECT_EQ(books.offered, 130u);
  EXPECT_EQ(books.waiting, 100u);
  const std::uint64_t octets = 30 * tcp_ipv4().octets;
  EXPECT_EQ(dropped(books, ExportDrop::kQueueFull), (RecordSum{30, 29 * 30 / 2, octets}));
  queue.set_overflow_reason(ExportDrop::kRefused);
  queue.offer(make_batch(RecordBatch(500, udp_ipv6())));
  books = queue.books();
  EXPECT_EQ(books.waiting, 100u);
  EXPECT_EQ(dropped(books, ExportDrop::kRefused).records, 500u);
  EXPECT_EQ(sum_of(books), books.offered);
}

TEST(RecordQueue, hands_out_in_order_and_keeps_taken_records_in_the_books) {
  RecordQueue queue(1000, false);
  RecordBatch records(10, tcp_ipv4());
  for (std::size_t i = 0; i < records.size(); ++i) records[i].packets = i;
  queue.offer(make_batch(records));
  queue.offer(make_batch(records));
  std::vector<std::uint64_t> got;
  for (const RecordSlice& slice : queue.take(15)) {
    for (const FlowRecord& record : slice.records()) got.push_back(record.packets);
  }
  EXPECT_EQ(got, (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4}));
  queue.settle(5);
  queue.drop(ExportDrop::kNonIp, {4, 30, 0});
  const RecordBooks books = queue.books();
  EXPECT_EQ(books.waiting, 5u);
  EXPECT_EQ(books.taken, 6u);
  EXPECT_EQ(books.delivered, 5u);
  EXPECT_EQ(dropped(books, ExportDrop::kNonIp), (RecordSum{4, 30, 0}));
  EXPECT_EQ(sum_of(books), books.offered);
}

TEST(RecordQueue, counts_what_comes_after_the_close) {
  RecordQueue queue(1000, false);
  queue.close();
  queue.offer(make_batch(RecordBatch(7, tcp_ipv4())));
  const RecordBooks books = queue.books();
  const FlowRecord record = tcp_ipv4();
  EXPECT_EQ(dropped(books, ExportDrop::kShutdown),
            (RecordSum{7, 7 * record.packets, 7 * record.octets}));
  EXPECT_EQ(sum_of(books), 7u);
}

}  // namespace
}  // namespace wiretally::test
