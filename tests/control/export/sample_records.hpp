// SPDX-License-Identifier: Apache-2.0
// Flow Records for the export tests: fixed cases that every version is tested with, and random
// ones. Thread: the test's.
#pragma once

#include <random>
#include <string>

#include "control/export/exporter_info.hpp"
#include "control/merge/flow_record.hpp"

namespace wiretally::test {

// 2021-01-01T00:00:00Z, when all fixed cases start.
inline constexpr TimeNs kEpoch = 1'609'459'200 * kNsPerSecond;

FlowRecord tcp_ipv4();
FlowRecord udp_ipv6();
FlowRecord icmp_echo();           // ICMPv4 8.0
FlowRecord icmpv6_unreachable();  // ICMPv6 1.4
FlowRecord large_counters();      // 5,000,000,000,123 octets
FlowRecord arp_frames();          // non-IP
FlowRecord coarse(CoarseLevel level);

FlowRecord random_record(std::mt19937_64& random);

// Domain 0x11223344, sampling 1:1, one interface, a clock that stands at kEpoch + 60 s.
ExporterInfo sample_exporter();

RecordBatchPtr make_batch(const std::vector<FlowRecord>& records);

}  // namespace wiretally::test
