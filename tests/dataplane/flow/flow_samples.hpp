// SPDX-License-Identifier: Apache-2.0
// Random parsed packets of random flows, for tests of the tables and the cache. A seed makes a run
// repeatable; the tests print theirs.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "dataplane/flow/count_table.hpp"

namespace wiretally::test {

inline FlowKey numbered_key(std::uint32_t number, IpVersion version = IpVersion::kV4) {
  FlowKey key;
  std::memcpy(key.source.data() + 12, &number, sizeof number);
  key.destination[15] = 1;
  if (version == IpVersion::kV6) key.source[0] = 0x20;
  key.protocol = 17;
  key.source_port = static_cast<std::uint16_t>(number);
  key.destination_port = 53;
  key.set_kind(version, CoarseLevel::kExact);
  return key;
}

inline ParsedPacket packet_of(const FlowKey& key, std::uint64_t octets, std::uint32_t wire,
                              std::uint32_t time = 0) {
  ParsedPacket packet;
  packet.key = key;
  packet.octets = octets;
  packet.wire_octets = wire;
  packet.time_offset = time;
  return packet;
}

inline std::vector<ParsedPacket> random_packets(std::mt19937_64& random, std::size_t count,
                                                std::uint32_t flows) {
  std::vector<ParsedPacket> packets;
  packets.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto flow = static_cast<std::uint32_t>(random() % flows);
    const auto version = flow % 5 == 0 ? IpVersion::kV6 : IpVersion::kV4;
    const auto octets = 20 + random() % 1480;
    packets.push_back(packet_of(numbered_key(flow, version), octets,
                                static_cast<std::uint32_t>(octets + 14),
                                static_cast<std::uint32_t>(random())));
    packets.back().tcp_flags = static_cast<std::uint16_t>(1u << (random() % 12));
  }
  return packets;
}

// Counts everything in bursts; a packet without an exact place goes by the overload rule. Returns
// how many did.
inline std::size_t count(CountTable& table, std::span<const ParsedPacket> packets,
                         std::span<const std::uint64_t> hashes, const FlowHash& hash) {
  std::size_t coarse = 0;
  for (std::size_t done = 0; done < packets.size(); done += kBurstMax) {
    const auto burst = packets.subspan(done, std::min(kBurstMax, packets.size() - done));
    std::array<std::uint8_t, kBurstMax> unplaced;
    const std::size_t rest = table.count_all(burst, hashes.data() + done, unplaced.data());
    for (std::size_t i = 0; i < rest; ++i) table.count_coarse(burst[unplaced[i]], hash);
    coarse += rest;
  }
  return coarse;
}

}  // namespace wiretally::test
