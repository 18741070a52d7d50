// SPDX-License-Identifier: Apache-2.0
#include "control/history/heaviest_groups.hpp"

#include <gtest/gtest.h>

namespace wiretally {
namespace {

TEST(HeaviestGroups, lets_the_first_in_while_there_is_room) {
  HeaviestGroups groups(2);
  EXPECT_TRUE(groups.count("a", 1));
  EXPECT_TRUE(groups.count("b", 1));
  EXPECT_FALSE(groups.count("c", 1000));
}

TEST(HeaviestGroups, exchanges_the_lightest_for_a_clearly_heavier_one) {
  HeaviestGroups groups(2);
  groups.count("a", 100);
  groups.count("b", 1000);
  groups.count("c", 120);  // not a quarter more than a
  groups.settle(0);
  EXPECT_FALSE(groups.count("c", 10));  // 130 by now
  groups.settle(0);
  EXPECT_TRUE(groups.count("c", 0));
  EXPECT_FALSE(groups.count("a", 0));
  EXPECT_TRUE(groups.count("b", 0));
}

TEST(HeaviestGroups, begins_each_hour_anew_and_makes_room_for_others_after_a_silent_one) {
  HeaviestGroups groups(1);
  groups.settle(1);
  groups.count("a", 100);
  groups.settle(2);  // a stays: it had traffic
  EXPECT_FALSE(groups.count("b", 1));
  groups.settle(3);  // a had none in hour 2, b had
  EXPECT_TRUE(groups.count("b", 0));
  groups.settle(4);  // nobody had any
  EXPECT_TRUE(groups.count("c", 1));
}

}  // namespace
}  // namespace wiretally
