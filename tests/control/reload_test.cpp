// SPDX-License-Identifier: Apache-2.0
// A reload through its parts: all of it or nothing, and what runs afterwards.
#include "control/reload.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.hpp"
#include "config/startup_error.hpp"

namespace wiretally {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Part final : public Reloadable {
 public:
  PreparedChange prepare(const Config&, const Config& next) override {
    if (fails) throw StartupError(ExitCode::kUsage, "cannot");
    PreparedChange change;
    if (refuses) change.restart_needed = {"metrics.top"};
    change.commit = [this, seen = next.flows.tick](Config& config) {
      tick = seen;
      if (refuses) config.metrics.top = 0;
      ++commits;
    };
    return change;
  }
  bool fails = false;
  bool refuses = false;
  int commits = 0;
  std::chrono::nanoseconds tick{0};
};

Config config_of(const std::string& more) {
  return load_config_text("capture: {interfaces: [{name: eth1}]}\n" + more, "f.yaml");
}

TEST(ReloadParts, take_what_is_live_and_name_what_is_not) {
  Config running = config_of("");
  Part part;
  Reloadable* parts[] = {&part};
  const ReloadResult result = reload(
      running, config_of("flows: {tick: 2s, key: ip, max_flows: 4096}\nmetrics: {listen: ''}\n"),
      parts);
  EXPECT_THAT(result.changed, ElementsAre("flows.tick"));
  EXPECT_THAT(result.restart_needed, ElementsAre("flows.key", "flows.max_flows", "metrics.listen"));
  EXPECT_EQ(part.tick, std::chrono::seconds(2));
  EXPECT_EQ(running.flows.tick, std::chrono::seconds(2));
  EXPECT_EQ(running.flows.max_flows, 1'000'000u);
  EXPECT_TRUE(running.flows.key.ports);
  EXPECT_EQ(summary(result),
            "changed flows.tick; needs a restart: flows.key, flows.max_flows, metrics.listen");
}

TEST(ReloadParts, all_stay_as_they_are_if_one_cannot) {
  Config running = config_of("");
  Part good;
  Part bad;
  bad.fails = true;
  Reloadable* parts[] = {&good, &bad};
  EXPECT_THROW(reload(running, config_of("flows: {tick: 2s}\n"), parts), StartupError);
  EXPECT_EQ(good.commits, 0);
  EXPECT_EQ(running.flows.tick, std::chrono::seconds(1));
}

TEST(ReloadParts, may_refuse_a_key_which_then_counts_as_not_changed) {
  Config running = config_of("");
  Part part;
  part.refuses = true;
  Reloadable* parts[] = {&part};
  Config next = config_of("");
  next.metrics.top = 5;
  const ReloadResult result = reload(running, next, parts);
  EXPECT_THAT(result.changed, IsEmpty());
  EXPECT_THAT(result.restart_needed, ElementsAre("metrics.top"));
  EXPECT_EQ(summary({}), "nothing changed");
}

}  // namespace
}  // namespace wiretally
