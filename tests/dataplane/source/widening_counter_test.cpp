// SPDX-License-Identifier: Apache-2.0
// 64-bit totals over libpcap's 32-bit ones.
#include <gtest/gtest.h>

#include "dataplane/source/pcap_live_source.hpp"

namespace wiretally {
namespace {

TEST(WideningCounter, goes_on_where_the_32_bit_total_wraps) {
  WideningCounter counter;
  EXPECT_EQ(counter.advance(5), 5u);
  EXPECT_EQ(counter.advance(5), 5u);
  EXPECT_EQ(counter.advance(0xfffffff0), 0xfffffff0u);
  EXPECT_EQ(counter.advance(0x10), 0x1'0000'0010u);
  EXPECT_EQ(counter.advance(0x0f), 0x2'0000'000fu) << "a whole turn but one";
}

TEST(WideningCounter, keeps_its_total_when_the_32_bit_one_begins_anew) {
  WideningCounter counter;
  counter.advance(1000);
  counter.restart();
  EXPECT_EQ(counter.advance(0), 1000u);
  EXPECT_EQ(counter.advance(10), 1010u);
}

TEST(LinkState, has_a_label_for_every_value) {
  EXPECT_EQ(label(LinkState::kUp), "up");
  EXPECT_EQ(label(LinkState::kDown), "down");
  EXPECT_EQ(label(LinkState::kGone), "gone");
}

}  // namespace
}  // namespace wiretally
