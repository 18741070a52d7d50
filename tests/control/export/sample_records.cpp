// SPDX-License-Identifier: Apache-2.0
// See sample_records.hpp. Thread: the test's.
#include "tests/control/export/sample_records.hpp"

#include <arpa/inet.h>

namespace wiretally::test {
namespace {

void set_ipv4(std::array<std::uint8_t, 16>& field, const char* text) {
  inet_pton(AF_INET, text, field.data() + 12);
}

void set_ipv6(std::array<std::uint8_t, 16>& field, const char* text) {
  inet_pton(AF_INET6, text, field.data());
}

FlowRecord record_of(IpVersion version) {
  FlowRecord record;
  record.key.set_kind(version, CoarseLevel::kExact);
  record.first = kEpoch + 1'500'000'000;
  record.last = kEpoch + 2'750'999'999;  // cut to 750 ms
  record.ingress_ifindex = 7;
  return record;
}

}  // namespace

FlowRecord tcp_ipv4() {
  FlowRecord record = record_of(IpVersion::kV4);
  set_ipv4(record.key.source, "192.0.2.1");
  set_ipv4(record.key.destination, "198.51.100.2");
  record.key.source_port = 49152;
  record.key.destination_port = 443;
  record.key.protocol = 6;
  record.key.set_vlan(100);
  record.packets = 10;
  record.octets = 4000;
  record.l2_octets = 4140;
  record.tcp_flags = 0x11b;  // NS is bit 8: not in one octet
  record.tos = 0xb8;
  record.end_reason = FlowEndReason::kEndOfFlow;
  return record;
}

FlowRecord udp_ipv6() {
  FlowRecord record = record_of(IpVersion::kV6);
  set_ipv6(record.key.source, "2001:db8::1");
  set_ipv6(record.key.destination, "2001:db8:ffff::53");
  record.key.source_port = 5353;
  record.key.destination_port = 53;
  record.key.protocol = 17;
  record.packets = 1;
  record.octets = 72;
  record.l2_octets = 86;
  record.end_reason = FlowEndReason::kIdleTimeout;
  return record;
}

FlowRecord icmp_echo() {
  FlowRecord record = tcp_ipv4();
  record.key.protocol = 1;
  record.key.source_port = 0;
  record.key.destination_port = 8 * 256;
  record.key.set_vlan(0);
  record.tcp_flags = 0;
  record.tos = 0;
  record.end_reason = FlowEndReason::kActiveTimeout;
  return record;
}

FlowRecord icmpv6_unreachable() {
  FlowRecord record = udp_ipv6();
  record.key.protocol = 58;
  record.key.source_port = 0;
  record.key.destination_port = 1 * 256 + 4;
  record.end_reason = FlowEndReason::kForcedEnd;
  return record;
}

FlowRecord large_counters() {
  FlowRecord record = tcp_ipv4();
  record.packets = 4'294'967'297;
  record.octets = 5'000'000'000'123;
  return record;
}

FlowRecord arp_frames() {
  FlowRecord record = record_of(IpVersion::kNone);
  record.key.destination_port = 0x0806;
  record.packets = 3;
  record.l2_octets = 180;
  return record;
}

FlowRecord coarse(CoarseLevel level) {
  FlowRecord record = record_of(IpVersion::kV4);
  const bool both = level == CoarseLevel::kNoPorts;
  if (both || level == CoarseLevel::kSourceHost) set_ipv4(record.key.source, "192.0.2.1");
  if (both || level == CoarseLevel::kDestinationHost) {
    set_ipv4(record.key.destination, "198.51.100.2");
  }
  if (both || level == CoarseLevel::kProtocol) record.key.protocol = 17;
  record.key.set_kind(IpVersion::kV4, level);
  record.packets = 1000;
  record.octets = 40000;
  record.l2_octets = 60000;
  record.end_reason = FlowEndReason::kLackOfResources;
  return record;
}

FlowRecord random_record(std::mt19937_64& random) {
  const auto below = [&](std::uint64_t n) { return random() % n; };
  FlowRecord record = record_of(below(5) == 0 ? IpVersion::kV6 : IpVersion::kV4);
  if (below(50) == 0) record = record_of(IpVersion::kNone);
  const bool ipv4 = record.key.ip_version() == IpVersion::kV4;
  if (record.key.ip_version() != IpVersion::kNone) {
    for (std::size_t i = ipv4 ? 12 : 0; i < 16; ++i) {
      record.key.source[i] = static_cast<std::uint8_t>(random());
      record.key.destination[i] = static_cast<std::uint8_t>(random());
    }
    constexpr std::uint8_t kProtocols[] = {6, 6, 17, 17, 1, 58, 132, 47};
    record.key.protocol = kProtocols[below(8)];
    record.key.source_port = static_cast<std::uint16_t>(random());
    record.octets = random() >> (28 + below(36));
    record.tcp_flags = static_cast<std::uint16_t>(below(4096));
    record.tos = static_cast<std::uint8_t>(random());
  }
  record.key.destination_port = static_cast<std::uint16_t>(random());
  record.key.set_vlan(static_cast<std::uint16_t>(below(4096)));
  if (below(20) == 0) {
    const auto level = static_cast<CoarseLevel>(below(kCoarseLevels));
    record.key.set_kind(record.key.ip_version(), level);
  }
  record.packets = random() >> (28 + below(36));
  record.l2_octets = random() >> below(64);
  record.first = kEpoch - static_cast<TimeNs>(below(3600 * 1'000'000'000ull));
  record.last = record.first + static_cast<TimeNs>(below(1800 * 1'000'000'000ull));
  record.ingress_ifindex = 1 + static_cast<std::uint32_t>(below(65534));
  record.end_reason = static_cast<FlowEndReason>(1 + below(5));
  return record;
}

ExporterInfo sample_exporter() {
  ExporterInfo exporter;
  exporter.domain_id = 0x11223344;
  exporter.sampling_rate = 1;
  exporter.sampling_mode = SamplingMode::kDeterministic;
  exporter.interfaces = {{7, "eth1", "tap-a"}};
  exporter.start_time = kEpoch;
  exporter.clock = [] { return kEpoch + 60 * kNsPerSecond; };
  return exporter;
}

RecordBatchPtr make_batch(const std::vector<FlowRecord>& records) {
  return std::make_shared<const RecordBatch>(records.begin(), records.end());
}

}  // namespace wiretally::test
