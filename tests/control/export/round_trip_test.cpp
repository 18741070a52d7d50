// SPDX-License-Identifier: Apache-2.0
// Random records through every version's encoder and back through the independent decoder. The seed
// is printed; WIRETALLY_SEED repeats a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <tuple>

#include "control/export/message_encoder.hpp"
#include "control/export/record_layout.hpp"
#include "tests/control/export/decoder.hpp"
#include "tests/control/export/sample_records.hpp"

namespace wiretally::test {
namespace {

std::uint64_t seed() {
  static const std::uint64_t value = [] {
    const char* given = std::getenv("WIRETALLY_SEED");
    const std::uint64_t s =
        given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cout << "WIRETALLY_SEED=" << s << "\n";
    return s;
  }();
  return value;
}

struct Setting {
  NetflowVersion version;
  std::size_t datagram;
  bool non_ip;
};

class RoundTrip : public testing::TestWithParam<Setting> {
 protected:
  // All records of `in` through messages of `datagram` octets; what the decoder makes of them.
  std::vector<DecodedRecord> pass(const RecordBatch& in, RecordTally& tally) {
    const Setting setting = GetParam();
    CollectorConfig collector;
    collector.version = setting.version;
    collector.non_ip = setting.non_ip;
    ExporterInfo exporter = sample_exporter();
    for (std::uint32_t i = 0; i < 20; ++i) exporter.interfaces.push_back({i, "port", "a port"});
    const auto encoder = make_message_encoder(collector, exporter, [] {
      return ExportStatistics{1, 2, 3, {4, 5, 6}};
    });
    std::vector<DecodedRecord> flows;
    Octets buffer(setting.datagram, 0xee);
    std::size_t announced = 0;
    std::size_t at = 0;
    while (at < in.size()) {
      encoder->begin(buffer, exporter.clock());
      announced = encoder->add_announcements(announced);
      if (announced == encoder->announcements()) {
        at += encoder->add_records(std::span(in).subspan(at), tally);
      }
      const std::size_t octets = encoder->finish();
      EXPECT_LE(octets, setting.datagram);
      if (octets == 0) continue;
      const DecodedMessage message = decoder_.decode(std::span(buffer).first(octets));
      EXPECT_EQ(message.unix_s, 1'609'459'260u);
      for (auto& record : message.flows()) flows.push_back(std::move(record));
      options_ += message.options().size();
    }
    return flows;
  }

  Decoder decoder_;
  std::size_t options_ = 0;
};

Octets octets_of(std::span<const std::uint8_t> part) {
  return {part.begin(), part.end()};
}

void expect_ip_fields(const DecodedRecord& got, const FlowRecord& want) {
  const bool ipv4 = want.key.ip_version() == IpVersion::kV4;
  const std::size_t from = ipv4 ? 12 : 0;
  EXPECT_EQ(got.fields.at(ipv4 ? 8 : 27), octets_of(std::span(want.key.source).subspan(from)));
  EXPECT_EQ(got.fields.at(ipv4 ? 12 : 28),
            octets_of(std::span(want.key.destination).subspan(from)));
  EXPECT_EQ(got.number(7), want.key.source_port);
  EXPECT_EQ(got.number(11), want.key.destination_port);
  EXPECT_EQ(got.number(4), want.key.protocol);
  EXPECT_EQ(got.number(5), want.tos);
  EXPECT_EQ(got.number(6), want.tcp_flags & 0xffu);
  EXPECT_EQ(got.number(1), want.octets);
  if (got.template_id != 0) {
    EXPECT_EQ(got.number(60), ipv4 ? 4u : 6u);
  }
  const bool icmp = want.key.protocol == 1 || want.key.protocol == 58;
  if (got.template_id != 0 && want.key.level() == CoarseLevel::kExact) {
    EXPECT_EQ(got.has(32) || got.has(139), icmp);
  }
  if (got.has(32)) {
    EXPECT_EQ(got.number(32), want.key.destination_port);
    EXPECT_TRUE(ipv4);
  }
  if (got.has(139)) {
    EXPECT_EQ(got.number(139), want.key.destination_port);
    EXPECT_EQ(got.number(178) * 256 + got.number(179), want.key.destination_port);
    EXPECT_FALSE(ipv4);
  }
}

void expect_equal(const DecodedRecord& got, const FlowRecord& want) {
  if (want.key.ip_version() == IpVersion::kNone) {
    EXPECT_EQ(got.number(256), want.key.destination_port);
    EXPECT_EQ(got.number(352), want.l2_octets);
  } else {
    expect_ip_fields(got, want);
  }
  EXPECT_EQ(got.number(2), want.packets);
  EXPECT_EQ(got.number(152), static_cast<std::uint64_t>(want.first / 1'000'000));
  EXPECT_EQ(got.number(153), static_cast<std::uint64_t>(want.last / 1'000'000));
  EXPECT_EQ(got.number(10), want.ingress_ifindex);
  if (got.template_id != 0) {
    EXPECT_EQ(got.number(58), want.key.vlan());
    EXPECT_EQ(got.number(136), static_cast<unsigned>(want.end_reason));
    EXPECT_EQ(got.has(173), want.key.level() != CoarseLevel::kExact);
  }
}

// A message of v9 and IPFIX has the records of a Template together: both sides in one order.
void sort_alike(std::vector<DecodedRecord>& got, RecordBatch& wanted) {
  std::ranges::sort(got, {}, [](const DecodedRecord& r) {
    return std::tuple(r.number(2), r.number(152), r.number(153), r.number(10));
  });
  std::ranges::sort(wanted, {}, [](const FlowRecord& r) {
    return std::tuple(r.packets, static_cast<std::uint64_t>(r.first / 1'000'000),
                      static_cast<std::uint64_t>(r.last / 1'000'000),
                      std::uint64_t{r.ingress_ifindex});
  });
}

// v5 splits records: adds the pieces of one up again.
std::vector<DecodedRecord> join_pieces(const std::vector<DecodedRecord>& pieces,
                                       const RecordBatch& wanted) {
  std::vector<DecodedRecord> joined;
  std::size_t at = 0;
  for (const FlowRecord& want : wanted) {
    DecodedRecord sum = pieces.at(at);
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
    do {
      packets += pieces.at(at).number(2);
      octets += pieces.at(at).number(1);
      ++at;
    } while (packets < want.packets || octets < want.octets);
    const auto big_endian = [](std::uint64_t v) {
      Octets out(8);
      for (std::size_t i = 8; i-- > 0; v >>= 8) out[i] = static_cast<std::uint8_t>(v);
      return out;
    };
    sum.fields[2] = big_endian(packets);
    sum.fields[1] = big_endian(octets);
    joined.push_back(sum);
  }
  EXPECT_EQ(at, pieces.size());
  return joined;
}

TEST_P(RoundTrip, every_record_comes_back_equal_and_every_message_is_well_formed) {
  std::mt19937_64 random(seed());
  RecordBatch records;
  for (int i = 0; i < 3000; ++i) records.push_back(random_record(random));
  const bool v5 = GetParam().version <= NetflowVersion::kV5;  // or v1
  RecordBatch wanted;
  for (const FlowRecord& record : records) {
    const IpVersion version = record.key.ip_version();
    const bool sent =
        v5 ? version == IpVersion::kV4 : version != IpVersion::kNone || GetParam().non_ip;
    if (sent) wanted.push_back(record);
  }
  RecordTally tally;
  auto got = pass(records, tally);
  if (v5) {
    got = join_pieces(got, wanted);
  } else {
    sort_alike(got, wanted);
  }
  EXPECT_EQ(tally.encoded.records, wanted.size());
  EXPECT_EQ(tally.encoded.records + tally.non_ip.records + tally.not_in_version.records,
            records.size());
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size() && !HasFailure(); ++i) {
    SCOPED_TRACE("record " + std::to_string(i));
    expect_equal(got[i], wanted[i]);
  }
  EXPECT_EQ(options_, v5 ? 0u : 23u) << "1 sampling, 21 interfaces, 1 statistics";
  EXPECT_TRUE(decoder_.errors().empty()) << decoder_.errors().front();
}

std::string setting_name(const testing::TestParamInfo<Setting>& info) {
  return "version_" + std::to_string(static_cast<unsigned>(info.param.version)) + "_datagram_" +
         std::to_string(info.param.datagram) + (info.param.non_ip ? "_non_ip" : "");
}

INSTANTIATE_TEST_SUITE_P(
    Versions, RoundTrip,
    testing::Values(
        Setting{NetflowVersion::kV9, 1400, true}, Setting{NetflowVersion::kV9, 1401, false},
        Setting{NetflowVersion::kV9, 512, true}, Setting{NetflowVersion::kV9, 65507, false},
        Setting{NetflowVersion::kIpfix, 1400, true}, Setting{NetflowVersion::kIpfix, 1399, false},
        Setting{NetflowVersion::kIpfix, 512, true}, Setting{NetflowVersion::kIpfix, 65507, false},
        Setting{NetflowVersion::kV1, 1400, false}, Setting{NetflowVersion::kV1, 512, false},
        Setting{NetflowVersion::kV5, 1400, false}, Setting{NetflowVersion::kV5, 512, false},
        Setting{NetflowVersion::kV5, 65507, false}),
    setting_name);

// A message that was not sent is encoded again, in another size, without a gap.
TEST_P(RoundTrip, a_rewound_message_leaves_no_gap_in_the_sequence) {
  std::mt19937_64 random(seed());
  RecordBatch records;
  while (records.size() < 200) {
    records.push_back(random_record(random));
    records.back().octets &= 0xffff'ffff;
    records.back().packets &= 0xffff;
  }
  CollectorConfig collector;
  collector.version = GetParam().version;
  const ExporterInfo exporter = sample_exporter();
  const auto encoder = make_message_encoder(collector, exporter, nullptr);
  Octets buffer(GetParam().datagram);
  std::size_t announced = 0;
  std::size_t at = 0;
  std::uint64_t encoded = 0;
  std::uint64_t decoded = 0;
  for (int turn = 0; at < records.size(); ++turn) {
    const EncoderPosition before = encoder->position();
    const std::size_t announced_before = announced;
    const auto target = turn % 3 == 1 ? std::span(buffer).first(512) : std::span(buffer);
    RecordTally tally;
    encoder->begin(target, exporter.clock());
    announced = encoder->add_announcements(announced);
    const std::size_t taken = announced == encoder->announcements()
                                  ? encoder->add_records(std::span(records).subspan(at), tally)
                                  : 0;
    const std::size_t octets = encoder->finish();
    if (turn % 3 == 0) {  // "the kernel did not take it"
      encoder->rewind(before);
      announced = announced_before;
      continue;
    }
    at += taken;
    encoded += tally.encoded.records;
    if (octets > 0) decoded += decoder_.decode(std::span(buffer).first(octets)).flows().size();
  }
  if (GetParam().version <= NetflowVersion::kV5) {
    EXPECT_GE(decoded, encoded);  // pieces
  } else {
    EXPECT_EQ(decoded, encoded);
  }
  EXPECT_TRUE(decoder_.errors().empty()) << decoder_.errors().front();
}

}  // namespace
}  // namespace wiretally::test
