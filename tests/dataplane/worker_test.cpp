// SPDX-License-Identifier: Apache-2.0
// The worker and the flip: what goes in over many epochs comes out of the tables, on a live source
// and on a recording, while control drains on another thread. Built with TSan too
// (-Db_sanitize=thread).
#include "dataplane/worker.hpp"

#include <gtest/gtest.h>

#include <map>
#include <thread>
#include <utility>

#include "dataplane/source/packet_filter.hpp"
#include "tests/dataplane/flow/flow_samples.hpp"

namespace wiretally {
namespace {

// Ethernet, IPv4, UDP: 42 octets, the source port numbers the flow.
std::vector<std::uint8_t> udp_frame(std::uint16_t flow) {
  std::vector<std::uint8_t> frame(60, 0);
  frame[12] = 0x08;
  frame[14] = 0x45;
  frame[17] = 46;  // total length
  frame[22] = 64;
  frame[23] = 17;
  frame[26] = 192;
  frame[30] = 198;
  frame[34] = static_cast<std::uint8_t>(flow >> 8);
  frame[35] = static_cast<std::uint8_t>(flow);
  frame[37] = 53;
  return frame;
}

// Packets from memory: `count` of them, over `flows` flows, a microsecond apart unless told
// otherwise.
class MemorySource {
 public:
  MemorySource(std::size_t count, std::uint16_t flows, bool stamped)
      : count_(count), stamped_(stamped) {
    for (std::uint16_t f = 0; f < flows; ++f) frames_.push_back(udp_frame(f));
  }
  std::function<TimeNs(std::size_t)> time_of = [](std::size_t i) {
    return static_cast<TimeNs>(i) * 1000 + kNsPerSecond;
  };

  std::size_t poll(std::span<PacketView> views) {
    std::size_t n = 0;
    for (; n < views.size() && sent_ < count_; ++n, ++sent_) {
      const auto& frame = frames_[sent_ % frames_.size()];
      views[n] = PacketView{frame.data(),        60,          60, stamped_ ? time_of(sent_) : 0,
                            LinkType::kEthernet, PortIndex{0}};
    }
    return n;
  }
  void release() {}
  [[nodiscard]] bool exhausted() const { return sent_ == count_; }
  // Changes the frames before the first is sent.
  template <class F>
  void shape(F f) {
    f(frames_);
  }

 private:
  std::vector<std::vector<std::uint8_t>> frames_;
  std::size_t count_;
  std::size_t sent_ = 0;
  bool stamped_;
};
static_assert(PacketSource<MemorySource>);

struct Outcome {
  std::map<std::uint16_t, std::uint64_t> packets;  // by source port
  std::uint64_t octets = 0;
  std::uint64_t epochs = 0;
  TimeNs first = INT64_MAX;
  TimeNs last = INT64_MIN;
  WorkerCounters counters;
};

void drain(const CountTable& table, Outcome& outcome) {
  for (const CountTable::Segment& segment : table.segments()) {
    const std::size_t lines = (std::size_t{1} << segment.lines_log2) + CountTable::kProbeMax;
    for (std::size_t i = 0; i < lines; ++i) {
      const CountEntry& entry = segment.lines[i];
      if (!table.live(entry)) continue;
      outcome.packets[entry.key.source_port] += entry.packets;
      outcome.octets += entry.octets();
      outcome.first = std::min(outcome.first, table.time_of(entry.first));
      outcome.last = std::max(outcome.last, table.time_of(entry.last));
    }
  }
}

// Runs a worker on a thread of its own and drains it here until its last epoch. `pause` between
// flips.
Outcome run(MemorySource& source, const WorkerOptions& options, std::size_t entries, bool ask) {
  const FlowHash hash(FlowHash::random_seed(), {});
  const MeterClock clock;
  WorkerEpochs epochs(entries, 1, CountTable::Memory::kLazy);
  Worker worker(options, hash, epochs, clock, 1);
  const std::atomic<bool> stop{false};
  std::thread thread([&] { worker.run(source, stop); });
  Outcome outcome;
  for (bool last = false; !last;) {
    if (ask) epochs.request_flip();
    if (!epochs.has_published()) {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
      continue;
    }
    drain(epochs.published(), outcome);
    outcome.counters = epochs.published_report().counters;
    last = epochs.published_report().final_epoch;
    ++outcome.epochs;
    epochs.give_back();
  }
  thread.join();
  return outcome;
}

TEST(Worker, loses_nothing_over_flips_under_load) {
  constexpr std::size_t kPackets = 400'000;
  MemorySource source(kPackets, 1000, false);
  const Outcome outcome = run(source, {}, 10'000, true);
  EXPECT_GT(outcome.epochs, 3u);
  ASSERT_EQ(outcome.packets.size(), 1000u);
  for (const auto& [flow, packets] : outcome.packets) EXPECT_EQ(packets, kPackets / 1000) << flow;
  EXPECT_EQ(outcome.octets, kPackets * 46);
  EXPECT_EQ(outcome.counters.ports[0].received.packets, kPackets);
  EXPECT_EQ(outcome.counters.ports[0].received.l2_octets, kPackets * 60);
  EXPECT_EQ(outcome.counters.ports[0].metered[1].packets, kPackets);
}

std::uint64_t noted(const Outcome& outcome, ParseError result) {
  return outcome.counters.ports[0].results[static_cast<std::size_t>(result)].packets;
}

TEST(Worker, names_what_a_filter_takes_out) {
  PacketFilter filter("udp src port 7");
  WorkerOptions options;
  options.filter = &filter;
  MemorySource source(10'000, 10, true);
  const Outcome outcome = run(source, options, 1000, false);
  EXPECT_EQ(outcome.packets.at(7), 1000u);
  EXPECT_EQ(outcome.packets.size(), 1u);
  EXPECT_EQ(noted(outcome, ParseError::kFiltered), 9000u);
}

// Paused and resumed while packets come: each is in a flow or named, none in both.
TEST(Worker, counts_what_comes_during_a_pause_as_paused) {
  constexpr std::size_t kPackets = 400'000;
  MemorySource source(kPackets, 10, false);
  const FlowHash hash(FlowHash::random_seed(), {});
  const MeterClock clock;
  WorkerEpochs epochs(1000, 1, CountTable::Memory::kLazy);
  Worker worker({}, hash, epochs, clock, 1);
  const std::atomic<bool> stop{false};
  worker.set_paused(true);
  std::thread thread([&] { worker.run(source, stop); });
  Outcome outcome;
  for (bool last = false, paused = true; !last;) {
    epochs.request_flip();
    if (!epochs.has_published()) continue;
    drain(epochs.published(), outcome);
    outcome.counters = epochs.published_report().counters;
    last = epochs.published_report().final_epoch;
    epochs.give_back();
    worker.set_paused(paused = !paused);
  }
  thread.join();
  std::uint64_t counted = 0;
  for (const auto& [flow, packets] : outcome.packets) counted += packets;
  const PortCounters& port = outcome.counters.ports[0];
  const FrameCounter& paused = port.results[static_cast<std::size_t>(ParseError::kPaused)];
  EXPECT_EQ(port.received.packets, kPackets);
  EXPECT_EQ(counted, port.metered[1].packets);
  EXPECT_EQ(counted + paused.packets, kPackets);
  EXPECT_EQ(paused.l2_octets, paused.packets * 60);
  EXPECT_GT(paused.packets, 0u);
}

// Frames 0 to 2: a first fragment, a later one of it, a later one of another packet.
TEST(Worker, joins_fragments_only_if_asked_and_names_those_without_a_first) {
  const auto shape = [](std::vector<std::vector<std::uint8_t>>& frames) {
    frames[0][20] = 0x20;               // more fragments
    frames[1][21] = frames[2][21] = 5;  // offset
    frames[2][19] = 9;                  // another identification
  };
  WorkerOptions options;
  for (const bool join : {false, true}) {
    options.join_fragments = join;
    MemorySource source(30, 3, true);
    source.shape(shape);
    const Outcome outcome = run(source, options, 1000, false);
    const PortCounters& port = outcome.counters.ports[0];
    EXPECT_EQ(port.metered[1].packets, 30u);
    EXPECT_EQ(outcome.octets, 30u * 46);
    EXPECT_EQ(port.fragments_joined, join ? 10u : 0u);
    EXPECT_EQ(noted(outcome, ParseError::kFragmentWithoutFirst), join ? 10u : 0u);
  }
}

TEST(Worker, waits_for_control_on_a_recording_and_keeps_its_clock) {
  MemorySource source(100'000, 500, true);
  source.time_of = [](std::size_t i) { return static_cast<TimeNs>(i) * 100'000; };  // 10 s in all
  WorkerOptions options;
  options.time_base = TimeBase::kPackets;
  const Outcome outcome = run(source, options, 10'000, false);
  EXPECT_EQ(outcome.epochs, 10u) << "a tick is a second of packet time";
  EXPECT_EQ(outcome.first, 0);
  EXPECT_EQ(outcome.last, 99'999 * TimeNs{100'000}) << "exact nanoseconds";
  EXPECT_EQ(outcome.octets, 100'000u * 46);
}

TEST(Worker, flips_instead_of_coarsening_when_a_recording_fills_the_table) {
  MemorySource source(50'000, 20'000, true);
  WorkerOptions options;
  options.time_base = TimeBase::kPackets;
  const Outcome outcome = run(source, options, 1000, false);
  EXPECT_EQ(outcome.packets.size(), 20'000u);
  EXPECT_GE(outcome.epochs, 50u);
  for (const std::uint64_t coarse : outcome.counters.ports[0].coarse) EXPECT_EQ(coarse, 0u);
}

TEST(Worker, keeps_every_stamp_of_a_recording_whose_time_jumps) {
  MemorySource source(2000, 1, true);
  constexpr TimeNs kYear = 365 * 86'400 * kNsPerSecond;
  source.time_of = [](std::size_t i) { return (i % 2 == 0 ? 0 : kYear) + static_cast<TimeNs>(i); };
  WorkerOptions options;
  options.time_base = TimeBase::kPackets;
  const Outcome outcome = run(source, options, 1000, false);
  EXPECT_EQ(outcome.first, 0);
  EXPECT_EQ(outcome.last, kYear + 1999);
  EXPECT_EQ(outcome.packets.at(0), 2000u);
}

// A corrupted capture can claim any time; a sum of times that overflows once kept the worker
// flipping.
TEST(Worker, ends_on_a_recording_whose_stamps_are_at_the_ends_of_time) {
  MemorySource source(100, 1, true);
  source.time_of = [](std::size_t i) {
    constexpr TimeNs kTimes[] = {INT64_MAX, 0, INT64_MIN, INT64_MAX - 1, -1};
    return kTimes[i % 5];
  };
  WorkerOptions options;
  options.time_base = TimeBase::kPackets;
  const Outcome outcome = run(source, options, 1000, false);
  EXPECT_EQ(outcome.packets.at(0), 100u);
  EXPECT_EQ(outcome.last, Worker::kStampMax);
  EXPECT_EQ(outcome.first, -Worker::kStampMax);
}

TEST(Worker, takes_no_stamp_from_before_the_wall_clock_was_stepped) {
  const MeterClock clock;
  for (const TimeNs step : {0, 3600, -3600}) {
    MemorySource source(2000, 10, true);
    source.time_of = [&](std::size_t) {
      return clock.now() + clock.utc_step() + step * kNsPerSecond;
    };
    const TimeNs before = clock.now() - kNsPerSecond;
    const Outcome outcome = run(source, {}, 1000, false);
    EXPECT_GT(outcome.first, before) << step;
    EXPECT_LT(outcome.last, clock.now() + kNsPerSecond) << step;
  }
}

TEST(Worker, counts_coarsely_on_a_live_link_when_the_table_is_full) {
  MemorySource source(60'000, 30'000, false);
  const Outcome outcome = run(source, {}, 1000, false);
  std::uint64_t packets = 0;
  for (const auto& [flow, count] : outcome.packets) packets += count;
  std::uint64_t coarse = 0;
  for (const std::uint64_t count : outcome.counters.ports[0].coarse) coarse += count;
  EXPECT_GT(coarse, 50'000u);
  EXPECT_EQ(packets, 60'000u) << "one destination: all of them find a row with addresses";
  EXPECT_EQ(outcome.octets, 60'000u * 46);
}

TEST(Worker, takes_one_in_n_when_sampling_and_names_the_rest) {
  for (const bool random : {false, true}) {
    MemorySource source(100'000, 10, false);
    WorkerOptions options;
    options.sampling_rate = 10;
    options.sampling_random = random;
    const Outcome outcome = run(source, options, 1000, false);
    const PortCounters& port = outcome.counters.ports[0];
    const auto skipped = port.results[static_cast<std::size_t>(ParseError::kNotSampled)].packets;
    EXPECT_EQ(port.metered[1].packets + skipped, 100'000u);
    if (random) {
      EXPECT_NEAR(static_cast<double>(port.metered[1].packets), 10'000, 600);  // six deviations
    } else {
      EXPECT_EQ(port.metered[1].packets, 10'000u);
    }
  }
}

TEST(Worker, leaves_out_of_the_key_what_it_is_told_to) {
  MemorySource source(1000, 100, false);
  WorkerOptions options;
  options.key_ports = false;
  const Outcome outcome = run(source, options, 1000, false);
  EXPECT_EQ(outcome.packets.size(), 1u);
  EXPECT_EQ(outcome.packets.at(0), 1000u);
  MemorySource again(1000, 100, false);
  options = {};
  options.key_addresses = false;
  EXPECT_EQ(run(again, options, 1000, false).packets.size(), 100u) << "ports stay";
}

// Counts every packet of flow 1 by itself, shows every fourth; stops after `polls`.
class HalfCountingSource {
 public:
  explicit HalfCountingSource(std::uint64_t polls) : polls_(polls), frame_(udp_frame(2)) {}

  std::size_t poll(std::span<PacketView> views) {
    if (stopped_ || seen_ == polls_) return 0;
    ++counted_;
    if (++seen_ % 4 != 0) return 0;
    views[0] = PacketView{frame_.data(), 60, 60, 0, LinkType::kEthernet, PortIndex{0}};
    return 1;
  }
  void release() {}
  [[nodiscard]] bool exhausted() const { return false; }
  void hand_over(CountTaker& taker) {
    const std::uint64_t count = std::exchange(counted_, 0);
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    CountedFlow flow;
    flow.key = test::numbered_key(1);
    flow.packets = count;
    flow.octets = 46 * count;
    flow.l2_octets = 60 * count;
    flow.first = flow.last = now.tv_sec * kNsPerSecond + now.tv_nsec;
    if (count != 0) taker.take(std::span(&flow, 1));
    CountedTotals totals;
    totals.received = {count, 60 * count};
    totals.metered[1] = {count, 46 * count, 60 * count};
    taker.take(totals);
  }
  void stop_counting() { stopped_ = true; }
  [[nodiscard]] bool done() const { return seen_ == polls_; }

 private:
  const std::uint64_t polls_;
  std::uint64_t seen_ = 0;
  std::uint64_t counted_ = 0;
  bool stopped_ = false;
  std::vector<std::uint8_t> frame_;
};
static_assert(CountingSource<HalfCountingSource>);
static_assert(!CountingSource<MemorySource>);

TEST(Worker, takes_over_what_a_source_counted_by_itself_with_every_flip) {
  constexpr std::uint64_t kPolls = 400'000;
  HalfCountingSource source(kPolls);
  const FlowHash hash(FlowHash::random_seed(), {});
  const MeterClock clock;
  const TimeNs began = clock.now();
  WorkerEpochs epochs(1024, 1, CountTable::Memory::kLazy);
  Worker worker({}, hash, epochs, clock, 1);
  std::atomic<bool> stop{false};
  std::thread thread([&] { worker.run(source, stop); });
  Outcome outcome;
  CountTotals drained;
  for (bool last = false; !last;) {
    epochs.request_flip();
    if (outcome.counters.ports.size() == 1 &&
        outcome.counters.ports[0].received.packets >= kPolls + kPolls / 4) {
      stop = true;
    }
    if (!epochs.has_published()) {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
      continue;
    }
    drain(epochs.published(), outcome);
    drained.packets += epochs.published().totals().packets;
    drained.l2_octets += epochs.published().totals().l2_octets;
    outcome.counters = epochs.published_report().counters;
    last = epochs.published_report().final_epoch;
    ++outcome.epochs;
    epochs.give_back();
  }
  thread.join();
  const PortCounters& port = outcome.counters.ports[0];
  EXPECT_EQ(outcome.packets[1], kPolls);
  EXPECT_EQ(outcome.packets[2], kPolls / 4);
  EXPECT_EQ(port.received.packets, kPolls + kPolls / 4);
  EXPECT_EQ(port.metered[1].packets, kPolls + kPolls / 4);
  EXPECT_EQ(drained.packets, kPolls + kPolls / 4);
  EXPECT_EQ(drained.l2_octets, static_cast<std::int64_t>(60 * (kPolls + kPolls / 4)));
  EXPECT_GT(outcome.epochs, 2u);
  EXPECT_GE(outcome.first, began - kNsPerSecond / 1000);
  EXPECT_LE(outcome.last, clock.now());
}

TEST(WorkerProfile, says_where_the_time_went_and_only_if_asked) {
  for (const bool profile : {false, true}) {
    MemorySource source(200'000, 1000, true);
    WorkerOptions options;
    options.time_base = TimeBase::kPackets;
    options.profile = profile;
    const MeterClock clock;
    const TimeNs began = clock.now();
    const Outcome outcome = run(source, options, 10'000, false);
    const TimeNs took = clock.now() - began;
    std::int64_t sum = 0;
    for (const std::int64_t ns : outcome.counters.phase_ns) sum += ns;
    EXPECT_EQ(sum > 0, profile);
    EXPECT_LE(sum, took);
    const auto count = static_cast<std::size_t>(WorkerPhase::kCount);
    const auto parse = static_cast<std::size_t>(WorkerPhase::kParseHash);
    EXPECT_EQ(outcome.counters.phase_ns[count] > 0, profile);
    EXPECT_EQ(outcome.counters.phase_ns[parse] > 0, profile);
  }
}

}  // namespace
}  // namespace wiretally
