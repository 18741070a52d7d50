// SPDX-License-Identifier: Apache-2.0
// See gap.hpp.
#include "dataplane/source/gap.hpp"

#include <time.h>

#include <algorithm>

namespace wiretally {
namespace {

constexpr int kLooks = 40;
constexpr long kMomentNs = 1'500'000;  // a worker on virtual devices sleeps for 0.4 ms

void wait_a_moment() {
  const timespec moment{0, kMomentNs};
  ::nanosleep(&moment, nullptr);
}

}  // namespace

std::uint64_t measure_gap(const std::function<std::optional<std::uint64_t>()>& passed,
                          const std::function<std::uint64_t()>& seen) {
  std::optional<std::uint64_t> smallest;
  for (int look = 0; look < kLooks; ++look) {
    const auto before = passed();
    wait_a_moment();
    const std::uint64_t taken = seen();
    wait_a_moment();
    const auto after = passed();
    if (!before || !after) break;
    const std::uint64_t gap = *after - std::min(*after, taken);
    if (*before == *after) return gap;
    smallest = std::min(smallest.value_or(gap), gap);
  }
  return smallest.value_or(0);
}

}  // namespace wiretally
