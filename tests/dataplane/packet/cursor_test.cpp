// SPDX-License-Identifier: Apache-2.0
// The bounds of the one reader everything else trusts.
#include "dataplane/packet/cursor.hpp"

#include <gtest/gtest.h>

#include "dataplane/packet/byte_order.hpp"

namespace wiretally {
namespace {

constexpr std::uint8_t kOctets[] = {1, 2, 3, 4, 5, 6};

TEST(Cursor, gives_no_header_that_is_not_wholly_there) {
  const Cursor cursor(kOctets, 5, 100);
  ASSERT_NE(cursor.peek<Be32>(1), nullptr);
  EXPECT_EQ(cursor.peek<Be32>(1)->value(), 0x02030405u);
  EXPECT_EQ(cursor.peek<Be32>(2), nullptr);
  EXPECT_EQ(cursor.peek<Be32>(200), nullptr);
}

TEST(Cursor, counts_what_is_left_on_the_wire_beside_what_was_captured) {
  Cursor cursor(kOctets, 5, 100);
  EXPECT_TRUE(cursor.skip(2));
  EXPECT_EQ(cursor.readable(), 3u);
  EXPECT_EQ(cursor.on_wire(), 98u);
}

TEST(Cursor, stops_at_the_end_when_told_to_skip_beyond_it) {
  Cursor cursor(kOctets, 5, 5);
  EXPECT_FALSE(cursor.skip(6));
  EXPECT_EQ(cursor.readable(), 0u);
  EXPECT_EQ(cursor.take<Be16>(), nullptr);
}

TEST(Cursor, limits_to_an_enclosing_length_but_never_extends) {
  Cursor cursor(kOctets, 6, 6);
  cursor.limit(4);
  EXPECT_EQ(cursor.readable(), 4u);
  cursor.limit(50);
  EXPECT_EQ(cursor.readable(), 4u);
  EXPECT_EQ(cursor.on_wire(), 4u);
}

TEST(Cursor, drops_a_trailer_that_was_not_even_captured) {
  Cursor cursor(kOctets, 6, 100);
  cursor.drop_tail(4);
  EXPECT_EQ(cursor.readable(), 6u);
  EXPECT_EQ(cursor.on_wire(), 96u);
  cursor.drop_tail(1000);
  EXPECT_EQ(cursor.readable(), 0u);
}

}  // namespace
}  // namespace wiretally
