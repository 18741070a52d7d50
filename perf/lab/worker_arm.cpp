// SPDX-License-Identifier: Apache-2.0
// The whole worker loop on a source in memory: what the meter core becomes with stamps, counters,
// epoch checks and the flip. The loop runs on a fiber, so that it can be held between slices.
// Thread: the bench's only one.
#include <stdexcept>

#include "dataplane/worker.hpp"
#include "perf/lab/fiber.hpp"
#include "perf/lab/meter_arms.hpp"

namespace wiretally::perf {
namespace {

// Hands out the arena burst by burst, then holds the worker until the arena is full again.
class ArenaSource {
 public:
  explicit ArenaSource(const FrameArena& arena) : arena_(arena) {}
  Fiber* fiber = nullptr;
  bool ended = false;

  std::size_t poll(std::span<PacketView> views) {
    if (next_ == arena_.views().size()) {
      fiber->hold();
      next_ = 0;
      if (ended) return 0;
    }
    const std::size_t size = std::min(views.size(), arena_.views().size() - next_);
    std::copy_n(arena_.views().begin() + static_cast<std::ptrdiff_t>(next_), size, views.begin());
    next_ += size;
    return size;
  }
  void release() {}
  [[nodiscard]] bool exhausted() const { return ended; }

 private:
  const FrameArena& arena_;
  std::size_t next_ = 0;
};
static_assert(PacketSource<ArenaSource>);

class WorkerArm : public Arm {
 public:
  explicit WorkerArm(Bench& bench)
      : Arm("worker loop, one-second epochs"),
        bench_(bench),
        stream_(bench.workload.pattern, bench.workload.flows, bench.workload.seed),
        epochs_(bench.workload.flows + bench.workload.flows / 4, 1, CountTable::Memory::kPopulated),
        worker_({}, bench.hash, epochs_, clock_, 1),
        source_(bench.arena),
        fiber_([this] { worker_.run(source_, stop_); }) {
    source_.fiber = &fiber_;
    prepare();
    fiber_.resume();  // up to the first poll of an arena that was given
  }
  ~WorkerArm() override {
    if (!source_.ended) end();
  }

  // Control's part of a tick is done here, not in the worker's time.
  void prepare() override {
    if (epochs_.has_published()) {
      drained_ += epochs_.published().totals().packets;
      epochs_.give_back();
    }
    if (in_epoch_ >= epoch_packets()) {
      epochs_.request_flip();
      in_epoch_ = 0;
    }
    bench_.arena.fill(stream_, bench_.workload.mix);
  }

  std::uint64_t run() override {
    fiber_.resume();
    sent_ += FrameArena::kFrames;
    in_epoch_ += FrameArena::kFrames;
    return FrameArena::kFrames;
  }

  void check() const override {
    const_cast<WorkerArm*>(this)->end();
    if (drained_ != sent_) {
      throw std::runtime_error("the worker counted " + std::to_string(drained_) + " packets of " +
                               std::to_string(sent_));
    }
  }

 private:
  [[nodiscard]] std::uint64_t epoch_packets() const {
    const Workload& workload = bench_.workload;
    if (workload.pattern != Pattern::kNew) return kPacketsPerSecond10G;
    return std::max<std::uint64_t>(workload.flows, 3 * FrameArena::kFrames) -
           2 * FrameArena::kFrames;
  }
  void end() {
    if (epochs_.has_published()) {
      drained_ += epochs_.published().totals().packets;
      epochs_.give_back();
    }
    source_.ended = true;
    fiber_.resume();
    drained_ += epochs_.published().totals().packets;
    epochs_.give_back();
  }

  Bench& bench_;
  FlowStream stream_;
  MeterClock clock_;
  WorkerEpochs epochs_;
  Worker worker_;
  ArenaSource source_;
  Fiber fiber_;
  std::atomic<bool> stop_{false};
  std::uint64_t in_epoch_ = 0;
  std::uint64_t sent_ = FrameArena::kFrames;  // the first arena, given by the constructor
  std::uint64_t drained_ = 0;
};

}  // namespace

std::unique_ptr<Arm> make_worker_arm(Bench& bench) {
  return std::make_unique<WorkerArm>(bench);
}

}  // namespace wiretally::perf
