// SPDX-License-Identifier: Apache-2.0
// The hot parts, each as a case that callgrind counts: run under
//   valgrind --tool=callgrind --collect-atstart=no --toggle-collect='counted*' instruction_cases
//   CASE
// it prints how many operations were counted. Same packets, same hash key, same order every time,
// so the instruction counts are the same from run to run. No EAL, no thread, no clock of the
// machine.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "control/export/message_encoder.hpp"
#include "dataplane/flow/hash_behind.hpp"
#include "dataplane/worker.hpp"
#include "tests/support/packet_builder.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kFlows = 1024;
constexpr std::size_t kPasses = 24;
constexpr TimeNs kStart = 1'700'000'000 * kNsPerSecond;

using Frames = std::vector<std::vector<std::uint8_t>>;
using Headers = std::function<PacketBuilder()>;

// One frame a flow: `headers`, then IPv4 and TCP with a source port of its own.
Frames frames_of(const Headers& headers, std::size_t flows) {
  Frames frames;
  for (std::size_t flow = 0; flow < flows; ++flow) {
    const std::string from = "10." + std::to_string(flow >> 16 & 255) + "." +
                             std::to_string(flow >> 8 & 255) + "." + std::to_string(flow & 255);
    frames.push_back(headers()
                         .ipv4(6, from.c_str(), "192.168.1.2")
                         .tcp(1024 + flow % 60'000, 443)
                         .payload(20)
                         .build());
  }
  return frames;
}

Frames ipv6_udp_frames(std::size_t flows) {
  Frames frames;
  for (std::size_t flow = 0; flow < flows; ++flow) {
    const std::string from = "2001:db8::" + std::to_string(1 + flow % 9000);
    frames.push_back(
        PacketBuilder().ethernet(0x86dd).ipv6(17, from.c_str()).udp(flow, 53).payload(20).build());
  }
  return frames;
}

// The frames over and over, a microsecond apart, in an order that is not that of memory.
class Replay {
 public:
  Replay(const Frames& frames, std::size_t packets) : frames_(frames), packets_(packets) {}
  std::size_t poll(std::span<PacketView> views) {
    const std::size_t count = std::min(views.size(), packets_ - sent_);
    for (std::size_t i = 0; i < count; ++i, ++sent_) {
      const auto& frame = frames_[sent_ * 389 % frames_.size()];
      const auto octets = static_cast<std::uint32_t>(frame.size());
      views[i] = {frame.data(), octets, octets, kStart + static_cast<TimeNs>(sent_)};
    }
    return count;
  }
  void release() {}
  [[nodiscard]] bool exhausted() const { return sent_ == packets_; }

 private:
  const Frames& frames_;
  const std::size_t packets_;
  std::size_t sent_ = 0;
};

// What callgrind counts: everything below a function of this name.
[[gnu::noinline]] void counted_worker(Worker& worker, Replay& source) {
  const std::atomic<bool> stop{false};
  worker.run(source, stop);
}

// The meter core alone: parse, hash and ask for the line, count. `views` are bursts of 64.
[[gnu::noinline]] void counted_core(std::span<const PacketView> views, const FlowHash& hash,
                                    CountTable& table) {
  std::array<ParsedPacket, kBurstMax> packets;
  std::array<std::uint64_t, kBurstMax> hashes;
  std::array<std::uint8_t, kBurstMax> unplaced;
  for (std::size_t at = 0; at < views.size(); at += kBurstMax) {
    HashBehind behind(hash, table, packets.data(), hashes.data());
    for (std::size_t i = 0; i < kBurstMax; ++i) {
      parse(views[at + i], {TunnelView::kOuter}, packets[i]);
      behind.follow(i + 1);
    }
    behind.finish(kBurstMax);
    table.count_all(packets, hashes.data(), unplaced.data());
  }
}

[[gnu::noinline]] void counted_encoding(MessageEncoder& encoder, std::span<std::uint8_t> buffer,
                                        std::span<const FlowRecord> records) {
  RecordTally tally;
  for (std::size_t at = 0; at < records.size();) {
    encoder.begin(buffer, kStart);
    at += encoder.add_records(records.subspan(at), tally);
    encoder.finish();
  }
}

// The whole loop of a worker: stamps, parse, hash, count. Warm: the flows are in the table.
std::size_t count_packets(const Frames& frames, bool warm, TunnelView view, bool attributes) {
  const FlowHash hash(FlowHash::fixed_seed(), {});
  WorkerEpochs epochs(1 << 17, 1, CountTable::Memory::kPopulated,
                      attributes ? CountTable::Attributes::kKept : CountTable::Attributes::kNone);
  const MeterClock clock;
  WorkerOptions options;
  options.time_base = TimeBase::kPackets;
  options.parse.tunnel = view;
  options.attributes = attributes;
  const std::size_t packets = warm ? kPasses * frames.size() : frames.size();
  Worker worker(options, hash, epochs, clock, 1);
  Replay source(frames, packets);
  counted_worker(worker, source);
  return packets;
}

std::size_t count_in_core(const Frames& frames) {
  const FlowHash hash(FlowHash::fixed_seed(), {});
  CountTable table(1 << 17, 1, CountTable::Memory::kPopulated);
  table.open(0, 0, 4 * kFlows);
  const std::size_t packets = kPasses * frames.size();
  std::vector<PacketView> views(packets);
  Replay source(frames, packets);
  for (std::size_t at = 0; at < packets; at += kBurstMax) {
    source.poll(std::span(views).subspan(at, kBurstMax));
  }
  counted_core(views, hash, table);
  return packets;
}

std::size_t encode_records(NetflowVersion version) {
  std::mt19937_64 random(1);
  std::vector<FlowRecord> records(4096);
  for (FlowRecord& record : records) {
    const bool ipv6 = random() % 5 == 0;
    record.key.set_kind(ipv6 ? IpVersion::kV6 : IpVersion::kV4, CoarseLevel::kExact);
    record.key.protocol = 6;
    record.key.source_port = static_cast<std::uint16_t>(random());
    record.packets = 1 + random() % 1000;
    record.first = kStart - kNsPerSecond;
    record.last = kStart;
  }
  CollectorConfig collector;
  collector.version = version;
  ExporterInfo exporter;
  exporter.domain_id = 1;
  exporter.clock = [] { return kStart; };
  const auto encoder = make_message_encoder(collector, exporter, nullptr);
  std::vector<std::uint8_t> buffer(1400);
  for (std::size_t announced = 0; announced < encoder->announcements();) {
    encoder->begin(buffer, kStart);
    announced = encoder->add_announcements(announced);
    encoder->finish();
  }
  counted_encoding(*encoder, buffer, records);
  return records.size();
}

PacketBuilder ethernet(unsigned type) {
  return PacketBuilder().ethernet(type);
}
PacketBuilder vxlan() {
  return ethernet(0x0800).ipv4(17).udp(40000, 4789).vxlan().ethernet(0x0800);
}
PacketBuilder tags_and_labels() {
  return ethernet(0x88a8).tag(7, 0x8100).tag(8, 0x8847).mpls(100, false).mpls(200, true);
}

using Case = std::function<std::size_t()>;

std::map<std::string, Case> cases() {
  const auto hits = [](const Headers& headers, TunnelView view, bool attributes) {
    return [=] { return count_packets(frames_of(headers, kFlows), true, view, attributes); };
  };
  const auto plain = [] { return ethernet(0x0800); };
  return {
      {"core_ipv4_tcp", [=] { return count_in_core(frames_of(plain, kFlows)); }},
      {"core_ipv6_udp", [] { return count_in_core(ipv6_udp_frames(kFlows)); }},
      {"worker_ipv4_tcp", hits(plain, TunnelView::kOuter, false)},
      {"worker_ipv4_tcp_inner_view", hits(plain, TunnelView::kInner, false)},
      {"worker_ipv4_tcp_attributes", hits(plain, TunnelView::kOuter, true)},
      {"worker_ipv6_udp",
       [] { return count_packets(ipv6_udp_frames(kFlows), true, TunnelView::kOuter, false); }},
      {"worker_qinq_mpls", hits(tags_and_labels, TunnelView::kOuter, false)},
      {"worker_vxlan_inner", hits(vxlan, TunnelView::kInner, false)},
      {"worker_new_flow",
       [=] { return count_packets(frames_of(plain, 24'576), false, TunnelView::kOuter, false); }},
      {"encode_v9", [] { return encode_records(NetflowVersion::kV9); }},
      {"encode_ipfix", [] { return encode_records(NetflowVersion::kIpfix); }},
  };
}

}  // namespace
}  // namespace wiretally

int main(int argc, char** argv) {
  const auto all = wiretally::cases();
  const auto chosen = argc == 2 ? all.find(argv[1]) : all.end();
  if (chosen == all.end()) {
    for (const auto& [name, run] : all) std::printf("%s\n", name.c_str());
    return argc == 1 ? 0 : 2;
  }
  std::printf("operations %zu\n", chosen->second());
  return 0;
}
