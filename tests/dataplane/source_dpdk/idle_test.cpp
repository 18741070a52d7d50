// SPDX-License-Identifier: Apache-2.0
// What an idle worker costs.
#include <gtest/gtest.h>
#include <time.h>

#include <chrono>

#include "eal_environment.hpp"

namespace wiretally {
namespace {

double thread_cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Part of a core that one second of polling an empty queue costs.
double idle_share(bool may_sleep) {
  const auto port = open_port("net_ring0");
  port->start();
  std::vector<DpdkQueue> queues = port->queues();
  for (DpdkQueue& queue : queues) queue.may_sleep = may_sleep;
  DpdkSource source(queues, {});
  std::array<PacketView, kBurstMax> views;
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const double cpu = thread_cpu_seconds();
  while (Clock::now() - begin < std::chrono::milliseconds(500)) EXPECT_EQ(source.poll(views), 0u);
  const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
  return (thread_cpu_seconds() - cpu) / wall;
}

TEST(IdleWorker, costs_less_than_a_twentieth_of_a_core_on_virtual_devices) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "instrumented code costs more than what is measured here";
#endif
  EXPECT_LT(idle_share(true), 0.05);
}

TEST(IdleWorker, never_sleeps_on_a_real_nic) {
  const auto port = open_port("net_ring0");
  port->start();
  std::vector<DpdkQueue> queues = port->queues();
  queues[0].may_sleep = false;
  DpdkSource source(queues, {});
  std::array<PacketView, kBurstMax> views;
  timespec before{}, after{};
  // Voluntary sleeps would add 200 us each: 20 000 polls would take 4 s.
  ::clock_gettime(CLOCK_MONOTONIC, &before);
  for (int i = 0; i < 20'000; ++i) (void)source.poll(views);
  ::clock_gettime(CLOCK_MONOTONIC, &after);
  EXPECT_LT(after.tv_sec - before.tv_sec, 3);
}

}  // namespace
}  // namespace wiretally
