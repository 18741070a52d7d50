// SPDX-License-Identifier: Apache-2.0
// Median and bootstrap. Thread: any.
#include "perf/lab/statistics.hpp"

#include <algorithm>
#include <random>

namespace wiretally::perf {
namespace {

constexpr std::size_t kResamples = 2000;

double median_of(std::vector<double>& values) {
  const std::size_t half = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(half),
                   values.end());
  if (values.size() % 2 == 1) return values[half];
  const double below =
      *std::max_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(half));
  return (below + values[half]) / 2;
}

}  // namespace

Estimate estimate(std::vector<double> values) {
  if (values.empty()) return {};
  std::mt19937_64 random(1);
  std::vector<double> medians(kResamples);
  std::vector<double> resample(values.size());
  for (double& median : medians) {
    for (double& value : resample) value = values[random() % values.size()];
    median = median_of(resample);
  }
  std::sort(medians.begin(), medians.end());
  const std::size_t samples = values.size();
  return {median_of(values), medians[kResamples / 40], medians[kResamples - 1 - kResamples / 40],
          samples};
}

}  // namespace wiretally::perf
