// SPDX-License-Identifier: Apache-2.0
// What a row of a result says: a median, and how sure it is. Thread: any.
#pragma once

#include <cstddef>
#include <vector>

namespace wiretally::perf {

struct Estimate {
  double median = 0;
  double low = 0;  // bootstrap 95 % interval of the median
  double high = 0;
  std::size_t samples = 0;
};

// Median of `values` with a percentile-bootstrap interval (2000 resamples, fixed seed: the same
// samples give the same interval). All zero if there are no values.
Estimate estimate(std::vector<double> values);

}  // namespace wiretally::perf
