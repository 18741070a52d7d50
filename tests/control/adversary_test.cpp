// SPDX-License-Identifier: Apache-2.0
// The worst traffic, through worker, tables, tick, cache and ledger: exact, in fixed memory, with a
// bounded amount of work a tick; a resident flow keeps its count, and who is flooded or scans is
// named within two ticks. Seeds are fixed; nothing depends on the machine's speed.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <thread>

#include "control/api/flow_views.hpp"
#include "control/tick.hpp"
#include "dataplane/packet/limits.hpp"
#include "tests/support/linear_hash.hpp"
#include "tests/support/packet_builder.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kFlowsMax = 65'536;
constexpr std::size_t kTableEntries = 65'536;
constexpr std::size_t kPerTick = 200'000;
constexpr int kTicks = 6;
constexpr std::size_t kResidentEvery = 50;
// A tick's records: an eighth of the cache (16,384 here) and its rounding by shard and by batch,
// the coarse rows of the table (3 x 1024), of 16 shards (3 x 128 each) and of the last resort.
constexpr std::size_t kCoarseMax = 3 * 1024 + 16 * 3 * 128 + 768;
constexpr std::size_t kRecordsMax = 16'384 + 16 * 16 + kCoarseMax;
// Each of 16 shards has room for four standard deviations more than its share.
constexpr std::size_t kActiveMax = kFlowsMax + 16 * 4 * 64 + kCoarseMax;

using Frame = std::vector<std::uint8_t>;
// Makes packet number `i` of the flood out of a template; returns its length.
using Shape = std::function<std::size_t(std::uint64_t i, Frame& frame)>;

std::uint64_t mix(std::uint64_t i) {  // splitmix64: packet number to random octets
  i += 0x9e3779b97f4a7c15;
  i = (i ^ i >> 30) * 0xbf58476d1ce4e5b9;
  i = (i ^ i >> 27) * 0x94d049bb133111eb;
  return i ^ i >> 31;
}

void put(Frame& frame, std::size_t at, std::uint64_t value, std::size_t octets) {
  for (std::size_t i = 0; i < octets; ++i) {
    frame[at + i] = static_cast<std::uint8_t>(value >> 8 * (octets - 1 - i));
  }
}

constexpr std::size_t kSource = 26, kDestination = 30, kPorts = 34;  // in a plain IPv4 frame

Frame syn() {
  return PacketBuilder().ethernet(0x0800).ipv4(6, "10.0.0.1", "198.51.100.7").tcp(1, 80, 2).build();
}
Frame resident_frame() {
  return PacketBuilder().ethernet(0x0800).ipv4(17, "192.0.2.1", "192.0.2.2").udp(7, 9).build();
}

// Gives out what the test allows, no more, so that each tick has the packets it is to have.
class FloodSource {
 public:
  FloodSource(const Frame& model, Shape shape)
      : frames_(kBurstMax, model), shape_(std::move(shape)), resident_(resident_frame()) {}

  std::size_t poll(std::span<PacketView> views) {
    std::uint64_t next = sent_.load(std::memory_order_relaxed);
    const std::uint64_t until = allowed_.load(std::memory_order_acquire);
    std::size_t n = 0;
    for (; n < views.size() && next < until; ++n, ++next) views[n] = view(next, frames_[n]);
    sent_.store(next, std::memory_order_release);
    return n;
  }
  void release() {}
  [[nodiscard]] bool exhausted() const { return false; }
  void allow(std::uint64_t packets) {
    allowed_.fetch_add(packets, std::memory_order_release);
    while (sent_.load(std::memory_order_acquire) != allowed_.load()) std::this_thread::yield();
  }
  [[nodiscard]] std::uint64_t sent() const { return sent_.load(); }

 private:
  PacketView view(std::uint64_t number, Frame& frame) {
    if (number % kResidentEvery == 0) return of(resident_, resident_.size());
    return of(frame, shape_(number, frame));
  }
  static PacketView of(const Frame& frame, std::size_t length) {
    const auto octets = static_cast<std::uint32_t>(length);
    return {frame.data(), octets, octets, 0, LinkType::kEthernet, PortIndex{0}};
  }

  std::vector<Frame> frames_;
  Shape shape_;
  Frame resident_;
  std::atomic<std::uint64_t> allowed_{0};
  std::atomic<std::uint64_t> sent_{0};
};

class Wire final : public CapturePort {
 public:
  [[nodiscard]] std::string_view name() const override { return "wire"; }
  [[nodiscard]] std::uint32_t ifindex() const override { return 1; }
  std::vector<MissedCount> missed() override { return {}; }
};

// What a collector would learn, tick by tick.
class Watcher final : public RecordSink {
 public:
  void offer(const RecordBatchPtr& batch) override {
    for (const FlowRecord& record : *batch) {
      ++records;
      ++this_tick;
      packets += record.packets;
      const bool lack = record.end_reason == FlowEndReason::kLackOfResources;
      if (record.key.level() != CoarseLevel::kExact) {
        ++coarse_records;
        named_victim |= lack && record.key.level() == CoarseLevel::kDestinationHost &&
                        record.key.destination[12] == 198 && record.key.destination[15] == 7;
        named_source |= lack && record.key.level() == CoarseLevel::kSourceHost &&
                        record.key.source[12] == 10 && record.key.source[15] == 1;
      } else if (record.key.source[12] == 192 && record.key.source_port == 7) {
        resident_packets += record.packets;
        resident_shed |= lack;
      }
    }
  }
  [[nodiscard]] SinkAccount account() const override {
    SinkAccount account;
    account.name = "watcher";
    account.offered = account.delivered = records;
    return account;
  }
  void finish(double) override {}

  std::uint64_t records = 0, this_tick = 0, packets = 0, coarse_records = 0, resident_packets = 0;
  bool named_victim = false, named_source = false, resident_shed = false;
};

std::size_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word != "VmRSS:") continue;
    std::size_t kib = 0;
    status >> kib;
    return kib;
  }
  return 0;
}

class AdversaryTest : public testing::Test {
 protected:
  AdversaryTest() {
    merger_options.flows.max_flows = kFlowsMax;
    merger_options.threads = 2;
    merger_options.ifindex = {1};
  }

  void flood(const Frame& model, Shape shape) {
    Merger merger(merger_options, hash);
    WorkerEpochs epochs(kTableEntries, 1, CountTable::Memory::kPopulated);
    Worker worker({}, hash, epochs, clock, 1);
    Tick tick(parts(merger, epochs));
    tick.set_sinks({&watcher}, {});
    FloodSource source(model, std::move(shape));
    std::atomic<bool> stop{false};
    std::thread thread([&] { worker.run(source, stop); });
    std::size_t memory = 0;
    for (int i = 1; i <= kTicks; ++i) {
      one_tick(source, tick, kPerTick);
      if (i == 2) {
        top_destination = list_top(merger, TopDimension::kDestinationHost, 1).rows.at(0).name;
        top_source = list_top(merger, TopDimension::kSourceHost, 1).rows.at(0).name;
        named_in_two_ticks = watcher.named_victim || watcher.named_source;
        memory = resident_kib();  // of a meter that has been looked at
      }
    }
    expect_same_memory(memory);
    stop = true;
    while (!tick.all_finished()) {
      if (tick.anything_published()) tick.run(false);
    }
    thread.join();
    tick.run(true);
    tick.republish();
    expect_exact(source.sent());
  }

  Tick::Parts parts(Merger& merger, WorkerEpochs& epochs) {
    Tick::Parts parts;
    parts.merger = &merger;
    parts.board = &board;
    parts.clock = &clock;
    parts.workers = {&epochs};
    parts.cores = {-1};
    parts.ports = {&wire};
    return parts;
  }

  void one_tick(FloodSource& source, Tick& tick, std::uint64_t packets) {
    source.allow(packets);
    watcher.this_tick = 0;
    tick.request_flips(60 * kNsPerSecond);
    tick.run(false);
    EXPECT_LE(watcher.this_tick, kRecordsMax);   // the work of a tick has a bound ...
    EXPECT_LT(board.latest()->tick.last_s, 10);  // ... so this one is generous
    EXPECT_LE(board.latest()->flows.active, kActiveMax);
    EXPECT_TRUE(board.latest()->ledger.balanced());
  }

  static void expect_same_memory([[maybe_unused]] std::size_t before) {
#ifndef __SANITIZE_ADDRESS__
    EXPECT_LE(resident_kib(), before * 105 / 100);
#endif
  }

  void expect_exact(std::uint64_t sent) {
    tick_republished = board.latest();
    EXPECT_TRUE(tick_republished->ledger.balanced());
    const PortStatus& port = tick_republished->ports.at(0);
    EXPECT_EQ(port.received.packets, sent);
    std::uint64_t metered = 0;
    for (const Volume& volume : port.metered) metered += volume.packets;
    EXPECT_EQ(watcher.packets, metered);
    EXPECT_EQ(watcher.resident_packets, (sent + kResidentEvery - 1) / kResidentEvery);
    EXPECT_FALSE(watcher.resident_shed);
  }

  std::uint64_t coarse(CoarseLevel level) {
    return tick_republished->ports.at(0).coarse_packets[static_cast<std::size_t>(level)];
  }

  MergerOptions merger_options;
  FlowHash hash{FlowHash::fixed_seed(), {}};
  MeterClock clock;
  StatusBoard board;
  Wire wire;
  Watcher watcher;
  StatusPtr tick_republished;
  std::string top_destination, top_source;
  bool named_in_two_ticks = false;
};

TEST_F(AdversaryTest, a_syn_flood_from_random_sources_names_its_victim) {
  flood(syn(), [](std::uint64_t i, Frame& frame) {
    put(frame, kSource, mix(i), 4);
    put(frame, kPorts, mix(i) >> 32, 2);
    return frame.size();
  });
  EXPECT_EQ(top_destination, "198.51.100.7");
  EXPECT_TRUE(watcher.named_victim);
  EXPECT_TRUE(named_in_two_ticks);
  EXPECT_GT(coarse(CoarseLevel::kDestinationHost), kTicks * kPerTick / 2);
  EXPECT_EQ(coarse(CoarseLevel::kSourceHost), 0u);
}

TEST_F(AdversaryTest, a_scan_of_random_destinations_names_its_source) {
  flood(syn(), [](std::uint64_t i, Frame& frame) {
    put(frame, kDestination, mix(i), 4);
    put(frame, kPorts + 2, mix(i) >> 32, 2);
    return frame.size();
  });
  EXPECT_EQ(top_source, "10.0.0.1");
  EXPECT_TRUE(watcher.named_source);
  EXPECT_TRUE(named_in_two_ticks);
  EXPECT_GT(coarse(CoarseLevel::kSourceHost), kTicks * kPerTick / 2);
  EXPECT_EQ(coarse(CoarseLevel::kProtocol), 0u);
}

TEST_F(AdversaryTest, all_random_ends_in_a_row_of_port_version_and_protocol) {
  flood(syn(), [](std::uint64_t i, Frame& frame) {
    put(frame, kSource, mix(i), 8);
    put(frame, kPorts, mix(~i), 4);
    return frame.size();
  });
  EXPECT_GT(coarse(CoarseLevel::kProtocol), kTicks * kPerTick / 2);
}

TEST_F(AdversaryTest, a_burst_of_new_flows_each_second_is_counted) {
  flood(PacketBuilder().ethernet(0x0800).ipv4(17).udp(1, 53).build(),
        [](std::uint64_t i, Frame& frame) {
          put(frame, kSource, i, 4);
          return frame.size();
        });
  EXPECT_GT(watcher.coarse_records, 0u);
}

TEST_F(AdversaryTest, long_extension_chains_and_label_stacks_cost_nothing_but_their_reading) {
  PacketBuilder chain;
  chain.ethernet(0x8847);
  for (unsigned i = 0; i < 8; ++i) chain.mpls(100 + i, i == 7);
  chain.ipv6(0);
  for (unsigned i = 0; i < 7; ++i) chain.extension(i == 6 ? 6 : 60);
  flood(chain.tcp(1, 80, 2).build(), [](std::uint64_t i, Frame& frame) {
    put(frame, 14 + 8 * 4 + 8, mix(i), 8);  // IPv6 source
    return frame.size();
  });
  EXPECT_GT(watcher.coarse_records, 0u);
}

TEST_F(AdversaryTest, runts_are_counted_under_their_reasons) {
  flood(syn(), [](std::uint64_t i, Frame& frame) {
    put(frame, kSource, mix(i), 4);
    return static_cast<std::size_t>(mix(i) >> 40) % 34;
  });
  std::uint64_t refused = 0;
  for (const Volume& volume : tick_republished->ports[0].parse_results) refused += volume.packets;
  EXPECT_GT(refused, kTicks * kPerTick / 2);
}

// -- keys that collide under a linear hash: source address, source port and destination port are
// 64 bits that an attacker is free to choose.
class CollidingKeysTest : public AdversaryTest, public testing::WithParamInterface<LinearHash> {};

TEST_P(CollidingKeysTest, are_spread_by_the_keyed_hash) {
  const auto kernel = null_space(GetParam());
  ASSERT_GE(kernel.size(), 32u);
  const auto chosen = [&kernel](std::uint64_t i) {
    return combine(kernel, static_cast<std::uint32_t>(i));
  };
  for (std::uint64_t i = 0; i < 200'000; ++i) ASSERT_EQ(GetParam()(chosen(i)), GetParam()(0));
  // As many flows as the table takes exactly: none of them may fail to find a place.
  flood(syn(), [&chosen](std::uint64_t i, Frame& frame) {
    const std::uint64_t key = chosen(i % 50'000);
    put(frame, kSource, key >> 32, 4);
    put(frame, kPorts, key, 4);
    return frame.size();
  });
  EXPECT_EQ(watcher.coarse_records, 0u);
}

INSTANTIATE_TEST_SUITE_P(Linear, CollidingKeysTest, testing::Values(crc32c, toeplitz));

}  // namespace
}  // namespace wiretally
