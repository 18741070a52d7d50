// SPDX-License-Identifier: Apache-2.0
// The product's worker loop as an arm: it runs on a fiber, so that it can be held between slices.
// `Feed` is the source it polls: a PacketSource that also has `std::size_t give(FrameArena&)`,
// which makes the next frames ready (not timed; returns how many), and polls empty when they are
// used up. Thread: the bench's only one.
#pragma once

#include <memory>
#include <stdexcept>

#include "dataplane/worker.hpp"
#include "perf/lab/fiber.hpp"
#include "perf/lab/meter_arms.hpp"

namespace wiretally::perf {

template <class Feed>
class WorkerLoopArm : public Arm {
 public:
  WorkerLoopArm(Bench& bench, std::string name, std::unique_ptr<Feed> feed)
      : Arm(std::move(name)),
        bench_(bench),
        stream_(bench.workload.pattern, bench.workload.flows, bench.workload.seed),
        epochs_(std::max(kTableEntries, bench.workload.flows + bench.workload.flows / 4), 1,
                CountTable::Memory::kPopulated),
        worker_({}, bench.hash, epochs_, clock_, 1),
        source_{std::move(feed), nullptr, false},
        fiber_([this] { worker_.run(source_, stop_); }) {
    source_.fiber = &fiber_;
    prepare();
    fiber_.resume();  // up to the first empty poll
    sent_ += ready_;
    in_epoch_ += ready_;
  }
  ~WorkerLoopArm() override {
    if (!source_.ended) finish();
  }

  // Control's part of a tick is done here, not in the worker's time.
  void prepare() override {
    take_published();
    if (in_epoch_ >= epoch_packets()) {
      epochs_.request_flip();
      in_epoch_ = 0;
    }
    bench_.arena.fill(stream_, bench_.workload.mix);
    ready_ = source_.feed->give(bench_.arena);
  }

  std::uint64_t run() override {
    fiber_.resume();
    sent_ += ready_;
    in_epoch_ += ready_;
    return ready_;
  }

  void check() const override {
    const_cast<WorkerLoopArm*>(this)->finish();
    if (drained_ != sent_) {
      throw std::runtime_error(name() + " counted " + std::to_string(drained_) + " packets of " +
                               std::to_string(sent_));
    }
  }

 private:
  // Holds the loop where it would poll in vain.
  struct Held {
    std::unique_ptr<Feed> feed;
    Fiber* fiber;
    bool ended;
    std::size_t poll(std::span<PacketView> views) {
      std::size_t size = feed->poll(views);
      if (size == 0 && !ended) {
        fiber->hold();
        size = feed->poll(views);
      }
      return size;
    }
    void release() { feed->release(); }
    [[nodiscard]] bool exhausted() const { return ended; }
  };
  static_assert(PacketSource<Held>);

  [[nodiscard]] std::uint64_t epoch_packets() const {
    const Workload& workload = bench_.workload;
    if (workload.pattern != Pattern::kNew) return kPacketsPerSecond10G;
    return std::max<std::uint64_t>(workload.flows, 3 * FrameArena::kFrames) -
           2 * FrameArena::kFrames;
  }
  void take_published() {
    if (!epochs_.has_published()) return;
    drained_ += epochs_.published().totals().packets;
    epochs_.give_back();
  }
  void finish() {
    take_published();
    source_.ended = true;
    fiber_.resume();
    take_published();
  }

  Bench& bench_;
  FlowStream stream_;
  MeterClock clock_;
  WorkerEpochs epochs_;
  Worker worker_;
  Held source_;
  std::atomic<bool> stop_{false};
  Fiber fiber_;
  std::size_t ready_ = 0;
  std::uint64_t in_epoch_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t drained_ = 0;
};

}  // namespace wiretally::perf
