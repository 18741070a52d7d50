// SPDX-License-Identifier: Apache-2.0
// Which changes a reload can take, and which need the meter to be started again.
#include <gmock/gmock.h>

#include "config/describe.hpp"
#include "config/options.hpp"
#include "tests/config/support.hpp"

namespace wiretally {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Config with(const std::string& set) {
  return load_config_text(kCapture + "export: {collectors: [{address: \"a:1\"}]}\n", "f.yaml",
                          set.empty() ? std::vector<std::string>{} : std::vector<std::string>{set});
}

TEST(Reload, needs_a_restart_for_what_is_fixed_at_start) {
  const std::pair<std::string, std::string> cases[] = {
      {"capture.driver=pcap", "capture.driver"},
      {"capture.interfaces[0].name=eth2", "capture.interfaces[0].name"},
      {"capture.dpdk.memory=2G", "capture.dpdk.memory"},
      {"capture.filter=tcp", "capture.filter"},
      {"capture.sampling.rate=10", "capture.sampling.rate"},
      {"flows.table_entries=4096", "flows.table_entries"},
      {"flows.max_flows=4096", "flows.max_flows"},
      {"flows.key=ip", "flows.key"},
      {"flows.tunnel=inner", "flows.tunnel"},
      {"control.socket=/tmp/s", "control.socket"},
      {"metrics.listen=127.0.0.1:9", "metrics.listen"},
  };
  for (const auto& [set, path] : cases) {
    EXPECT_THAT(restart_needed(with(""), with(set)), ElementsAre(path)) << set;
    Config next = with(set);
    next.flows.tick = std::chrono::seconds(2);
    keep_what_needs_restart(with(""), next);
    EXPECT_THAT(changed_keys(with(""), next), ElementsAre("flows.tick")) << set;
  }
}

// keep_what_needs_restart() relies on it.
TEST(Reload, has_lists_that_need_a_restart_in_capture_only) {
  for (const Option& option : options()) {
    if (option.on_reload != OnReload::kNeedsRestart) continue;
    const bool list = option.in_entry() || option.value.kind == ValueKind::kEntries;
    EXPECT_TRUE(!list || option.path.starts_with("capture.")) << option.path;
  }
}

TEST(Reload, names_the_list_when_an_entry_came_or_went) {
  EXPECT_THAT(restart_needed(with(""), with("capture.interfaces[1].name=eth2")),
              ElementsAre("capture.interfaces"));
  Config next = with("capture.interfaces[1].name=eth2");
  keep_what_needs_restart(with(""), next);
  EXPECT_THAT(changed_keys(with(""), next), IsEmpty());
}

TEST(Reload, takes_timeouts_collectors_monitors_and_log) {
  for (const char* set : {"flows.tick=2s", "flows.timeouts.idle=3s", "export.collectors[0].rate=1",
                          "export.collectors[1].address=b:2", "monitors[0].name=m",
                          "log.level=debug", "export.domain_id=7"}) {
    EXPECT_THAT(restart_needed(with(""), with(set)), IsEmpty()) << set;
    EXPECT_FALSE(changed_keys(with(""), with(set)).empty()) << set;
  }
}

TEST(Reload, sees_no_change_where_the_text_differs_and_the_meaning_does_not) {
  EXPECT_THAT(changed_keys(with(""), with("capture.dpdk.memory=1024M")), IsEmpty());
  EXPECT_THAT(changed_keys(with(""), with("flows.key=port")), IsEmpty());
  EXPECT_THAT(changed_keys(with(""), with("flows.timeouts.tcp=2m")), IsEmpty());
}

}  // namespace
}  // namespace wiretally
