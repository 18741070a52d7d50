// SPDX-License-Identifier: Apache-2.0
#include "control/report/percentile.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace wiretally {
namespace {

TEST(Percentile95, leaves_out_the_highest_twentieth) {
  std::vector<double> values(100);
  std::iota(values.begin(), values.end(), 1);
  EXPECT_EQ(percentile95(values, 100), 95);
}

TEST(Percentile95, counts_silent_stretches_as_zero) {
  EXPECT_EQ(percentile95({50, 60, 70, 80, 90}, 100), 0);
  EXPECT_EQ(percentile95({50, 60, 70, 80, 90, 100}, 100), 50);
}

TEST(Percentile95, keeps_the_only_value_and_has_none_of_nothing) {
  EXPECT_EQ(percentile95({7}, 1), 7);
  EXPECT_EQ(percentile95({}, 0), 0);
}

TEST(PercentileCell, bills_the_larger_direction) {
  EXPECT_EQ((PercentileCell{{30, 10, 20}, true}.billed()), 20);
  EXPECT_EQ((PercentileCell{{30, 0, 0}, false}.billed()), 30);
}

}  // namespace
}  // namespace wiretally
