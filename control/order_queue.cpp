// SPDX-License-Identifier: Apache-2.0
// See order_queue.hpp. Thread: add() any, the rest main.
#include "control/order_queue.hpp"

#include <utility>

namespace wiretally {

void OrderQueue::add(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;  // the task goes, and with it the promise of an answer
    waiting_.push_back(std::move(task));
  }
  wake_();
}

void OrderQueue::serve() {
  std::vector<std::function<void()>> orders;
  {
    const std::lock_guard lock(mutex_);
    orders.swap(waiting_);
  }
  for (const auto& order : orders) order();
}

void OrderQueue::close() {
  std::vector<std::function<void()>> orders;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  orders.swap(waiting_);
}

}  // namespace wiretally
