// SPDX-License-Identifier: Apache-2.0
// Shell scripts as lists of words.
#include "control/import/shell_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wiretally {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(ShellWords, splits_as_a_shell_does) {
  const auto commands = shell_commands(
      "#!/bin/sh\n"
      "a 'b c' \"d e\"f g\\ h # comment\n"
      "x; y && z | w\n"
      "one two \\\n   three\n");
  ASSERT_THAT(commands, SizeIs(6));
  EXPECT_THAT(commands[0].words, ElementsAre("a", "b c", "d ef", "g h"));
  EXPECT_EQ(commands[0].line, 2u);
  EXPECT_THAT(commands[1].words, ElementsAre("x"));
  EXPECT_THAT(commands[4].words, ElementsAre("w"));
  EXPECT_THAT(commands[5].words, ElementsAre("one", "two", "three"));
  EXPECT_EQ(commands[5].line, 4u);
}

TEST(ShellWords, knows_the_variables_that_the_script_sets) {
  const auto commands = shell_commands(
      "IPT=/sbin/iptables\nexport LAN=\"192.0.2.0/24\" OPTS='-p tcp'\nX=$(date)\n"
      "$IPT -s $LAN $OPTS \"$OPTS\" '$LAN' ${LAN}x $X ${LAN:-y} $UNSET\n");
  ASSERT_THAT(commands, SizeIs(1));
  EXPECT_THAT(commands[0].words,
              ElementsAre("/sbin/iptables", "-s", "192.0.2.0/24", "-p", "tcp", "-p tcp", "$LAN",
                          "192.0.2.0/24x", "$X", "$LAN", "$UNSET"));
  EXPECT_THAT(commands[0].unknown, ElementsAre("$X", "$LAN", "$UNSET"));
}

TEST(ShellWords, come_to_an_end_whatever_is_left_open) {
  for (const char* text :
       {"a \"b", "a 'b", "a ${b", "a $(b", "a `b", "a \\", "$", "\\", "", "\n"}) {
    const auto commands = shell_commands(text);
    EXPECT_LE(commands.size(), 1u) << text;
  }
}

}  // namespace
}  // namespace wiretally
