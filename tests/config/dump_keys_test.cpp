// SPDX-License-Identifier: Apache-2.0
// `monitors[].rules` and `monitors[].dump`: what loads, and what is refused where.
#include <gmock/gmock.h>

#include "config/describe.hpp"
#include "tests/config/support.hpp"

namespace wiretally {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

std::string complaints(const std::string& monitor) {
  std::string text;
  for (const Diagnostic& diagnostic :
       check_config_text(kCapture + ("monitors:\n  - " + monitor + "\n"), "f.yaml")) {
    if (diagnostic.severity == Severity::kError) text += to_string(diagnostic) + "\n";
  }
  return text;
}

TEST(DumpKeys, load_and_mean_hosts) {
  const Config config = load_config_text(
      kCapture +
          std::string("monitors:\n  - name: a\n    rules: [from 192.0.2.0/24, none 192.0.2.1]\n"
                      "    dump: {every: 1h, after: 5m, clear: 1d, clear_after: 2h, sort: total,\n"
                      "           file: /tmp/%d, resolve: true, append: true, format: csv,\n"
                      "           timezone: UTC}\n"),
      "f.yaml");
  const MonitorConfig& monitor = config.monitors.at(0);
  EXPECT_THAT(monitor.rules, ElementsAre("from 192.0.2.0/24", "none 192.0.2.1"));
  EXPECT_THAT(monitor.group_by, ElementsAre("host"));
  EXPECT_EQ(monitor.dump.every, 1h);
  EXPECT_EQ(monitor.dump.clear, "1d");
  EXPECT_EQ(monitor.dump.sort, DumpSort::kTotal);
  EXPECT_EQ(monitor.dump.format, DumpFormat::kCsv);
  const Config again = load_config_text(to_yaml(config), "again.yaml");
  EXPECT_THAT(changed_keys(config, again), testing::IsEmpty());
}

TEST(DumpKeys, name_what_is_wrong_and_where) {
  EXPECT_EQ(complaints("{name: a, dump: {file: x}}"), "");
  EXPECT_EQ(complaints("{name: a, dump: {file: x, clear: never}}"), "");
  EXPECT_EQ(complaints("{name: a}"), "");
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"{name: a, dump: {file: x}, rules: [nobody]}", "monitors[0].rules[0]: `nobody` is no"},
      {"{name: a, group_by: [port], dump: {file: x}}", "monitors[0].group_by: rules and dumps"},
      {"{name: a, rules: [both], group_by: [src_host]}", "monitors[0].group_by: rules and dumps"},
      {"{name: a, dump: {every: 1h}}", "monitors[0].dump: has no file"},
      {"{name: a, dump: {file: x, every: 1500ms}}", "monitors[0].dump.every: 1500ms is no whole"},
      {"{name: a, dump: {file: x, clear: sometimes}}", "or write always or never"},
      {"{name: a, dump: {file: x, every: 1h, clear: 90m}}", "monitors[0].dump.clear: counts begin"},
      {"{name: a, dump: {file: x, every: 1h, clear: 2h, clear_after: 30m}}", "multiples of every"},
      {"{name: a, dump: {file: x, sort: size}}", "monitors[0].dump.sort"},
  };
  for (const auto& [monitor, complaint] : cases) {
    EXPECT_THAT(complaints(monitor), HasSubstr(complaint)) << monitor;
  }
}

}  // namespace
}  // namespace wiretally
