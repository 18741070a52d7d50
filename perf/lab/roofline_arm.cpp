// SPDX-License-Identifier: Apache-2.0
// What memory allows: the lines the count table would touch, in its order, each prefetched and then
// read, changed and written, with no packet, no key and no branch. Thread: the bench's only one.
#include <algorithm>
#include <stdexcept>
#include <vector>

#include "dataplane/flow/count_table.hpp"
#include "dataplane/packet/parse.hpp"
#include "perf/lab/meter_arms.hpp"

namespace wiretally::perf {
namespace {

class RooflineArm : public Arm {
 public:
  RooflineArm(Bench& bench, unsigned distance)
      : Arm("roofline, T0 " + std::to_string(distance) + " ahead"),
        bench_(bench),
        distance_(distance),
        stream_(bench.workload.pattern, bench.workload.flows, bench.workload.seed),
        memory_(bench.resident()),
        lines_(const_cast<CountEntry*>(memory_->table.segments()[0].lines)),
        indexes_(FrameArena::kFrames) {}

  void prepare() override {
    bench_.arena.fill(stream_, bench_.workload.mix);
    const auto views = bench_.arena.views();
    for (std::size_t i = 0; i < views.size(); ++i) {
      ParsedPacket packet;
      if (!is_metered(parse(views[i], {}, packet))) throw std::runtime_error("frame not metered");
      indexes_[i] =
          static_cast<std::uint32_t>(bench_.hash(packet.key) >> (64 - memory_->table.lines_log2()));
    }
  }

  std::uint64_t run() override {
    const std::size_t size = indexes_.size();
    for (std::size_t i = 0; i < std::min<std::size_t>(distance_, size); ++i) prefetch(i);
    for (std::size_t i = 0; i < size; ++i) {
      if (i + distance_ < size) prefetch(i + distance_);
      ++lines_[indexes_[i]].packets;
    }
    memory_->expected += size;
    return size;
  }

  void check() const override { memory_->check(); }

 private:
  void prefetch(std::size_t i) const { __builtin_prefetch(&lines_[indexes_[i]], 1, 3); }

  Bench& bench_;
  const unsigned distance_;
  FlowStream stream_;
  std::shared_ptr<ResidentTable> memory_;
  CountEntry* lines_;
  std::vector<std::uint32_t> indexes_;
};

}  // namespace

std::unique_ptr<Arm> make_roofline_arm(Bench& bench, unsigned distance) {
  return std::make_unique<RooflineArm>(bench, distance);
}

}  // namespace wiretally::perf
