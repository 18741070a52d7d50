// SPDX-License-Identifier: Apache-2.0
// --set KEY=VALUE: values, lists, appending, and mistakes with their place in KEY=VALUE.
#include <gmock/gmock.h>

#include "tests/config/support.hpp"

namespace wiretally {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

Config load(const std::string& text, const std::vector<std::string>& overrides) {
  return load_config_text(text, "f.yaml", overrides);
}

TEST(Overrides, win_over_the_file_and_over_earlier_ones) {
  const Config config =
      load(kCapture + "flows: {tick: 2s}\n", {"flows.tick=500ms", "flows.tick=700ms"});
  EXPECT_EQ(config.flows.tick, 700ms);
}

TEST(Overrides, make_the_sections_and_lists_they_need) {
  const Config config = load(
      "", {"capture.files[0]=a.pcap", "capture.files[1]=b: [c].pcap",
           "export.collectors[0].address=[::1]:2055", "export.collectors[0].templates.packets=7"});
  EXPECT_THAT(config.capture.files, ElementsAre("a.pcap", "b: [c].pcap"));
  ASSERT_EQ(config.exporting.collectors.size(), 1u);
  EXPECT_EQ(config.exporting.collectors[0].address, "[::1]:2055");
  EXPECT_EQ(config.exporting.collectors[0].templates.packets, 7u);
}

TEST(Overrides, change_one_entry_and_leave_its_neighbours) {
  const std::string text = kCapture +
                           "export:\n  collectors:\n    - {address: \"a:1\", rate: 5}\n"
                           "    - {address: \"b:2\"}\n";
  const Config config = load(text, {"export.collectors[1].address=c:3"});
  ASSERT_EQ(config.exporting.collectors.size(), 2u);
  EXPECT_EQ(config.exporting.collectors[0].address, "a:1");
  EXPECT_EQ(config.exporting.collectors[0].rate, 5u);
  EXPECT_EQ(config.exporting.collectors[1].address, "c:3");
}

TEST(Overrides, take_a_single_value_as_it_stands) {
  const Config config = load(
      kCapture, {"capture.filter=tcp and (port 80 or port 443) # no comment", "metrics.listen="});
  EXPECT_EQ(config.capture.filter, "tcp and (port 80 or port 443) # no comment");
  EXPECT_EQ(config.metrics.listen, "");
}

TEST(Overrides, take_lists_and_sections_as_yaml) {
  const Config config =
      load(kCapture, {"capture.dpdk.workers=[2, 3]", "flows.key=[hosts, vlan]",
                      "flows.timeouts={idle: 3s}", "export.collectors=[{address: \"a:1\"}]"});
  EXPECT_THAT(config.capture.dpdk.workers, ElementsAre(2u, 3u));
  EXPECT_TRUE(config.flows.key.vlan);
  EXPECT_FALSE(config.flows.key.ports);
  EXPECT_EQ(config.flows.timeouts.udp, 3s);
  EXPECT_EQ(config.exporting.collectors.size(), 1u);
}

TEST(Overrides, count_as_written_for_the_timeouts) {
  const Config config = load(kCapture, {"flows.timeouts.idle=2s"});
  EXPECT_EQ(config.flows.timeouts.tcp, 2s);
}

TEST(Overrides, are_told_with_their_number_and_column) {
  const std::pair<std::string, std::string> cases[] = {
      {"flows.tick=abc",
       "--set:2:12: flows.tick: `abc` is not a duration; write 1h30m, 90s, 500ms"},
      {"flows.tock=1s", "--set:2:7: flows.tock: unknown key; did you mean `tick`?"},
      {"flows.tick",
       "--set:2:1: `flows.tick` is not KEY=VALUE; write for example flows.tick=500ms"},
      {"=1s", "--set:2:1: `=1s` is not KEY=VALUE; write for example flows.tick=500ms"},
      {"flows..tick=1s", "--set:2:7: a key is missing"},
      {"capture.files[1]=x",
       "--set:2:14: index 1 is past the end; the list has 0 entries, and [0] appends one"},
      {"capture.files[x]=x", "--set:2:14: an index such as [0] is meant"},
      {"capture.files[0=x", "--set:2:14: an index such as [0] is meant"},
      {"capture.files[0]x=x", "--set:2:17: a `.` is meant"},
      {"capture.interfaces.name=x", "--set:2:20: what stands before this is not a section"},
      {"capture[0]=x", "--set:2:8: what stands before this is not a list"},
      {"capture.dpdk.workers=[1, 1]", "--set:2:26: capture.dpdk.workers: 1 is in the list twice"},
      {"capture.dpdk.workers=[1",
       "--set:2:22: a key is a word, not a map or a list: close a list with `]`, and quote text "
       "that begins with ["},
  };
  for (const auto& [set, expected] : cases) {
    EXPECT_EQ(load_error(kCapture, {"flows.tick=1s", set}), expected) << set;
  }
}

}  // namespace
}  // namespace wiretally
