// SPDX-License-Identifier: Apache-2.0
// See service_view.hpp. What an order needs is made before it is given, as far as it can fail; the
// order itself runs on main.
#include "control/service_view.hpp"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>

#include "config/startup_error.hpp"
#include "control/api/flow_views.hpp"
#include "control/filter/flow_filter.hpp"
#include "control/monitor/monitor_csv.hpp"

namespace wiretally {
namespace {

Sweep sweep_of(Leave how, const std::string& expression) {
  Sweep sweep;
  sweep.how = how;
  if (expression.empty()) return sweep;
  auto filter = std::make_shared<FlowFilter>(expression);
  sweep.matches = [filter](const FlowRecord& record) { return filter->matches(record); };
  return sweep;
}

}  // namespace

ActiveFlows ServiceView::active_flows(const FlowQuery& query) {
  return list_active_flows(engine_.merger(), query);
}

TopRows ServiceView::top(TopDimension dimension, std::size_t limit, const std::string& filter) {
  return list_top(engine_.merger(), dimension, limit, filter);
}

std::vector<MonitorSnapshot> ServiceView::monitors(const MonitorQuery& query) {
  std::vector<MonitorSnapshot> all = orders_.give([&] { return engine_.monitors().snapshots(); });
  const StatusPtr last = engine_.board().latest();  // who knows the quotas
  std::vector<MonitorSnapshot> chosen;
  for (const std::string& name : query.names) {
    const auto found = std::ranges::find_if(
        all, [&](const MonitorSnapshot& monitor) { return monitor.whole.name == name; });
    if (found == all.end()) {
      throw StartupError(ExitCode::kNo, "there is no monitor \"" + name + "\"");
    }
    chosen.push_back(*found);
  }
  if (query.names.empty()) chosen = std::move(all);
  for (MonitorSnapshot& monitor : chosen) {
    keep_heaviest(monitor, query.groups);
    const auto known = std::ranges::find(last->monitors, monitor.whole.name, &MonitorStatus::name);
    if (known != last->monitors.end()) monitor.whole.quota = known->quota;
  }
  return chosen;
}

void ServiceView::request_stop(Leave last) {
  orders_.give([this, last] {
    if (last == Leave::kDelete) engine_.discard_at_end();
  });
  kill(getpid(), SIGTERM);
}

SweptFlows ServiceView::sweep(Leave how, const std::string& filter) {
  const Sweep order = sweep_of(how, filter);
  return orders_.give([this, &order] {
    const SweepOutput output = engine_.sweep(order);
    spdlog::info("{} {} flows by order", order.how == Leave::kExport ? "expired" : "deleted",
                 output.flows);
    return SweptFlows{output.flows, output.volume};
  });
}

std::size_t ServiceView::send_templates() {
  return orders_.give([this] { return engine_.send_templates(); });
}

ReloadResult ServiceView::reload() {
  return reloader_.reload();
}

void ServiceView::set_paused(bool paused) {
  orders_.give([this, paused] {
    engine_.set_paused(paused);
    spdlog::info("metering is {} by order", paused ? "paused" : "resumed");
  });
}

FlowsConfig ServiceView::flows_config() {
  return orders_.give([this] { return engine_.config().flows; });
}

std::string ServiceView::log_level(const std::string& level) {
  if (!level.empty()) {
    const auto wanted = spdlog::level::from_str(level);
    if (wanted == spdlog::level::off || wanted == spdlog::level::n_levels) {
      throw StartupError(ExitCode::kUsage, "\"" + level +
                                               "\" is no level; use trace, debug, info, warning, "
                                               "error or critical");
    }
    spdlog::set_level(wanted);
  }
  const auto name = spdlog::level::to_string_view(spdlog::get_level());
  return {name.data(), name.size()};
}

}  // namespace wiretally
