// SPDX-License-Identifier: Apache-2.0
// Orders between threads: carried out by who serves, answered to who gave, never left waiting.
#include "control/order_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace wiretally {
namespace {

// Serves in the test's thread until the giver is done.
template <class Give>
void serve_while(OrderQueue& orders, const std::atomic<int>& wakes, Give give) {
  std::atomic<bool> done{false};
  std::thread giver([&] {
    give();
    done = true;
  });
  for (int served = 0; !done;) {
    if (wakes == served) continue;
    served = wakes;
    orders.serve();
  }
  giver.join();
}

TEST(OrderQueue, carries_an_order_out_in_the_serving_thread_and_answers) {
  std::atomic<int> wakes{0};
  OrderQueue orders([&] { ++wakes; });
  const auto here = std::this_thread::get_id();
  int answer = 0;
  serve_while(orders, wakes, [&] {
    answer = orders.give([here] { return std::this_thread::get_id() == here ? 7 : 0; });
  });
  EXPECT_EQ(answer, 7);
  EXPECT_EQ(wakes, 1);
}

TEST(OrderQueue, throws_at_the_giver_what_the_order_threw) {
  std::atomic<int> wakes{0};
  OrderQueue orders([&] { ++wakes; });
  std::string text;
  serve_while(orders, wakes, [&] {
    try {
      orders.give([]() -> int { throw StartupError(ExitCode::kUsage, "no"); });
    } catch (const StartupError& error) {
      text = error.what();
    }
  });
  EXPECT_EQ(text, "no");
}

TEST(OrderQueue, lets_nobody_wait_once_it_is_closed) {
  std::atomic<int> wakes{0};
  OrderQueue orders([&] { ++wakes; });
  std::atomic<int> refused{0};
  const auto give = [&] {
    try {
      orders.give([] { return 1; });
    } catch (const StartupError& error) {
      if (error.code() == ExitCode::kNo) ++refused;
    }
  };
  std::thread early(give);
  while (wakes == 0) std::this_thread::yield();
  orders.close();  // it waits already
  early.join();
  give();  // it comes late
  EXPECT_EQ(refused, 2);
}

}  // namespace
}  // namespace wiretally
