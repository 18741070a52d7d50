// SPDX-License-Identifier: Apache-2.0
// What memory allows: the lines the count table would touch, in its order, each prefetched and then
// read, changed and written, with no packet, no key and no branch. Thread: the bench's only one.
#include <algorithm>
#include <stdexcept>

#include "dataplane/flow/count_table.hpp"
#include "dataplane/packet/parse.hpp"
#include "perf/lab/meter_arms.hpp"

namespace wiretally::perf {
namespace {

// A count table's own memory, of its own size and pages, in which nothing is counted: all rooflines
// share it.
struct RooflineMemory {
  explicit RooflineMemory(std::uint32_t flows) : table(flows, 1, CountTable::Memory::kPopulated) {
    table.open(0, 10, flows);
    lines = const_cast<CountEntry*>(table.segments()[0].lines);
    lines_log2 = table.segments()[0].lines_log2;
  }
  CountTable table;
  CountEntry* lines;
  unsigned lines_log2;
  std::uint64_t touched = 0;
};

class RooflineArm : public Arm {
 public:
  RooflineArm(Bench& bench, std::shared_ptr<RooflineMemory> memory, unsigned distance)
      : Arm("roofline, T0 " + std::to_string(distance) + " ahead"),
        bench_(bench),
        distance_(distance),
        stream_(bench.workload.pattern, bench.workload.flows, bench.workload.seed),
        memory_(std::move(memory)),
        lines_(memory_->lines),
        indexes_(FrameArena::kFrames) {}

  void prepare() override {
    bench_.arena.fill(stream_, bench_.workload.mix);
    const auto views = bench_.arena.views();
    for (std::size_t i = 0; i < views.size(); ++i) {
      ParsedPacket packet;
      if (!is_metered(parse(views[i], {}, packet))) throw std::runtime_error("frame not metered");
      indexes_[i] =
          static_cast<std::uint32_t>(bench_.hash(packet.key) >> (64 - memory_->lines_log2));
    }
  }

  std::uint64_t run() override {
    const std::size_t size = indexes_.size();
    for (std::size_t i = 0; i < std::min<std::size_t>(distance_, size); ++i) prefetch(i);
    for (std::size_t i = 0; i < size; ++i) {
      if (i + distance_ < size) prefetch(i + distance_);
      ++lines_[indexes_[i]].packets;
    }
    memory_->touched += size;
    return size;
  }

  void check() const override {
    const std::size_t lines = std::size_t{1} << memory_->lines_log2;
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < lines; ++i) sum += lines_[i].packets;
    if (sum != memory_->touched) throw std::runtime_error("the roofline lost a line");
  }

 private:
  void prefetch(std::size_t i) const { __builtin_prefetch(&lines_[indexes_[i]], 1, 3); }

  Bench& bench_;
  const unsigned distance_;
  FlowStream stream_;
  std::shared_ptr<RooflineMemory> memory_;
  CountEntry* lines_;
  std::vector<std::uint32_t> indexes_;
};

}  // namespace

void add_roofline_arms(Bench& bench, std::span<const unsigned> distances, Arms& arms) {
  const auto memory = std::make_shared<RooflineMemory>(bench.workload.flows);
  for (const unsigned distance : distances) {
    arms.push_back(std::make_unique<RooflineArm>(bench, memory, distance));
  }
}

}  // namespace wiretally::perf
