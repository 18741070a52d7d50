// SPDX-License-Identifier: Apache-2.0
// See collector_set.hpp. Thread: control.
#include "control/collector_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/describe.hpp"

namespace wiretally {
namespace {

// Everything that is the same for all collectors, and this collector as the only one.
Config alone(const Config& config, std::size_t number) {
  Config one;
  one.exporting = config.exporting;
  one.exporting.collectors = {config.exporting.collectors[number]};
  return one;
}

// Of a collector alone: what its link takes as it runs.
bool is_live(const std::string& path) {
  return path == "export.collectors[0].rate" || path == "export.collectors[0].filter";
}

}  // namespace

CollectorSet::CollectorSet(const Config& config, MakeLink make_link, Servable servable,
                           SettingsOf settings_of)
    : make_link_(std::move(make_link)),
      servable_(std::move(servable)),
      settings_of_(std::move(settings_of)) {
  for (std::size_t i = 0; i < config.exporting.collectors.size(); ++i) {
    entries_.push_back({alone(config, i), std::make_unique<CollectorSlot>(make_link_(config, i))});
  }
  share_out(config.exporting.mode);
}

CollectorSet::Members CollectorSet::members() {
  Members members;
  for (const Entry& entry : entries_) {
    (entry.slot->has_link() ? members.taking : members.removed).push_back(entry.slot.get());
  }
  return members;
}

CollectorSet::Entry* CollectorSet::find(const std::string& address,
                                        const std::vector<Plan>& taken) {
  for (Entry& entry : entries_) {
    const auto is_it = [&entry](const Plan& plan) { return plan.entry == &entry; };
    if (entry.collector().address == address && std::ranges::none_of(taken, is_it)) return &entry;
  }
  return nullptr;
}

// False if the collector has to wait for a restart; `plan` is then what goes on meanwhile, if
// anything does.
bool CollectorSet::plan(const Config& next, std::size_t number, const std::vector<Plan>& taken,
                        Plan& plan) {
  plan.runs = alone(next, number);
  plan.entry = find(next.exporting.collectors[number].address, taken);
  const bool serves = plan.entry != nullptr && plan.entry->slot->has_link();
  if (serves) {
    const std::vector<std::string> changed = changed_keys(plan.entry->runs, plan.runs);
    plan.keep = changed.empty();
    if (plan.keep) return true;
    if (settings_of_ && plan.entry->slot->adjustable() && std::ranges::all_of(changed, is_live)) {
      plan.settings = settings_of_(next, number);
      return true;
    }
  }
  if (servable_(next, number)) {
    plan.link = make_link_(next, number);
    return true;
  }
  plan.keep = serves;
  if (serves) plan.runs = plan.entry->runs;
  return false;
}

PreparedChange CollectorSet::prepare(const Config&, const Config& next) {
  PreparedChange change;
  auto plans = std::make_shared<std::vector<Plan>>();
  for (std::size_t i = 0; i < next.exporting.collectors.size(); ++i) {
    Plan made;
    if (!plan(next, i, *plans, made)) {
      const bool listed = !next.exporting.collectors[i].fields.empty();
      change.restart_needed.push_back(
          fmt::format("export.collectors[{}].{}", i, listed ? "fields" : "layout"));
    }
    if (made.keep || made.settings || made.link != nullptr) plans->push_back(std::move(made));
  }
  change.commit = [this, plans](Config& config) { commit(*plans, config); };
  return change;
}

void CollectorSet::commit(std::vector<Plan>& plans, Config& next) {
  for (Entry& entry : entries_) {
    const auto goes_on = [&entry](const Plan& plan) { return plan.entry == &entry; };
    if (std::ranges::none_of(plans, goes_on)) entry.slot->replace(nullptr);
  }
  next.exporting.collectors.clear();
  for (Plan& plan : plans) {
    next.exporting.collectors.push_back(plan.runs.exporting.collectors[0]);
    if (plan.keep) continue;
    if (plan.settings) {
      plan.entry->runs = plan.runs;
      plan.entry->slot->adjust(*plan.settings);
    } else if (plan.entry != nullptr) {
      plan.entry->runs = plan.runs;
      plan.entry->slot->replace(std::move(plan.link));
    } else {
      entries_.push_back({plan.runs, std::make_unique<CollectorSlot>(std::move(plan.link))});
    }
  }
  forget_the_oldest();
  share_out(next.exporting.mode);
  if (changed_) changed_();
}

void CollectorSet::share_out(ExportMode mode) {
  std::size_t index = 0;
  const std::size_t taking = members().taking.size();
  for (const Entry& entry : entries_) {
    if (!entry.slot->has_link()) continue;
    entry.slot->set_share(index++, mode == ExportMode::kBalance ? taking : 1);
  }
}

// A link that leaves has a few seconds; whoever reloads 64 other collectors in that time waits.
void CollectorSet::forget_the_oldest() {
  const auto removed = [](const Entry& entry) { return !entry.slot->has_link(); };
  auto too_many = std::ranges::count_if(entries_, removed) - static_cast<long>(kRemovedMax);
  for (auto each = entries_.begin(); too_many > 0 && each != entries_.end();) {
    if (!removed(*each)) {
      ++each;
      continue;
    }
    each = entries_.erase(each);
    --too_many;
  }
}

std::size_t CollectorSet::send_templates() {
  std::size_t collectors = 0;
  for (const Entry& entry : entries_) {
    entry.slot->send_templates();
    if (entry.slot->has_link()) ++collectors;
  }
  return collectors;
}

void CollectorSet::finish(double limit_s) {
  for (const Entry& entry : entries_) entry.slot->finish(limit_s);
}

}  // namespace wiretally
