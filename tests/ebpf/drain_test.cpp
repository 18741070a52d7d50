// SPDX-License-Identifier: Apache-2.0
// The drain against a program that never stops: every frame is in exactly one drain, whichever
// generation it was counted into, and the program sees the flip.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "ebpf/map_source.hpp"
#include "ebpf/ring_reader.hpp"
#include "ebpf/xdp_loader.hpp"
#include "kernel_parser.hpp"

namespace wiretally {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets udp_frame(std::uint8_t flow) {
  Octets frame(60, 0);
  const std::array<std::uint8_t, 12> head = {8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17};
  std::copy(head.begin(), head.end(), frame.begin() + 12);
  frame[26] = flow;
  return frame;
}

bool run(const XdpLoader& loader, const Octets& frame, int repeat) {
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(),
              .data_size_in = static_cast<__u32>(frame.size()), .repeat = repeat);
  return bpf_prog_test_run_opts(loader.program(), &options) == 0;
}

struct Drains {
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
  std::uint64_t l2_octets = 0;
  kernel_totals totals{};

  void take(MapSource& maps) {
    std::uint64_t in_entries = 0;
    const DirectionTotals by_direction = maps.drain(
        [&](std::span<const kernel_flow_key>, std::span<const kernel_flow_count> counts) {
          for (const kernel_flow_count& count : counts) {
            in_entries += count.packets;
            octets += count.octets;
            l2_octets += count.l2_octets;
          }
        },
        [&](const KernelRow& row) { in_entries += row.count.packets; });
    const kernel_totals sums = by_direction[WT_RECEIVED] + by_direction[WT_SENT];
    // The program's own sums and the entries agree drain by drain, not only in the end.
    EXPECT_EQ(in_entries + sums.handed_up.packets, sums.received.packets);
    packets += in_entries;
    totals = totals + sums;
  }
};

class Drain : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = KernelParser::why_not_here(); !why.empty()) {
      GTEST_SKIP() << "this process may not load BPF programs: " << why;
    }
    XdpLoaderOptions options;
    options.map_entries = 1024;
    options.ring_octets = 1u << 18;
    loader_ = std::make_unique<XdpLoader>(options);
    maps_ = std::make_unique<MapSource>(*loader_);
  }
  std::unique_ptr<XdpLoader> loader_;
  std::unique_ptr<MapSource> maps_;
};

TEST_F(Drain, flips_the_generation_that_the_program_counts_into) {
  RingReader ring(loader_->ring(), loader_->options().ring_octets);
  Octets odd = udp_frame(1);
  odd[14] = 0x44;  // an IPv4 header of 16 octets goes up
  Drains drains;
  for (unsigned expected : {0u, 1u, 0u, 1u}) {
    ASSERT_TRUE(run(*loader_, odd, 1));
    const auto record = ring.next();
    ASSERT_FALSE(record.empty());
    handed_up_packet head;
    std::memcpy(&head, record.data(), sizeof head);
    ring.release();
    EXPECT_EQ(head.generation, expected);
    drains.take(*maps_);
  }
  EXPECT_EQ(drains.totals.handed_up.packets, 4u);
}

TEST_F(Drain, leaves_what_is_counted_after_the_flip_to_the_next_one) {
  for (int round = 1; round <= 5; ++round) {
    ASSERT_TRUE(run(*loader_, udp_frame(1), 100 * round));
    Drains drains;
    drains.take(*maps_);
    EXPECT_EQ(drains.packets, 100u * static_cast<unsigned>(round));
  }
}

TEST_F(Drain, loses_no_frame_of_a_program_that_never_stops) {
  constexpr int kRuns = 60;
  constexpr int kRepeat = 50'000;
  std::atomic<bool> done{false};
  std::thread traffic([&] {
    for (int i = 0; i < kRuns; ++i) {
      // A few flows in turn, so that entries are made and deleted all the time.
      EXPECT_TRUE(run(*loader_, udp_frame(static_cast<std::uint8_t>(i % 7)), kRepeat));
    }
    done = true;
  });
  Drains drains;
  unsigned count = 0;
  while (!done) {
    drains.take(*maps_);
    ++count;
  }
  traffic.join();
  drains.take(*maps_);
  drains.take(*maps_);
  constexpr std::uint64_t kFrames = std::uint64_t{kRuns} * kRepeat;
  std::printf("  %llu frames in %u drains\n", static_cast<unsigned long long>(kFrames), count);
  EXPECT_EQ(drains.packets, kFrames);
  EXPECT_EQ(drains.octets, 46 * kFrames);
  EXPECT_EQ(drains.l2_octets, 60 * kFrames);
  EXPECT_EQ(drains.totals.counted[1].packets, kFrames);
  EXPECT_EQ(maps_->totals_so_far().received.packets, kFrames);
  EXPECT_GT(count, 5u);
}

}  // namespace
}  // namespace wiretally
