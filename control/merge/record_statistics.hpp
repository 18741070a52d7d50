// SPDX-License-Identifier: Apache-2.0
// How large and how long flow records are: least, most, sums; of all of them and by protocol.
// What `status` tells of ended flows, as softflowctl's `statistics` does. A shard keeps its own;
// they add up. Thread: control.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "control/merge/flow_record.hpp"

namespace wiretally {

struct RecordStatistics {
  struct Spread {
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t most = 0;

    void take(std::uint64_t value) {
      least = std::min(least, value);
      most = std::max(most, value);
    }
    void add(const Spread& o) {
      least = std::min(least, o.least);
      most = std::max(most, o.most);
    }
  };
  struct Sum {
    std::uint64_t records = 0;
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;  // layer 3
    double seconds = 0;
    double seconds_max = 0;

    void add(const Sum& o) {
      records += o.records;
      packets += o.packets;
      octets += o.octets;
      seconds += o.seconds;
      seconds_max = std::max(seconds_max, o.seconds_max);
    }
  };
  static constexpr std::size_t kNonIp = 256;

  Spread packets;
  Spread octets;
  Spread nanoseconds;
  std::array<Sum, kNonIp + 1> protocols{};  // by IP protocol; frames without IP last

  void take(const FlowRecord& record) {
    const bool ip = record.key.ip_version() != IpVersion::kNone;
    const auto span = static_cast<std::uint64_t>(std::max<TimeNs>(record.last - record.first, 0));
    packets.take(record.packets);
    octets.take(record.octets);
    nanoseconds.take(span);
    const double seconds = static_cast<double>(span) * 1e-9;
    protocols[ip ? record.key.protocol : kNonIp].add(
        {1, record.packets, record.octets, seconds, seconds});
  }
  void add(const RecordStatistics& o) {
    packets.add(o.packets);
    octets.add(o.octets);
    nanoseconds.add(o.nanoseconds);
    for (std::size_t i = 0; i < protocols.size(); ++i) protocols[i].add(o.protocols[i]);
  }
};

}  // namespace wiretally
