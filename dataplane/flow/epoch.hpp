// SPDX-License-Identifier: Apache-2.0
// The flip: a worker fills one of its two count tables, control drains the other. The worker hands
// a filled table over (flip) only when control has given the other one back, so neither ever
// touches the other's table; both sides need one load and one store of an atomic per epoch, none
// per packet. A live worker that finds the other table still busy just goes on filling: the epoch
// grows. A worker on a recording may wait instead.
//
// Thread: the functions under "worker" on the worker only, those under "control" on control only.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/flow/count_table.hpp"

namespace wiretally {

// What a worker says of an epoch it hands over.
template <class Counters>
struct EpochReport {
  TimeNs first = 0;  // smallest and largest time of the epoch, meter time
  TimeNs last = 0;
  bool final_epoch = false;  // the worker has stopped; no other will come
  Counters counters;         // totals since start, consistent with the tables handed over so far
};

template <class Counters>
class EpochPair {
 public:
  EpochPair(std::size_t entries, std::size_t ports, CountTable::Memory memory,
            CountTable::Attributes attributes = CountTable::Attributes::kNone)
      : tables_{std::make_unique<CountTable>(entries, ports, memory, attributes),
                std::make_unique<CountTable>(entries, ports, memory, attributes)} {}

  // -- worker --
  CountTable& filling() { return *tables_[filling_]; }
  EpochReport<Counters>& report() { return reports_[filling_]; }
  // True if control asked for a flip since the last one.
  [[nodiscard]] bool flip_requested() const {
    return requested_.load(std::memory_order_relaxed) != served_;
  }
  [[nodiscard]] bool other_is_free() const {
    return returned_.load(std::memory_order_acquire) == published_local_;
  }
  void wait_until_other_is_free() const {
    for (std::uint32_t seen = returned_.load(std::memory_order_acquire); seen != published_local_;
         seen = returned_.load(std::memory_order_acquire)) {
      returned_.wait(seen, std::memory_order_acquire);
    }
  }
  // Hands the filled table and its report over. The other one must be free.
  void flip() {
    served_ = requested_.load(std::memory_order_relaxed);
    filling_ ^= 1;
    published_.store(++published_local_, std::memory_order_release);
    published_.notify_one();
  }

  // -- control --
  void request_flip() {
    requested_.store(requested_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  [[nodiscard]] bool has_published() const {
    return published_.load(std::memory_order_acquire) != returned_local_;
  }
  void wait_published() const { published_.wait(returned_local_, std::memory_order_acquire); }
  // The table handed over, until give_back().
  CountTable& published() { return *tables_[returned_local_ & 1]; }
  [[nodiscard]] const EpochReport<Counters>& published_report() const {
    return reports_[returned_local_ & 1];
  }
  void give_back() {
    published().recycle();
    returned_.store(++returned_local_, std::memory_order_release);
    returned_.notify_one();
  }

 private:
  std::array<std::unique_ptr<CountTable>, 2> tables_;
  std::array<EpochReport<Counters>, 2> reports_;
  // Each atomic has one writer; they stand on lines of their own so that a poll of `requested_`
  // does not bounce with the worker's own state.
  alignas(64) std::atomic<std::uint32_t> requested_{0};
  alignas(64) std::atomic<std::uint32_t> published_{0};
  alignas(64) std::atomic<std::uint32_t> returned_{0};
  alignas(64) unsigned filling_ = 0;  // worker
  std::uint32_t published_local_ = 0;
  std::uint32_t served_ = 0;
  alignas(64) std::uint32_t returned_local_ = 0;  // control
};

}  // namespace wiretally
