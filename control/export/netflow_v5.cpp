// SPDX-License-Identifier: Apache-2.0
// See netflow_v5.hpp. Thread: one link thread.
#include "control/export/netflow_v5.hpp"

#include <algorithm>
#include <cassert>

namespace wiretally {
namespace {

// Header, v1 to unix_nsecs: 0 version 2 | 2 count 2 | 4 sysUptime 4 | 8 unix_secs 4 | 12 unix_nsecs
// 4 |
//   16 flow_sequence 4 | 20 engine_type 1, engine_id 1 | 22 sampling mode and interval 2
constexpr std::size_t kHeaderOctets = 24;
constexpr std::size_t kHeaderOctetsV1 = 16;
// Record: 0 source | 4 destination | 8 next hop | 12 input 2 | 14 output 2 | 16 packets | 20 octets
// |
//   24 first | 28 last | 32 source port 2 | 34 destination port 2 | 36 pad | 37 TCP flags |
//   38 protocol | 39 ToS | 40 AS numbers 2+2 | 44 masks 1+1 | 46 pad 2
// v1 from 36 on: pad 2 | 38 protocol | 39 ToS | 40 TCP flags | 41 pad 7
constexpr std::size_t kRecordOctets = 48;
constexpr std::size_t kFirstOffset = 24;
constexpr std::size_t kLastOffset = 28;

constexpr std::uint64_t kCounterMax = 0xffff'ffff;
constexpr std::int64_t kUptimeMax = 0xffff'ffff;
constexpr std::int64_t kNsPerMs = 1'000'000;

std::uint16_t sampling_field(const CollectorConfig& collector, const ExporterInfo& exporter) {
  constexpr std::uint32_t kIntervalMax = 0x3fff;
  if (!collector.option_sampling || exporter.sampling_rate > kIntervalMax) return 0;
  const unsigned mode = exporter.sampling_mode == SamplingMode::kDeterministic ? 1 : 2;
  return static_cast<std::uint16_t>(mode << 14 | exporter.sampling_rate);
}

// Part `piece` of `total` split evenly, so that the parts add up to it exactly.
std::uint64_t part(std::uint64_t total, std::uint64_t piece, std::uint64_t pieces) {
  const auto bound = [&](std::uint64_t i) {
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(total) * i / pieces);
  };
  return bound(piece + 1) - bound(piece);
}

}  // namespace

NetflowV5Encoder::NetflowV5Encoder(const CollectorConfig& collector, const ExporterInfo& exporter)
    : v1_(collector.version == NetflowVersion::kV1),
      header_octets_(v1_ ? kHeaderOctetsV1 : kHeaderOctets),
      records_max_(v1_ ? kRecordsMaxV1 : kRecordsMax),
      engine_(static_cast<std::uint16_t>(exporter.domain_id)),
      sampling_(sampling_field(collector, exporter)),
      start_ms_(exporter.start_time / kNsPerMs) {}

void NetflowV5Encoder::begin(std::span<std::uint8_t> buffer, TimeNs now) {
  assert(buffer.size() >= kDatagramMin);
  out_ = MessageWriter(buffer);
  message_ = out_.reserve(header_octets_);
  now_ms_ = now / kNsPerMs;
  now_ns_part_ = now % kNsPerMs;
  count_ = 0;
}

std::size_t NetflowV5Encoder::add_records(std::span<const FlowRecord> records, RecordTally& tally) {
  for (std::size_t taken = 0; taken < records.size(); ++taken) {
    const FlowRecord& record = records[taken];
    switch (record.key.ip_version()) {
      case IpVersion::kNone:
        tally.non_ip.add(record);
        break;
      case IpVersion::kV6:
        tally.not_in_version.add(record);
        break;
      case IpVersion::kV4:
        if (!add_pieces(record, tally)) return taken;
        tally.encoded.add(record);
        break;
    }
  }
  return records.size();
}

// True when the whole record is out; false when the message is full (position_.piece says how far).
bool NetflowV5Encoder::add_pieces(const FlowRecord& record, RecordTally& tally) {
  const std::uint64_t largest = std::max(record.octets, record.packets);
  const std::uint64_t pieces =
      std::max<std::uint64_t>(1, (largest + kCounterMax - 1) / kCounterMax);
  while (position_.piece < pieces) {
    if (count_ == records_max_ || out_.remaining() < kRecordOctets) return false;
    write_piece(record, position_.piece, pieces);
    if (position_.piece > 0) ++tally.extra_pieces;
    ++position_.piece;
  }
  position_.piece = 0;
  return true;
}

void NetflowV5Encoder::write_piece(const FlowRecord& record, std::uint64_t piece,
                                   std::uint64_t pieces) {
  const FlowKey& key = record.key;
  std::uint8_t* p = out_.reserve(kRecordOctets);
  std::memcpy(p, key.source.data() + 12, 4);
  std::memcpy(p + 4, key.destination.data() + 12, 4);
  // An ifIndex that does not fit is 65535, which no interface has: never another one's number.
  store_be16(p + 12, static_cast<std::uint16_t>(std::min(record.ingress_ifindex, 0xffffu)));
  store_be16(p + 14, static_cast<std::uint16_t>(std::min(record.egress_ifindex, 0xffffu)));
  store_be32(p + 16, static_cast<std::uint32_t>(part(record.packets, piece, pieces)));
  store_be32(p + 20, static_cast<std::uint32_t>(part(record.octets, piece, pieces)));
  store_be16(p + 32, key.source_port);
  store_be16(p + 34, key.destination_port);
  p[v1_ ? 40 : 37] = static_cast<std::uint8_t>(record.tcp_flags);
  p[38] = key.protocol;
  p[39] = record.tos;
  times_[count_++] = {record.first / kNsPerMs, record.last / kNsPerMs};
}

std::size_t NetflowV5Encoder::records_in(std::size_t message_octets) const {
  const std::size_t room = message_octets - std::min(message_octets, header_octets_);
  return std::clamp<std::size_t>(room / kRecordOctets, 1, records_max_);
}

std::size_t NetflowV5Encoder::finish() {
  if (count_ == 0) return 0;
  const Clock clock = message_clock();
  for (std::size_t i = 0; i < count_; ++i) {
    std::uint8_t* record = message_ + header_octets_ + i * kRecordOctets;
    const auto uptime = [&](std::int64_t ms) {
      return static_cast<std::uint32_t>(
          std::clamp<std::int64_t>(ms - clock.boot_ms, 0, kUptimeMax));
    };
    store_be32(record + kFirstOffset, uptime(times_[i].first_ms));
    store_be32(record + kLastOffset, uptime(times_[i].last_ms));
  }
  write_header(clock);
  position_.sequence += static_cast<std::uint32_t>(count_);
  return out_.size();
}

// Collectors read a record's time as unix time - sysUptime + first, message by message. So that no
// counter of 49.7 days can wrap between header and record, sysUptime is kept below 2^31 ms and
// began no later than the oldest record; for old captures the message itself is dated by its newest
// record.
NetflowV5Encoder::Clock NetflowV5Encoder::message_clock() const {
  constexpr std::int64_t kHalf = 1ll << 31;
  const auto used = std::span(times_).first(count_);
  const auto oldest = std::min_element(used.begin(), used.end(), [](const auto& a, const auto& b) {
    return a.first_ms < b.first_ms;
  });
  const auto newest = std::max_element(
      used.begin(), used.end(), [](const auto& a, const auto& b) { return a.last_ms < b.last_ms; });
  const std::int64_t age = std::max<std::int64_t>(0, now_ms_ - start_ms_);
  Clock clock{now_ms_ - age % kHalf, now_ms_};
  clock.boot_ms = std::min(clock.boot_ms, oldest->first_ms);
  if (clock.now_ms - clock.boot_ms > kUptimeMax) clock.now_ms = newest->last_ms;
  if (clock.now_ms - clock.boot_ms > kUptimeMax) clock.boot_ms = clock.now_ms - kUptimeMax;
  return clock;
}

void NetflowV5Encoder::write_header(const Clock& clock) {
  const std::int64_t ns_part = clock.now_ms == now_ms_ ? now_ns_part_ : 0;
  store_be16(message_, v1_ ? 1 : 5);
  store_be16(message_ + 2, static_cast<std::uint16_t>(count_));
  store_be32(message_ + 4, static_cast<std::uint32_t>(clock.now_ms - clock.boot_ms));
  store_be32(message_ + 8, static_cast<std::uint32_t>(clock.now_ms / 1000));
  store_be32(message_ + 12, static_cast<std::uint32_t>(clock.now_ms % 1000 * kNsPerMs + ns_part));
  if (v1_) return;
  store_be32(message_ + 16, position_.sequence);
  store_be16(message_ + 20, engine_);
  store_be16(message_ + 22, sampling_);
}

}  // namespace wiretally
