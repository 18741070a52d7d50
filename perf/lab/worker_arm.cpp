// SPDX-License-Identifier: Apache-2.0
// The worker loop on a source in memory: what the meter core becomes with stamps, counters, epoch
// checks and the flip. Thread: the bench's only one.
#include <algorithm>

#include "perf/lab/worker_loop.hpp"

namespace wiretally::perf {
namespace {

// Shows the arena burst by burst.
class ArenaFeed {
 public:
  std::size_t give(FrameArena& arena) {
    left_ = arena.views();
    return left_.size();
  }
  std::size_t poll(std::span<PacketView> views) {
    const std::size_t size = std::min(views.size(), left_.size());
    std::copy_n(left_.begin(), size, views.begin());
    left_ = left_.subspan(size);
    return size;
  }
  void release() {}

 private:
  std::span<const PacketView> left_;
};

}  // namespace

std::unique_ptr<Arm> make_worker_arm(Bench& bench) {
  return std::make_unique<WorkerLoopArm<ArenaFeed>>(bench, "worker loop, one-second epochs",
                                                    std::make_unique<ArenaFeed>());
}

}  // namespace wiretally::perf
