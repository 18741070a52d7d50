// SPDX-License-Identifier: Apache-2.0
// The collectors of a running meter. A reload compares what runs with what is wanted, collector by
// collector: one that is the same in every key keeps its link, its queue and its sequence numbers;
// one whose rate or filter differs keeps them and takes the new settings; one that differs
// otherwise gets a new link, and the old one delivers what it holds; a new one joins, one that is
// gone leaves. Thread: control.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/collector_slot.hpp"
#include "control/reload.hpp"

namespace wiretally {

class CollectorSet final : public Reloadable {
 public:
  // Accounts of collectors that left stay as long as there are no more of them than this.
  static constexpr std::size_t kRemovedMax = 64;

  // `number` counts collectors in the configuration. Throws StartupError for what no waiting mends.
  using MakeLink =
      std::function<std::unique_ptr<RecordSink>(const Config& config, std::size_t number)>;
  // A collector that asks for attributes, which this run does not keep, waits for a restart.
  using Servable = std::function<bool(const Config& config, std::size_t number)>;

  // Makes a link for each collector.
  // What a running link can be told. May throw as MakeLink does.
  using SettingsOf = std::function<SinkSettings(const Config& config, std::size_t number)>;
  CollectorSet(const Config& config, MakeLink make_link, Servable servable,
               SettingsOf settings_of = {});

  // Those that take records, and those that have left but whose account still stands.
  struct Members {
    std::vector<RecordSink*> taking;
    std::vector<RecordSink*> removed;
  };
  [[nodiscard]] Members members();
  // Called after a reload changed the members, between two ticks.
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

  PreparedChange prepare(const Config& running, const Config& next) override;
  std::size_t send_templates();  // to how many collectors
  void finish(double limit_s);

 private:
  struct Entry {
    Config runs;  // this collector alone, with what is the same for all
    std::unique_ptr<CollectorSlot> slot;
    [[nodiscard]] const CollectorConfig& collector() const { return runs.exporting.collectors[0]; }
  };
  // What becomes of a collector of the new configuration.
  struct Plan {
    Entry* entry = nullptr;                // where its account is; null: a new one
    bool keep = false;                     // the link stays as it is
    std::optional<SinkSettings> settings;  // the link stays and takes these
    std::unique_ptr<RecordSink> link;      // else
    Config runs;
  };
  Entry* find(const std::string& address, const std::vector<Plan>& taken);
  bool plan(const Config& next, std::size_t number, const std::vector<Plan>& taken, Plan& plan);
  void commit(std::vector<Plan>& plans, Config& next);
  void forget_the_oldest();
  void share_out(ExportMode mode);

  const MakeLink make_link_;
  const Servable servable_;
  const SettingsOf settings_of_;
  std::function<void()> changed_;
  std::list<Entry> entries_;  // the places of those that take records do not move
};

}  // namespace wiretally
