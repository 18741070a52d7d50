// SPDX-License-Identifier: Apache-2.0
// Collectors over reloads: who keeps a link, who gets a new one, and that no record is lost to the
// books on the way.
#include "control/collector_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Queues what it is offered and delivers it at its end.
class FakeLink final : public RecordSink {
 public:
  FakeLink(std::string name, int number, std::set<int>& alive)
      : name_(std::move(name)), number_(number), alive_(alive) {
    alive_.insert(number_);
  }
  ~FakeLink() override { alive_.erase(number_); }
  void offer(const RecordBatchPtr& batch) override { offered_ += batch->size(); }
  [[nodiscard]] SinkAccount account() const override {
    SinkAccount account;
    account.name = name_;
    account.offered = offered_;
    account.delivered = finished_ ? offered_.load() : 0;
    account.queued = finished_ ? 0 : offered_.load();
    account.datagrams = rate;  // what it was told last
    account.state = std::string("link ").append(std::to_string(number_));
    return account;
  }
  void finish(double) override { finished_ = true; }
  void send_templates() override { ++templates; }
  [[nodiscard]] bool adjustable() const override { return true; }
  void adjust(const SinkSettings& settings) override { rate = settings.rate; }
  int templates = 0;
  std::uint64_t rate = 0;

 private:
  const std::string name_;
  const int number_;
  std::set<int>& alive_;
  std::atomic<std::uint64_t> offered_{0};
  std::atomic<bool> finished_{false};
};

class CollectorSetTest : public testing::Test {
 protected:
  static Config config_of(const std::vector<CollectorConfig>& collectors) {
    Config config;
    config.exporting.collectors = collectors;
    return config;
  }
  static CollectorConfig collector(const std::string& address, std::uint32_t rate = 0) {
    CollectorConfig collector;
    collector.address = address;
    collector.rate = rate;
    return collector;
  }
  static SinkSettings settings_of(const Config& config, std::size_t number) {
    return {config.exporting.collectors[number].rate, {}};
  }
  std::unique_ptr<CollectorSet> make(const Config& config) {
    running = config;
    return std::make_unique<CollectorSet>(
        config,
        [this](const Config& c, std::size_t number) -> std::unique_ptr<RecordSink> {
          const std::string& address = c.exporting.collectors[number].address;
          if (address == "bad") throw StartupError(ExitCode::kUsage, "bad");
          return std::make_unique<FakeLink>(address, ++made, alive);
        },
        [](const Config& c, std::size_t number) {
          return c.exporting.collectors[number].layout != RecordLayout::kFull;
        },
        adjusts ? CollectorSet::SettingsOf(settings_of) : CollectorSet::SettingsOf());
  }
  ReloadResult take(CollectorSet& set, const Config& next) {
    Reloadable* parts[] = {&set};
    return reload(running, next, parts);
  }
  static void offer(CollectorSet& set, std::size_t records) {
    RecordBatch batch;
    batch.resize(records);
    const auto shared = std::make_shared<const RecordBatch>(std::move(batch));
    for (RecordSink* sink : set.members().taking) sink->offer(shared);
  }
  static SinkAccount account_of(CollectorSet& set, const std::string& address) {
    SinkAccount found;
    auto [taking, removed] = set.members();
    taking.insert(taking.end(), removed.begin(), removed.end());
    for (const RecordSink* sink : taking) {
      if (sink->account().name == address) found = sink->account();
    }
    return found;
  }

  Config running;
  std::set<int> alive;
  int made = 0;
  bool adjusts = false;
};

TEST_F(CollectorSetTest, keeps_the_link_of_a_collector_that_is_the_same) {
  const auto set = make(config_of({collector("a"), collector("b")}));
  const ReloadResult result = take(*set, config_of({collector("b"), collector("a")}));
  EXPECT_EQ(made, 2) << "another order is no change of a collector";
  EXPECT_THAT(result.restart_needed, IsEmpty());
  EXPECT_EQ(account_of(*set, "a").state, "link 1");
  EXPECT_EQ(account_of(*set, "b").state, "link 2");
}

TEST_F(CollectorSetTest, replaces_the_link_of_one_that_changed_and_keeps_its_account) {
  const auto set = make(config_of({collector("a"), collector("b")}));
  offer(*set, 5);
  const ReloadResult result = take(*set, config_of({collector("a", 99), collector("b")}));
  EXPECT_THAT(result.changed, ElementsAre("export.collectors[0].rate"));
  EXPECT_EQ(running.exporting.collectors[0].rate, 99u);
  offer(*set, 2);
  set->finish(1);
  EXPECT_EQ(account_of(*set, "a").state, "link 3");
  EXPECT_EQ(account_of(*set, "a").offered, 7u);
  EXPECT_EQ(account_of(*set, "a").delivered, 7u) << "also what waited in the link that left";
  EXPECT_EQ(account_of(*set, "b").delivered, 7u);
  EXPECT_THAT(alive, ElementsAre(2, 3));
}

TEST_F(CollectorSetTest, tells_a_running_link_its_new_rate_and_replaces_it_for_anything_else) {
  adjusts = true;
  const auto set = make(config_of({collector("a"), collector("b")}));
  const ReloadResult result = take(*set, config_of({collector("a", 99), collector("b")}));
  EXPECT_THAT(result.changed, ElementsAre("export.collectors[0].rate"));
  EXPECT_EQ(made, 2);
  EXPECT_EQ(account_of(*set, "a").state, "link 1");
  EXPECT_EQ(account_of(*set, "a").datagrams, 99u);
  EXPECT_EQ(account_of(*set, "b").datagrams, 0u);
  CollectorConfig other = collector("a", 50);
  other.max_datagram = 600;
  take(*set, config_of({other, collector("b")}));
  EXPECT_EQ(account_of(*set, "a").state, "link 3");
  set->finish(1);
}

TEST_F(CollectorSetTest, balances_by_flow_so_that_both_directions_stay_together) {
  Config config = config_of({collector("a"), collector("b"), collector("c")});
  config.exporting.mode = ExportMode::kBalance;
  const auto set = make(config);
  constexpr std::uint64_t kFlows = 3000;
  for (std::uint64_t i = 0; i < kFlows; ++i) {
    FlowRecord record;
    record.key.set_kind(IpVersion::kV4, CoarseLevel::kExact);
    record.key.protocol = 17;
    record.key.source[15] = static_cast<std::uint8_t>(i);
    record.key.destination[14] = static_cast<std::uint8_t>(i >> 8);
    record.key.source_port = static_cast<std::uint16_t>(1024 + i);
    record.key.destination_port = 53;
    FlowRecord answer = record;
    std::swap(answer.key.source, answer.key.destination);
    std::swap(answer.key.source_port, answer.key.destination_port);
    RecordBatch batch;
    batch.push_back(record);
    batch.push_back(answer);
    const auto shared = std::make_shared<const RecordBatch>(std::move(batch));
    for (RecordSink* sink : set->members().taking) sink->offer(shared);
  }
  set->finish(1);
  std::uint64_t delivered = 0;
  for (const char* name : {"a", "b", "c"}) {
    const SinkAccount account = account_of(*set, name);
    EXPECT_EQ(account.offered, 2 * kFlows);
    EXPECT_EQ(account.dropped.back().reason, "elsewhere");
    EXPECT_EQ(account.delivered + account.dropped.back().records, 2 * kFlows);
    EXPECT_EQ(account.delivered % 2, 0u) << "two directions, one collector";
    EXPECT_NEAR(static_cast<double>(account.delivered), 2.0 * kFlows / 3, 300);
    delivered += account.delivered;
  }
  EXPECT_EQ(delivered, 2 * kFlows);
}

TEST_F(CollectorSetTest, renews_every_link_when_what_they_share_changes) {
  const auto set = make(config_of({collector("a"), collector("b")}));
  Config next = config_of({collector("a"), collector("b")});
  next.exporting.domain_id = 77;
  take(*set, next);
  EXPECT_EQ(made, 4);
}

TEST_F(CollectorSetTest, remembers_a_collector_that_left_and_takes_it_up_again) {
  const auto set = make(config_of({collector("a"), collector("b")}));
  int changes = 0;
  set->on_change([&] { ++changes; });
  offer(*set, 5);
  take(*set, config_of({collector("b")}));
  EXPECT_EQ(set->members().taking.size(), 1u);
  EXPECT_EQ(set->members().removed.size(), 1u);
  offer(*set, 3);
  EXPECT_EQ(account_of(*set, "a").offered, 5u);
  take(*set, config_of({collector("b"), collector("a")}));
  EXPECT_EQ(changes, 2);
  EXPECT_THAT(set->members().removed, IsEmpty());
  offer(*set, 1);
  EXPECT_EQ(account_of(*set, "a").offered, 6u);
  EXPECT_EQ(account_of(*set, "b").offered, 9u);
}

TEST_F(CollectorSetTest, changes_nothing_if_one_collector_cannot_be_made) {
  const auto set = make(config_of({collector("a")}));
  EXPECT_THROW(take(*set, config_of({collector("a", 5), collector("bad")})), StartupError);
  EXPECT_EQ(running.exporting.collectors[0].rate, 0u);
  EXPECT_EQ(account_of(*set, "a").state, "link 1");
  EXPECT_THAT(alive, ElementsAre(1));
}

TEST_F(CollectorSetTest, goes_on_with_the_old_link_where_the_new_layout_needs_a_restart) {
  const auto set = make(config_of({collector("a")}));
  Config next = config_of({collector("a"), collector("new")});
  for (CollectorConfig& c : next.exporting.collectors) c.layout = RecordLayout::kFull;
  const ReloadResult result = take(*set, next);
  EXPECT_THAT(result.restart_needed,
              ElementsAre("export.collectors[0].layout", "export.collectors[1].layout"));
  EXPECT_THAT(result.changed, IsEmpty());
  ASSERT_EQ(running.exporting.collectors.size(), 1u) << "what runs, not what was asked for";
  EXPECT_EQ(running.exporting.collectors[0].layout, RecordLayout::kBasic);
  EXPECT_EQ(made, 1);
}

TEST_F(CollectorSetTest, tells_two_collectors_at_one_address_apart) {
  const auto set = make(config_of({collector("a", 1), collector("a", 2)}));
  take(*set, config_of({collector("a", 1), collector("a", 2)}));
  EXPECT_EQ(made, 2);
  take(*set, config_of({collector("a", 1), collector("a", 1)}));
  EXPECT_EQ(made, 3);
}

TEST_F(CollectorSetTest, forgets_the_oldest_of_too_many_that_left) {
  const auto set = make(config_of({}));
  for (std::size_t i = 0; i < CollectorSet::kRemovedMax + 10; ++i) {
    take(*set, config_of({collector(std::to_string(i))}));
  }
  EXPECT_EQ(set->members().removed.size(), CollectorSet::kRemovedMax);
}

TEST_F(CollectorSetTest, asks_all_for_templates) {
  const auto set = make(config_of({collector("a"), collector("b"), collector("c")}));
  take(*set, config_of({collector("a"), collector("b")}));
  EXPECT_EQ(set->send_templates(), 2u);
}

}  // namespace
}  // namespace wiretally
