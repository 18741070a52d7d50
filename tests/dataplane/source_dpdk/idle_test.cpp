// SPDX-License-Identifier: Apache-2.0
// How an idle worker rests: told by how often it gave its core away, not by the time that took, so
// that a busy machine cannot change the answer.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "eal_environment.hpp"

namespace wiretally {
namespace {

constexpr int kPolls = 5000;

// Sleeps (voluntary context switches) of this thread over so many polls of an empty queue.
long sleeps_while_idle(bool may_sleep) {
  const auto port = open_port("net_ring0");
  port->start();
  std::vector<DpdkQueue> queues = port->queues();
  for (DpdkQueue& queue : queues) queue.may_sleep = may_sleep;
  DpdkSource source(queues, {});
  std::array<PacketView, kBurstMax> views;
  rusage before{};
  rusage after{};
  ::getrusage(RUSAGE_THREAD, &before);
  for (int i = 0; i < kPolls; ++i) EXPECT_EQ(source.poll(views), 0u);
  ::getrusage(RUSAGE_THREAD, &after);
  return after.ru_nvcsw - before.ru_nvcsw;
}

// A poll costs well under a microsecond; with 200 us of sleep behind it, an idle worker uses a few
// per cent of a core at the most.
TEST(IdleWorker, sleeps_at_every_poll_once_a_virtual_device_has_been_quiet) {
  EXPECT_GE(sleeps_while_idle(true), kPolls - 1100)
      << "it may poll 1000 times before it first sleeps";
}

TEST(IdleWorker, never_sleeps_on_a_real_nic) {
  EXPECT_LT(sleeps_while_idle(false), kPolls / 100);
}

}  // namespace
}  // namespace wiretally
