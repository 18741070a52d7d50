// SPDX-License-Identifier: Apache-2.0
// Orders that other threads have for the meter and that only main may carry out, between two ticks:
// expire, reload, pause. Who gives an order waits until it is done and gets its answer, or what it
// threw. Thread: give() any; serve(), close() main.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <vector>

#include "config/startup_error.hpp"

namespace wiretally {

class OrderQueue {
 public:
  // `wake` brings main to serve() soon; called from the giver's thread.
  explicit OrderQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  // Throws what the order throws; StartupError (kNo) if the meter stops before it is carried out.
  template <class Order>
  auto give(Order order) -> decltype(order()) {
    using Answer = decltype(order());
    auto task = std::make_shared<std::packaged_task<Answer()>>(std::move(order));
    std::future<Answer> answer = task->get_future();
    add([task = std::move(task)] { (*task)(); });
    try {
      return answer.get();
    } catch (const std::future_error&) {  // closed: nobody will carry it out
      throw StartupError(ExitCode::kNo, "the meter is stopping");
    }
  }

  void serve();
  // Whoever waits is told that the meter stops, and so is whoever comes later.
  void close();

 private:
  void add(std::function<void()> task);

  const std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<std::function<void()>> waiting_;
  bool closed_ = false;
};

}  // namespace wiretally
