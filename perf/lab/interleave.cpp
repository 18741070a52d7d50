// SPDX-License-Identifier: Apache-2.0
// Rounds, slices and the pairing of their results. Thread: the bench's only one.
#include "perf/lab/interleave.hpp"

#include <algorithm>
#include <optional>
#include <random>

#include "perf/lab/machine.hpp"

namespace wiretally::perf {
namespace {

constexpr double kCpuShareMin = 0.99;
constexpr double kDropped = -1;

// Nanoseconds an operation over one slice, or kDropped.
double slice(Arm& arm, const InterleaveOptions& options) {
  arm.begin_slice();
  const std::uint64_t stolen = stolen_jiffies(options.core);
  const std::int64_t wall = wall_ns();
  const std::int64_t cpu = thread_cpu_ns();
  std::int64_t timed = 0;
  std::uint64_t operations = 0;
  while (wall_ns() - wall < options.slice_ns) {
    arm.prepare();
    const std::int64_t start = wall_ns();
    operations += arm.run();
    timed += wall_ns() - start;
  }
  const auto cpu_share =
      static_cast<double>(thread_cpu_ns() - cpu) / static_cast<double>(wall_ns() - wall);
  arm.end_slice();
  const bool disturbed = stolen_jiffies(options.core) != stolen || cpu_share < kCpuShareMin;
  if (disturbed || operations == 0) return kDropped;
  return static_cast<double>(timed) / static_cast<double>(operations);
}

}  // namespace

Estimate ArmResult::ns_per_operation() const {
  std::vector<double> good;
  std::copy_if(ns.begin(), ns.end(), std::back_inserter(good), [](double v) { return v > 0; });
  return estimate(std::move(good));
}

Estimate speed_ratio(const ArmResult& arm, const ArmResult& other) {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < std::min(arm.ns.size(), other.ns.size()); ++round) {
    if (arm.ns[round] > 0 && other.ns[round] > 0) {
      ratios.push_back(other.ns[round] / arm.ns[round]);
    }
  }
  return estimate(std::move(ratios));
}

std::vector<ArmResult> interleave(const Arms& arms, const InterleaveOptions& options) {
  std::mt19937_64 random(options.seed);
  std::vector<ArmResult> results(arms.size());
  std::vector<std::size_t> order(arms.size());
  for (std::size_t i = 0; i < arms.size(); ++i) {
    results[i].name = arms[i]->name();
    order[i] = i;
  }
  std::optional<QuietOthers> quiet;
  if (options.quiet) quiet.emplace(options.core);
  for (unsigned round = 0; round <= options.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t i : order) {
      if (arms[i]->name().find(options.only) == std::string::npos) continue;
      const double ns = slice(*arms[i], options);
      if (round == 0) continue;
      results[i].ns.push_back(ns);
      if (ns < 0) ++results[i].dropped;
    }
  }
  quiet.reset();
  for (const auto& arm : arms) {
    if (arm->name().find(options.only) != std::string::npos) arm->check();
  }
  return results;
}

}  // namespace wiretally::perf
