// SPDX-License-Identifier: Apache-2.0
// The drain against a program that never stops: every frame is in exactly one drain, whichever
// generation it was counted into, and the program sees the flip.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "ebpf/map_source.hpp"
#include "ebpf/ring_reader.hpp"
#include "ebpf/xdp_loader.hpp"
#include "kernel_parser.hpp"

namespace wiretally {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets udp_frame(std::uint32_t flow) {
  Octets frame(60, 0);
  const std::array<std::uint8_t, 12> head = {8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17};
  std::copy(head.begin(), head.end(), frame.begin() + 12);
  for (int i = 0; i < 4; ++i) frame[26 + i] = static_cast<std::uint8_t>(flow >> 8 * i);
  return frame;
}

// What the program was loaded with: the random words of its hash are among it.
kernel_options options_of(const XdpLoader& loader) {
  std::array<__u32, 32> ids{};
  bpf_prog_info program{};
  program.nr_map_ids = ids.size();
  program.map_ids = reinterpret_cast<__u64>(ids.data());
  __u32 length = sizeof program;
  EXPECT_EQ(bpf_obj_get_info_by_fd(loader.program(), &program, &length), 0);
  kernel_options options{};
  for (std::size_t i = 0; i < program.nr_map_ids && i < ids.size(); ++i) {
    const Descriptor map(bpf_map_get_fd_by_id(ids[i]));
    bpf_map_info about{};
    length = sizeof about;
    EXPECT_EQ(bpf_obj_get_info_by_fd(map.get(), &about, &length), 0);
    const __u32 zero = 0;
    if (about.value_size == sizeof options) bpf_map_lookup_elem(map.get(), &zero, &options);
  }
  return options;
}

kernel_flow_key udp_key(std::uint32_t flow) {
  kernel_flow_key key{};
  for (int i = 0; i < 4; ++i) key.source[12 + i] = static_cast<std::uint8_t>(flow >> 8 * i);
  key.protocol = 17;
  key.vlan_and_kind = 1 << 12;
  return key;
}

// As flow_table.bpf.h finds it.
std::uint32_t bucket_of(const kernel_options& options, const kernel_flow_key& key) {
  std::array<std::uint32_t, WT_KEY_WORDS> words;
  std::memcpy(words.data(), &key, sizeof key);
  std::uint64_t sum = options.hash_key[WT_KEY_WORDS];
  for (std::size_t i = 0; i < words.size(); i += 2) {
    sum += (options.hash_key[i] + words[i + 1]) * (options.hash_key[i + 1] + words[i]);
  }
  sum = (sum ^ sum >> 30) * 0xbf58476d1ce4e5b9U;
  sum = (sum ^ sum >> 27) * 0x94d049bb133111ebU;
  return static_cast<std::uint32_t>(sum ^ sum >> 31) & options.bucket_mask;
}

bool run(const XdpLoader& loader, const Octets& frame, int repeat) {
  LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data(),
              .data_size_in = static_cast<__u32>(frame.size()), .repeat = repeat);
  return bpf_prog_test_run_opts(loader.program(), &options) == 0;
}

struct Drains {
  std::uint64_t flows = 0;
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
  std::uint64_t l2_octets = 0;
  kernel_totals totals{};

  void take(MapSource& maps) {
    std::uint64_t in_entries = 0;
    const DirectionTotals by_direction = maps.drain(
        [&](std::span<const kernel_flow> entries) {
          flows += entries.size();
          for (const kernel_flow& flow : entries) {
            in_entries += flow.count.packets;
            octets += flow.count.octets;
            l2_octets += flow.count.l2_octets;
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

TEST_F(Drain, sends_up_new_flows_of_a_full_table_and_counts_the_others_on) {
  pin_to_cpu_0();
  const std::uint32_t flows = loader_->options().map_entries;
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (std::uint32_t i = 0; i < flows + 10; ++i) ASSERT_TRUE(run(*loader_, udp_frame(i), 1));
    ASSERT_TRUE(run(*loader_, udp_frame(0), 5));  // counted: the flow is there
    Drains drains;
    drains.take(*maps_);
    EXPECT_EQ(drains.flows, flows);
    EXPECT_EQ(drains.packets, flows + 5);
    EXPECT_EQ(drains.totals.handed_up_by[WT_UP_MAP_FULL], 10u);
  }
}

// Who knew the random words could fill a bucket; what it cannot hold goes up, and is not lost.
TEST_F(Drain, sends_up_flows_that_stand_too_deep_in_a_bucket) {
  pin_to_cpu_0();
  const kernel_options options = options_of(*loader_);
  ASSERT_EQ(options.table_flows, 1024u);
  const std::uint32_t bucket = bucket_of(options, udp_key(1));
  std::uint64_t sent = 0;
  for (std::uint32_t i = 1; sent < 40; ++i) {
    ASSERT_LT(i, 1'000'000u) << "flows of one bucket are found by the program's own words";
    if (bucket_of(options, udp_key(i)) != bucket) continue;
    ASSERT_TRUE(run(*loader_, udp_frame(i), 1));
    ++sent;
  }
  ASSERT_TRUE(run(*loader_, udp_frame(1), 3));  // the first of them stands behind the others
  Drains drains;
  drains.take(*maps_);
  EXPECT_EQ(drains.flows, WT_CHAIN_MAX + 0u);
  EXPECT_EQ(drains.packets + drains.totals.handed_up.packets, sent + 3);
  EXPECT_EQ(drains.packets, WT_CHAIN_MAX + 3u);
}

// That bucket_of() is the program's is what the test above shows.
TEST(Buckets, of_regular_keys_are_as_short_as_those_of_random_ones) {
  std::mt19937_64 random(1);
  for (const std::uint32_t step : {1u, 256u, 65'536u, 1u << 24, 2'654'435'761u}) {
    for (int draw = 0; draw < 40; ++draw) {
      kernel_options options{};
      for (auto& word : options.hash_key) word = random();
      options.bucket_mask = 0xffff;
      std::vector<std::uint8_t> flows(0x10000);
      for (std::uint32_t i = 0; i < flows.size(); ++i) {
        kernel_flow_key key = udp_key(i * step);
        if (step == 1u << 24) key.source_port = static_cast<std::uint16_t>(i >> 8);
        if (step == 65'536) key.destination[15] = static_cast<std::uint8_t>(i);
        ++flows[bucket_of(options, key)];
      }
      ASSERT_LE(*std::ranges::max_element(flows), 14) << "step " << step << ", draw " << draw;
    }
  }
}

TEST_F(Drain, loses_no_frame_of_a_program_that_never_stops) {
  constexpr int kRuns = 60;
  constexpr int kRepeat = 50'000;
  std::atomic<bool> done{false};
  std::thread traffic([&] {
    for (int i = 0; i < kRuns; ++i) {
      // A few flows in turn, so that entries are made and deleted all the time.
      EXPECT_TRUE(run(*loader_, udp_frame(static_cast<std::uint32_t>(i % 7)), kRepeat));
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
