// SPDX-License-Identifier: Apache-2.0
// Whole messages against commented hex dumps that were written from the RFCs, not by the encoder:
// the same records for every version.
#include <gtest/gtest.h>

#include <fstream>

#include "control/export/message_encoder.hpp"
#include "tests/control/export/decoder.hpp"
#include "tests/control/export/sample_records.hpp"

namespace wiretally::test {
namespace {

Octets read_golden(const std::string& name) {
  std::ifstream file(std::string(WIRETALLY_GOLDEN_DIR) + "/" + name);
  EXPECT_TRUE(file) << name;
  Octets octets;
  for (std::string line; std::getline(file, line);) {
    line = line.substr(0, line.find('#'));
    std::erase_if(line, [](char c) { return std::isspace(static_cast<unsigned char>(c)); });
    for (std::size_t i = 0; i + 1 < line.size(); i += 2) {
      octets.push_back(static_cast<std::uint8_t>(std::stoul(line.substr(i, 2), nullptr, 16)));
    }
  }
  return octets;
}

// Equal, or the first octet that differs.
void expect_same(std::span<const std::uint8_t> got, const Octets& golden) {
  for (std::size_t i = 0; i < std::min(got.size(), golden.size()); ++i) {
    ASSERT_EQ(got[i], golden[i]) << "octet " << i;
  }
  EXPECT_EQ(got.size(), golden.size());
}

struct Encoded {
  Octets announcements;
  Octets records;
  std::size_t taken = 0;
  RecordTally tally;
};

Encoded encode_all(NetflowVersion version) {
  CollectorConfig collector;
  collector.version = version;
  collector.non_ip = true;
  collector.option_statistics = false;  // changes from message to message
  const ExporterInfo exporter = sample_exporter();
  const auto encoder = make_message_encoder(collector, exporter, nullptr);
  Encoded result;
  Octets buffer(1400);
  encoder->begin(buffer, exporter.clock());
  EXPECT_EQ(encoder->add_announcements(0), encoder->announcements());
  result.announcements.assign(buffer.begin(),
                              buffer.begin() + static_cast<std::ptrdiff_t>(encoder->finish()));
  RecordBatch records = {tcp_ipv4(),
                         udp_ipv6(),
                         icmp_echo(),
                         icmpv6_unreachable(),
                         large_counters(),
                         arp_frames(),
                         coarse(CoarseLevel::kDestinationHost)};
  if (version == NetflowVersion::kV5) std::swap(records[4], records[6]);  // the endless one last
  encoder->begin(buffer, exporter.clock());
  result.taken = encoder->add_records(records, result.tally);
  result.records.assign(buffer.begin(),
                        buffer.begin() + static_cast<std::ptrdiff_t>(encoder->finish()));
  return result;
}

TEST(GoldenMessages, netflow_v9_equals_the_hand_made_octets) {
  const Encoded encoded = encode_all(NetflowVersion::kV9);
  expect_same(encoded.announcements, read_golden("v9_announcements.hex"));
  expect_same(encoded.records, read_golden("v9_records.hex"));
  EXPECT_EQ(encoded.tally.encoded.records, 7u);
}

TEST(GoldenMessages, ipfix_equals_the_hand_made_octets) {
  const Encoded encoded = encode_all(NetflowVersion::kIpfix);
  expect_same(encoded.announcements, read_golden("ipfix_announcements.hex"));
  expect_same(encoded.records, read_golden("ipfix_records.hex"));
  EXPECT_EQ(encoded.tally.encoded.records, 7u);
}

TEST(GoldenMessages, netflow_v5_equals_the_hand_made_octets) {
  const Encoded encoded = encode_all(NetflowVersion::kV5);
  EXPECT_TRUE(encoded.announcements.empty());
  expect_same(encoded.records, read_golden("v5_records.hex"));
  EXPECT_EQ(encoded.taken, 6u) << "the record in pieces is not done";
  EXPECT_EQ(encoded.tally.encoded.records, 3u);
  EXPECT_EQ(encoded.tally.not_in_version.records, 2u);
  EXPECT_EQ(encoded.tally.non_ip.records, 1u);
}

}  // namespace
}  // namespace wiretally::test
