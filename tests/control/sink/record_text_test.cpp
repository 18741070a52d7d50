// SPDX-License-Identifier: Apache-2.0
// How a record reads: every kind of key, both text forms, times of any sign.
#include "control/sink/record_text.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "tests/control/sample_status.hpp"

namespace wiretally {
namespace {

using test::sample_record;
using test::sample_record_non_ip;
using test::sample_record_v6;

std::string csv(const FlowRecord& record) {
  char row[kRecordTextMax];
  return {row, put_csv_row(row, record)};
}

std::string time_text(TimeNs time) {
  char text[64];
  return {text, put_time(text, time)};
}

TEST(RecordText, prints_an_ipv4_flow_as_the_contract_says) {
  EXPECT_EQ(csv(sample_record()),
            "1700000000.000000001,1700000000.250000000,192.0.2.1,198.51.100.2,17,1000,53,2,120,148,"
            "0,184,0,0x0800,3,1\n");
}

TEST(RecordText, prints_an_ipv6_flow_with_vlan_and_flags) {
  EXPECT_EQ(csv(sample_record_v6()),
            "1700000000.000000001,1700000000.250000000,2001:db8::1,2001:db8:0:1::2,6,443,50000,2,"
            "120,148,27,184,100,0x86dd,3,3\n");
}

TEST(RecordText, prints_a_frame_without_ip_by_its_ethertype_only) {
  FlowRecord record = sample_record_non_ip();
  record.key.protocol = 9;     // what a key of such a frame holds here is not shown
  record.key.source_port = 7;  //
  EXPECT_EQ(csv(record),
            "1700000000.000000001,1700000000.250000000,,,0,0,0,2,0,148,0,0,0,0x88cc,3,1\n");
}

TEST(RecordText, leaves_out_what_a_coarse_record_does_not_know) {
  FlowRecord record = sample_record();
  record.key.source = {};
  record.key.source_port = record.key.destination_port = 0;
  record.key.protocol = 0;
  record.key.set_kind(IpVersion::kV4, CoarseLevel::kDestinationHost);
  EXPECT_NE(csv(record).find(",,198.51.100.2,0,0,0,"), std::string::npos) << csv(record);
  record.key.set_kind(IpVersion::kV4, CoarseLevel::kProtocol);
  EXPECT_NE(csv(record).find(",,,0,0,0,"), std::string::npos) << csv(record);
  record.key.set_kind(IpVersion::kV4, CoarseLevel::kSourceHost);
  EXPECT_NE(csv(record).find(",0.0.0.0,,0,0,0,"), std::string::npos) << csv(record);
}

TEST(RecordText, prints_times_of_any_sign_with_nine_digits) {
  EXPECT_EQ(time_text(0), "0.000000000");
  EXPECT_EQ(time_text(1), "0.000000001");
  EXPECT_EQ(time_text(-1), "-0.000000001");
  EXPECT_EQ(time_text(-1'500'000'000), "-1.500000000");
  EXPECT_EQ(time_text(std::numeric_limits<TimeNs>::max()), "9223372036.854775807");
  EXPECT_EQ(time_text(std::numeric_limits<TimeNs>::min()), "-9223372036.854775808");
}

TEST(RecordText, prints_the_largest_numbers_within_its_bound) {
  FlowRecord record = sample_record_v6();
  record.key.source.fill(0xff);
  record.key.destination.fill(0xff);
  record.packets = record.octets = record.l2_octets = std::numeric_limits<std::uint64_t>::max();
  record.first = record.last = std::numeric_limits<TimeNs>::min();
  record.ingress_ifindex = std::numeric_limits<std::uint32_t>::max();
  EXPECT_LT(csv(record).size(), kRecordTextMax);
  EXPECT_NE(csv(record).find(",18446744073709551615,18446744073709551615,18446744073709551615,"),
            std::string::npos);
  char text[kRecordTextMax];
  EXPECT_LT(put_json_members(text, record) - text, static_cast<std::ptrdiff_t>(kRecordTextMax));
}

TEST(RecordText, prints_json_members_with_exact_nanoseconds) {
  char text[kRecordTextMax];
  const std::string members(text, put_json_members(text, sample_record()));
  EXPECT_EQ(members,
            R"("first_ns":1700000000000000001,"last_ns":1700000000250000000,"src":"192.0.2.1",)"
            R"("dst":"198.51.100.2","proto":17,"sport":1000,"dport":53,"packets":2,"octets":120,)"
            R"("l2_octets":148,"tcp_flags":0,"tos":184,"vlan":0,"ethertype":"0x0800","ingress":3,)"
            R"("end_reason":1,"level":"exact")");
}

TEST(RecordText, names_both_ends_for_people) {
  FlowKey key = sample_record().key;
  EXPECT_EQ(source_end_text(key), "192.0.2.1:1000");
  EXPECT_EQ(destination_end_text(key), "198.51.100.2:53");
  key.protocol = 1;  // ICMP: type * 256 + code is no port
  key.source_port = 0;
  key.destination_port = 2048;
  EXPECT_EQ(destination_end_text(key), "198.51.100.2");
  EXPECT_EQ(source_end_text(sample_record_v6().key), "[2001:db8::1]:443");
  EXPECT_EQ(source_end_text(sample_record_non_ip().key), "ether 0x88cc");
  key.set_kind(IpVersion::kV4, CoarseLevel::kDestinationHost);
  EXPECT_EQ(source_end_text(key), "any");
}

TEST(RecordText, gives_every_end_reason_and_level_its_own_name) {
  std::set<std::string_view> names;
  for (std::size_t r = 1; r < kFlowEndReasons; ++r) {
    names.insert(label(static_cast<FlowEndReason>(r)));
  }
  for (std::size_t l = 0; l < kCoarseLevels; ++l) names.insert(label(static_cast<CoarseLevel>(l)));
  EXPECT_EQ(names.size(), kFlowEndReasons - 1 + kCoarseLevels);
  EXPECT_FALSE(names.contains(""));
}

}  // namespace
}  // namespace wiretally
