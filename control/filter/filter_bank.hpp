// SPDX-License-Identifier: Apache-2.0
// Many filters asked about one flow, for a fraction of what each of them would take alone: the
// programs are cut down (cut_program.hpp) to the shape of the flow's frame, once for each shape, so
// that an answer is a test or two. A frame without IP, a program that cannot be cut and a shape
// that comes when there is no more room for programs are left to libpcap's interpreter. Thread:
// ask() any number of threads at once. Memory: kTestsMax tests of 24 octets.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "control/filter/cut_program.hpp"
#include "control/filter/flow_filter.hpp"

namespace wiretally {

class FilterBank {
 public:
  static constexpr std::size_t kTestsMax = 1'000'000;
  static constexpr std::size_t kShapesMax = 4096;

  // `filters` are borrowed.
  explicit FilterBank(std::vector<const FlowFilter*> filters, std::size_t tests_max = kTestsMax)
      : filters_(std::move(filters)), tests_max_(tests_max) {}

  [[nodiscard]] std::size_t size() const { return filters_.size(); }
  // Writes what each filter says of the flow to `answers`, which has size() of them.
  void ask(const KeyFrame& frame, std::uint8_t* answers);

 private:
  using Programs = std::vector<std::optional<CutProgram>>;  // by filter
  struct ShapeHash {
    std::size_t operator()(const FrameShape& shape) const;
  };

  const Programs* programs_for(const FrameShape& shape);
  [[nodiscard]] Programs cut(const FrameShape& shape) const;

  const std::vector<const FlowFilter*> filters_;
  const std::size_t tests_max_;
  std::shared_mutex mutex_;  // what follows
  std::unordered_map<FrameShape, Programs, ShapeHash> programs_;
  std::size_t tests_ = 0;
};

}  // namespace wiretally
