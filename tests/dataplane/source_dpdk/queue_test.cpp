// SPDX-License-Identifier: Apache-2.0
// Every queue has exactly one worker. No EAL.
#include "dataplane/source/dpdk_queue.hpp"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

std::vector<DpdkQueue> queues_of(const std::vector<std::uint16_t>& counts) {
  std::vector<DpdkQueue> queues;
  for (std::uint16_t ethdev = 0; ethdev < counts.size(); ++ethdev) {
    for (std::uint16_t queue = 0; queue < counts[ethdev]; ++queue) {
      DpdkQueue one;
      one.ethdev = ethdev;
      one.queue = queue;
      queues.push_back(one);
    }
  }
  return queues;
}

TEST(AssignQueues, gives_every_queue_to_exactly_one_worker_and_none_is_left_without) {
  for (const auto& counts : std::vector<std::vector<std::uint16_t>>{{1}, {4}, {2, 2}, {3, 1, 5}}) {
    const std::vector<DpdkQueue> queues = queues_of(counts);
    for (std::size_t workers = 1; workers <= queues.size(); ++workers) {
      const auto assigned = assign_queues(queues, workers);
      ASSERT_EQ(assigned.size(), workers);
      std::set<std::pair<int, int>> seen;
      std::size_t total = 0;
      for (const auto& list : assigned) {
        EXPECT_LE(list.size(), queues.size() / workers + 1);
        EXPECT_FALSE(list.empty());
        total += list.size();
        for (const DpdkQueue& queue : list) seen.insert({queue.ethdev, queue.queue});
      }
      EXPECT_EQ(total, queues.size());
      EXPECT_EQ(seen.size(), queues.size());
    }
  }
}

TEST(AssignQueues, spreads_the_queues_of_one_port) {
  const auto assigned = assign_queues(queues_of({2, 2}), 2);
  EXPECT_EQ(assigned[0][0].ethdev, 0);
  EXPECT_EQ(assigned[1][0].ethdev, 0);
}

std::string refusal_of(std::size_t queues, std::size_t workers) {
  try {
    (void)assign_queues(std::vector<DpdkQueue>(queues), workers);
  } catch (const StartupError& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    return error.what();
  }
  return "";
}

TEST(AssignQueues, refuses_idle_workers_no_workers_and_no_ports) {
  EXPECT_NE(refusal_of(1, 2).find("2 cores, but the ports have 1 queue in all"), std::string::npos);
  EXPECT_NE(refusal_of(1, 0).find("capture.dpdk.workers"), std::string::npos);
  EXPECT_NE(refusal_of(0, 1).find("capture.dpdk.ports"), std::string::npos);
  EXPECT_EQ(refusal_of(2, 2), "");
}

}  // namespace
}  // namespace wiretally
