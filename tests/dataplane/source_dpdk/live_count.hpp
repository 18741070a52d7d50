// SPDX-License-Identifier: Apache-2.0
// A reader on its own thread for live tests: polls a port until told that no more is sent, then
// drains.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

#include "eal_environment.hpp"

namespace wiretally {

class LiveReader {
 public:
  // `pause`: how long to look away after every burst, to force losses.
  explicit LiveReader(DpdkPort& port, std::chrono::microseconds pause = {})
      : port_(port), pause_(pause), thread_([this] { run(); }) {}

  // Waits until nothing has come for 200 ms; returns the packets received.
  std::uint64_t finish() {
    ending_ = true;
    thread_.join();
    return received_;
  }
  [[nodiscard]] std::uint64_t octets() const { return octets_; }
  [[nodiscard]] std::uint32_t longest_captured() const { return longest_; }

 private:
  void run() {
    using Clock = std::chrono::steady_clock;
    const DpdkThread known;
    DpdkSource source(port_.queues(), {});
    std::array<PacketView, kBurstMax> views;
    auto last = Clock::now();
    while (true) {
      const std::size_t polled = source.poll(views);
      for (std::size_t i = 0; i < polled; ++i) {
        octets_ += views[i].wire_octets;
        longest_ = std::max(longest_, views[i].captured);
      }
      source.release();
      received_ += polled;
      const bool ending = ending_;
      if (polled != 0) {
        last = Clock::now();
        if (!ending && pause_.count() != 0) std::this_thread::sleep_for(pause_);
      } else if (ending && Clock::now() - last > std::chrono::milliseconds(200)) {
        return;
      }
    }
  }

  DpdkPort& port_;
  std::chrono::microseconds pause_;
  std::uint64_t received_ = 0;
  std::uint64_t octets_ = 0;
  std::uint32_t longest_ = 0;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace wiretally
