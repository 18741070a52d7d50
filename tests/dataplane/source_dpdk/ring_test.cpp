// SPDX-License-Identifier: Apache-2.0
// Exact packets in, exact views out, through a ring port of this process.
#include <gtest/gtest.h>
#include <rte_eth_ring.h>
#include <rte_ring.h>

#include <cstring>
#include <thread>

#include "eal_environment.hpp"

namespace wiretally {
namespace {

struct RingDeleter {
  void operator()(rte_ring* ring) const { rte_ring_free(ring); }
};
struct PoolDeleter {
  void operator()(rte_mempool* pool) const { rte_mempool_free(pool); }
};

// A DPDK port whose receive queues are rings that the test fills.
class RingPort : public ::testing::Test {
 protected:
  static constexpr unsigned kBuffers = 511;

  void SetUp() override {
    static int number = 0;
    const std::string suffix = std::to_string(number++);
    pool_.reset(rte_pktmbuf_pool_create(("test" + suffix).c_str(), kBuffers, 0, 0,
                                        RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY));
    ASSERT_NE(pool_, nullptr);
    std::vector<rte_ring*> raw;
    for (int queue = 0; queue < 2; ++queue) {
      const std::string name = "ring" + suffix + "_" + std::to_string(queue);
      rings_.emplace_back(rte_ring_create(name.c_str(), 256, SOCKET_ID_ANY, 0));
      ASSERT_NE(rings_.back(), nullptr);
      raw.push_back(rings_.back().get());
    }
    name_ = "net_ring_t" + suffix;
    ASSERT_GE(
        rte_eth_from_rings(("t" + suffix).c_str(), raw.data(), 2, raw.data(), 2, SOCKET_ID_ANY), 0);
    port_ = open_port(name_, 2, PortIndex{5});
    port_->start();
  }

  rte_mbuf* packet(std::uint16_t octets, std::uint8_t fill) {
    rte_mbuf* buffer = rte_pktmbuf_alloc(pool_.get());
    std::memset(rte_pktmbuf_append(buffer, octets), fill, octets);
    return buffer;
  }
  void arrive(int queue, rte_mbuf* buffer) {
    ASSERT_EQ(rte_ring_enqueue(rings_[queue].get(), buffer), 0);
  }

  std::unique_ptr<rte_mempool, PoolDeleter> pool_;
  std::vector<std::unique_ptr<rte_ring, RingDeleter>> rings_;
  std::string name_;
  std::unique_ptr<DpdkPort> port_;
  std::array<PacketView, kBurstMax> views_;
};

TEST_F(RingPort, shows_every_packet_as_it_came_without_copying) {
  DpdkSource source(port_->queues(), {});
  for (std::uint16_t i = 0; i < 10; ++i) arrive(0, packet(60 + i, i));
  ASSERT_EQ(source.poll(views_), 10u);
  for (std::uint16_t i = 0; i < 10; ++i) {
    EXPECT_EQ(views_[i].captured, 60u + i);
    EXPECT_EQ(views_[i].wire_octets, 60u + i);
    EXPECT_EQ(views_[i].data[59 + i], i);
    EXPECT_EQ(views_[i].port, PortIndex{5});
    EXPECT_EQ(views_[i].link_type, LinkType::kEthernet);
    EXPECT_EQ(views_[i].time, 0) << "the worker stamps live packets";
  }
  EXPECT_EQ(rte_mempool_avail_count(pool_.get()), kBuffers - 10);
  source.release();
  EXPECT_EQ(rte_mempool_avail_count(pool_.get()), kBuffers);
  EXPECT_EQ(port_->received(), 10u);
  EXPECT_EQ(missed_in_all(*port_), 0u);
}

TEST_F(RingPort, a_source_that_goes_away_gives_its_packets_back) {
  {
    DpdkSource source(port_->queues(), {});
    arrive(0, packet(60, 1));
    ASSERT_EQ(source.poll(views_), 1u);
  }
  EXPECT_EQ(rte_mempool_avail_count(pool_.get()), kBuffers);
}

TEST_F(RingPort, a_full_burst_is_at_most_what_the_caller_has_room_for) {
  DpdkSource source(port_->queues(), {});
  for (int i = 0; i < 100; ++i) arrive(0, packet(60, 0));
  std::array<PacketView, 7> few;
  EXPECT_EQ(source.poll(few), 7u);
  source.release();
  std::size_t rest = 0;
  while (const std::size_t polled = source.poll(views_)) {
    EXPECT_LE(polled, kBurstMax);
    rest += polled;
    source.release();
  }
  EXPECT_EQ(rest, 93u);
}

TEST_F(RingPort, a_busy_queue_does_not_starve_another) {
  DpdkSource source(port_->queues(), {});
  for (int i = 0; i < 200; ++i) arrive(0, packet(60, 0));
  arrive(1, packet(61, 1));
  bool seen = false;
  for (int turn = 0; turn < 2; ++turn) {
    const std::size_t polled = source.poll(views_);
    for (std::size_t i = 0; i < polled; ++i) seen = seen || views_[i].captured == 61;
    source.release();
  }
  EXPECT_TRUE(seen) << "two turns are enough to see both queues";
  while (source.poll(views_) != 0) source.release();
}

TEST_F(RingPort, a_chained_packet_shows_its_first_segment_and_its_whole_length) {
  DpdkSource source(port_->queues(), {});
  rte_mbuf* head = packet(1000, 7);
  ASSERT_EQ(rte_pktmbuf_chain(head, packet(500, 8)), 0);
  arrive(0, head);
  ASSERT_EQ(source.poll(views_), 1u);
  EXPECT_EQ(views_[0].captured, 1000u);
  EXPECT_EQ(views_[0].wire_octets, 1500u);
  source.release();
  EXPECT_EQ(rte_mempool_avail_count(pool_.get()), kBuffers) << "both segments";
}

TEST_F(RingPort, a_stripped_tag_is_back_in_the_frame) {
  DpdkSource source(port_->queues(), {});
  rte_mbuf* buffer = packet(60, 0xaa);
  buffer->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
  buffer->vlan_tci = 0x6123;
  arrive(0, buffer);
  ASSERT_EQ(source.poll(views_), 1u);
  EXPECT_EQ(views_[0].captured, 64u);
  EXPECT_EQ(views_[0].wire_octets, 64u);
  const std::uint8_t expected[] = {0xaa, 0xaa, 0x81, 0x00, 0x61, 0x23, 0xaa, 0xaa};
  EXPECT_EQ(std::memcmp(views_[0].data + 10, expected, sizeof(expected)), 0);
  source.release();
}

TEST_F(RingPort, two_stripped_tags_are_back_in_the_frame_outer_first) {
  DpdkSource source(port_->queues(), {});
  rte_mbuf* buffer = packet(60, 0xaa);
  buffer->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ |
                      RTE_MBUF_F_RX_QINQ_STRIPPED;
  buffer->vlan_tci = 0x0007;
  buffer->vlan_tci_outer = 0x0064;
  arrive(0, buffer);
  ASSERT_EQ(source.poll(views_), 1u);
  EXPECT_EQ(views_[0].captured, 68u);
  const std::uint8_t expected[] = {0x88, 0xa8, 0x00, 0x64, 0x81, 0x00, 0x00, 0x07, 0xaa, 0xaa};
  EXPECT_EQ(std::memcmp(views_[0].data + 12, expected, sizeof(expected)), 0);
  source.release();
}

TEST_F(RingPort, a_live_port_is_never_exhausted) {
  DpdkSource source(port_->queues(), {});
  EXPECT_EQ(source.poll(views_), 0u);
  EXPECT_FALSE(source.exhausted());
  EXPECT_FALSE(port_->recording());
}

// Filled before the threads run: DPDK's library, which orders the two, is not built with
// ThreadSanitizer.
TEST_F(RingPort, two_registered_worker_threads_lose_nothing) {
  constexpr int kPackets = 500;
  constexpr int kRounds = 20;
  const auto assigned = assign_queues(port_->queues(), 2);
  for (int round = 1; round <= kRounds; ++round) {
    for (int i = 0; i < kPackets; ++i) arrive(i % 2, packet(60, 0));
    std::array<std::size_t, 2> received{};
    const auto work = [&](std::size_t worker) {
      const DpdkThread known;
      EXPECT_TRUE(known.registered());
      DpdkSource source(assigned[worker], {});
      std::array<PacketView, kBurstMax> views;
      while (const std::size_t polled = source.poll(views)) {
        received[worker] += polled;
        source.release();
      }
    };
    std::thread first(work, 0), second(work, 1);
    first.join();
    second.join();
    EXPECT_EQ(received[0], kPackets / 2u);
    EXPECT_EQ(received[1], kPackets / 2u);
    EXPECT_EQ(port_->received(), static_cast<std::uint64_t>(round * kPackets));
    EXPECT_EQ(rte_mempool_avail_count(pool_.get()), kBuffers);
  }
}

}  // namespace
}  // namespace wiretally
