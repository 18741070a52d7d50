// SPDX-License-Identifier: Apache-2.0
// Runs the arms of a comparison side by side: each round gives every arm one slice of 50-100 ms of
// its own work, in random order, so that whatever the machine does meanwhile, it does to all. A
// slice in which the hypervisor took time, or the thread had less than 99 % of a CPU, is thrown
// away. Thread: the bench's only one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "perf/lab/statistics.hpp"

namespace wiretally::perf {

class Arm {
 public:
  explicit Arm(std::string name) : name_(std::move(name)) {}
  virtual ~Arm() = default;
  [[nodiscard]] const std::string& name() const { return name_; }

  virtual void begin_slice() {}  // not timed
  virtual void end_slice() {}
  virtual void prepare() = 0;       // not timed: makes the next piece of work
  virtual std::uint64_t run() = 0;  // timed: does it; returns operations done
  // After the last slice: throws if what was done is not what was asked for.
  virtual void check() const {}

 private:
  std::string name_;
};

using Arms = std::vector<std::unique_ptr<Arm>>;

struct InterleaveOptions {
  int core = 1;
  unsigned rounds = 40;
  std::int64_t slice_ns = 80'000'000;  // wall time, preparing included
  std::uint64_t seed = 1;
  std::string only;    // arms with this in their name; empty: all
  bool quiet = false;  // the other CPUs stand still meanwhile
};

struct ArmResult {
  std::string name;
  std::vector<double> ns;  // nanoseconds an operation, by round; negative: the slice was dropped
  unsigned dropped = 0;

  [[nodiscard]] Estimate ns_per_operation() const;
};

// How many times as fast `arm` is as `other`: median of the rounds in which both slices are good.
Estimate speed_ratio(const ArmResult& arm, const ArmResult& other);

// The first round warms up and is not in the results.
std::vector<ArmResult> interleave(const Arms& arms, const InterleaveOptions& options);

}  // namespace wiretally::perf
