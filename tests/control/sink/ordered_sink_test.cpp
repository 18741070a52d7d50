// SPDX-License-Identifier: Apache-2.0
// The sinks of `read`: order, identical output whatever the order of arrival, and no record lost
// without a word.
#include "control/sink/ordered_sink.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "control/cli/record_table.hpp"
#include "control/sink/csv_sink.hpp"
#include "control/sink/json_sink.hpp"
#include "control/sink/record_text.hpp"
#include "tests/control/sample_status.hpp"

namespace wiretally {
namespace {

using test::sample_record;
using test::sample_record_non_ip;
using test::sample_record_v6;
using test::set_address;

// A file that is gone with the test.
class ScratchFile {
 public:
  ScratchFile() : fd_(::mkstemp(name_.data())) { ::unlink(name_.c_str()); }
  ~ScratchFile() { ::close(fd_); }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::string text() const {
    std::string all(static_cast<std::size_t>(::lseek(fd_, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(fd_, all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
    return all;
  }

 private:
  std::string name_ = testing::TempDir() + "ordered_sink_XXXXXX";
  int fd_;
};

RecordBatchPtr batch_of(const std::vector<FlowRecord>& records) {
  return std::make_shared<const RecordBatch>(records.begin(), records.end());
}

std::string printed(const std::vector<FlowRecord>& records, RecordFormat format) {
  ScratchFile file;
  OrderedSink sink("test", file.fd(), std::move(format));
  sink.offer(batch_of(records));
  sink.finish(0);
  EXPECT_EQ(sink.error(), "");
  return file.text();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

TEST(OrderedSink, sorts_by_first_then_by_every_field_of_the_key) {
  FlowRecord early = sample_record();
  early.first -= 5;
  early.key.source_port = 65535;
  FlowRecord low_source = sample_record();
  set_address(low_source.key.source, "192.0.2.0");
  FlowRecord low_destination = sample_record();
  set_address(low_destination.key.destination, "9.0.0.1");  // "9" is after "1" as text
  FlowRecord low_protocol = sample_record();
  low_protocol.key.protocol = 6;
  FlowRecord low_port = sample_record();
  low_port.key.source_port = 999;  // after "1000" as text
  FlowRecord high_vlan = sample_record();
  high_vlan.key.set_vlan(7);
  const std::vector<FlowRecord> right = {early,        low_source,        low_destination,
                                         low_protocol, low_port,          sample_record(),
                                         high_vlan,    sample_record_v6()};
  for (std::size_t i = 0; i + 1 < right.size(); ++i) {
    EXPECT_TRUE(record_before(right[i], right[i + 1])) << i;
    EXPECT_FALSE(record_before(right[i + 1], right[i])) << i;
  }
}

TEST(OrderedSink, prints_the_same_octets_whatever_the_order_of_arrival) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  RecordBatch records;
  for (int i = 0; i < 5000; ++i) {  // few values: many records differ in one late field only
    FlowRecord record = i % 3 == 0 ? sample_record_v6() : sample_record();
    record.first += random() % 4;
    record.key.source_port = static_cast<std::uint16_t>(random() % 4);
    record.packets = random() % 4;
    record.end_reason = static_cast<FlowEndReason>(1 + random() % 5);
    records.push_back(record);
  }
  const std::string once = printed(records, format_csv);
  std::shuffle(records.begin(), records.end(), random);
  EXPECT_EQ(once, printed(records, format_csv));
  EXPECT_EQ(lines_of(once).size(), records.size() + 1);
}

TEST(OrderedSink, accounts_for_every_record_it_printed) {
  ScratchFile file;
  CsvSink sink(file.fd());
  sink.offer(batch_of({sample_record(), sample_record_v6()}));
  sink.offer(batch_of({sample_record_non_ip()}));
  sink.offer(batch_of({}));
  EXPECT_EQ(sink.account().offered, 3u);
  EXPECT_EQ(sink.account().queued, 3u);
  sink.finish(0);
  const SinkAccount account = sink.account();
  EXPECT_EQ(account.name, "csv");
  EXPECT_EQ(account.delivered, 3u);
  EXPECT_EQ(account.queued, 0u);
  EXPECT_EQ(account.dropped.at(0).records, 0u);
  EXPECT_EQ(lines_of(file.text()).size(), 4u);
}

TEST(OrderedSink, counts_records_as_dropped_when_the_file_takes_nothing) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  CsvSink sink(full);
  sink.offer(batch_of({sample_record(), sample_record_v6()}));
  sink.finish(0);
  ::close(full);
  EXPECT_EQ(sink.error(), "No space left on device");
  const SinkAccount account = sink.account();
  EXPECT_EQ(account.delivered, 0u);
  EXPECT_EQ(account.queued, 0u);
  EXPECT_EQ(account.dropped.at(0).reason, "write_error");
  EXPECT_EQ(account.dropped.at(0).records, 2u);
}

TEST(CsvSink, prints_the_header_of_the_contract_even_without_records) {
  EXPECT_EQ(printed({}, format_csv),
            "first,last,src,dst,proto,sport,dport,packets,octets,l2_octets,tcp_flags,tos,vlan,"
            "ethertype,ingress,end_reason\n");
}

TEST(JsonSink, prints_one_object_a_line) {
  const std::vector<std::string> lines =
      lines_of(printed({sample_record_v6(), sample_record()}, format_json));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].substr(0, 30), R"({"first_ns":170000000000000000)");
  EXPECT_NE(lines[0].find(R"("src":"192.0.2.1")"), std::string::npos);
  EXPECT_NE(lines[1].find(R"("src":"2001:db8::1")"), std::string::npos);
  EXPECT_EQ(lines[1].back(), '}');
}

TEST(RecordTable, adds_up_the_records_of_one_flow_and_shows_the_largest_first) {
  FlowRecord second = sample_record();  // the same flow, cut by a timeout
  second.first += 1'000'000'000;
  second.last += 1'000'000'000;
  FlowRecord large = sample_record_v6();
  large.octets = 1'000'000;
  EXPECT_EQ(printed({sample_record(), second, large, sample_record_non_ip()}, format_table),
            "source             destination              proto  packets   octets  seconds\n"
            "[2001:db8::1]:443  [2001:db8:0:1::2]:50000  tcp          2  1.00 MB    0.250\n"
            "192.0.2.1:1000     198.51.100.2:53          udp          4    240 B    1.250\n"
            "ether 0x88cc                                -            2    148 B    0.250\n"
            "3 of 3 flows, 4 records: 8 packets, 1,000,240 IP octets, 592 octets of frames\n");
}

TEST(RecordTable, says_what_an_empty_recording_held) {
  EXPECT_EQ(printed({}, format_table),
            "0 of 0 flows, 0 records: 0 packets, 0 IP octets, 0 octets of frames\n");
}

}  // namespace
}  // namespace wiretally
