// SPDX-License-Identifier: Apache-2.0
// Between the worker that polls a queue and the thread that takes its port down and up again while
// the meter runs: a DPDK device may not be closed while somebody polls it. The worker reads what is
// left in the queue before it lets go. Thread: enter(), found_empty() worker; the rest the port's.
// Cost: one load a poll of the queue.
#pragma once

#include <atomic>
#include <cstdint>

namespace wiretally {

class DpdkGate {
 public:
  explicit DpdkGate(std::uint16_t ethdev) : ethdev_(ethdev) {}

  // False: there is nothing to poll. Else `ethdev` is the device to poll.
  bool enter(std::uint16_t& ethdev) const {
    if (state_.load(std::memory_order_acquire) == State::kClosed) return false;
    ethdev = ethdev_.load(std::memory_order_relaxed);
    return true;
  }
  // A poll brought nothing, and no packet of the device is held.
  void found_empty() {
    State closing = State::kClosing;
    if (state_.load(std::memory_order_relaxed) != closing) return;
    state_.compare_exchange_strong(closing, State::kClosed, std::memory_order_release);
  }

  // Asks the worker to let go; closed() says when it has.
  void close() {
    State open = State::kOpen;
    state_.compare_exchange_strong(open, State::kClosing);
  }
  [[nodiscard]] bool closed() const {
    return state_.load(std::memory_order_acquire) == State::kClosed;
  }
  void open(std::uint16_t ethdev) {
    ethdev_.store(ethdev, std::memory_order_relaxed);
    state_.store(State::kOpen, std::memory_order_release);
  }

 private:
  enum class State : std::uint8_t { kOpen, kClosing, kClosed };
  std::atomic<State> state_ = State::kOpen;
  std::atomic<std::uint16_t> ethdev_;
};

}  // namespace wiretally
