// SPDX-License-Identifier: Apache-2.0
// `wiretally monitors`: what the monitors of the running meter have counted, and how their quotas
// stand. Thread: main. From: the control socket. To: standard output.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/api/control_client.hpp"
#include "control/api/json_codec.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/control_path.hpp"
#include "control/cli/human_text.hpp"
#include "control/cli/render_views.hpp"
#include "control/cli/terminal.hpp"
#include "control/cli/text_table.hpp"

namespace wiretally {
namespace {

std::string octets(std::uint64_t count) {
  return octets_text(static_cast<double>(count));
}

std::string quota_text(const QuotaStatus& quota) {
  if (quota.state == QuotaState::kNone) return "";
  const char* const word = quota.state == QuotaState::kOver      ? "OVER: "
                           : quota.state == QuotaState::kWarning ? "warning: "
                                                                 : "";
  return fmt::format("{}{} of {}, {} expected", word, octets(quota.used), octets(quota.limit),
                     octets(quota.expected));
}

bool has_directions(const MonitorSnapshot& monitor) {
  const auto moved = [](const DirectedVolume& volume) {
    return !volume.in.is_zero() || !volume.out.is_zero();
  };
  return moved(monitor.whole.volume) ||
         std::ranges::any_of(monitor.groups,
                             [&](const GroupStatus& group) { return moved(group.volume); });
}

void add_groups(TextTable& table, const MonitorSnapshot& monitor) {
  const auto add = [&](const GroupStatus& group) {
    table.add_row({"  " + group.name, octets(group.volume.total.octets),
                   octets(group.volume.in.octets), octets(group.volume.out.octets),
                   grouped(group.volume.total.packets), grouped(group.flows), "", "", ""});
  };
  for (const GroupStatus& group : monitor.groups) add(group);
  if (!monitor.other.volume.total.is_zero()) add(monitor.other);
}

}  // namespace

std::string render_monitors(const std::vector<MonitorSnapshot>& monitors, const Style& style) {
  if (monitors.empty()) return "the meter has no monitors; write some into its configuration\n";
  TextTable table({{"monitor"},
                   {"octets", Align::kRight},
                   {"in", Align::kRight},
                   {"out", Align::kRight},
                   {"packets", Align::kRight},
                   {"flows", Align::kRight},
                   {"rate", Align::kRight},
                   {"peak", Align::kRight},
                   {"quota"}});
  for (const MonitorSnapshot& monitor : monitors) {
    const MonitorStatus& whole = monitor.whole;
    const bool directions = has_directions(monitor) && !whole.volume.total.is_zero();
    const double seconds = whole.recent_s > 0 ? whole.recent_s : 1;
    table.add_row({whole.name, octets(whole.volume.total.octets),
                   directions ? octets(whole.volume.in.octets) : "-",
                   directions ? octets(whole.volume.out.octets) : "-",
                   grouped(whole.volume.total.packets), grouped(whole.flows),
                   bit_rate_text(8 * static_cast<double>(whole.recent.octets) / seconds),
                   bit_rate_text(8 * whole.peak_octets_per_s), quota_text(whole.quota)});
    if (whole.grouped) add_groups(table, monitor);
  }
  std::string text;
  for (const std::string& line : table.lines()) text += text.empty() ? style.bold(line) : line;
  return text;
}

ExitCode monitors_command(const Arguments& arguments) {
  const nlohmann::json args = {{"names", arguments.names}, {"limit", arguments.rows}};
  const std::string answer = ControlClient(control_path(arguments)).ask("monitors", args.dump());
  std::vector<MonitorSnapshot> monitors;
  try {
    monitors = decode_monitors(answer);
  } catch (const std::exception& fault) {
    throw StartupError(ExitCode::kNo, fmt::format("the meter's answer is not understood ({}); is "
                                                  "it of another version?",
                                                  fault.what()));
  }
  print(arguments.json ? answer + "\n" : render_monitors(monitors, Style::of(1)));
  const bool over = std::ranges::any_of(monitors, [](const MonitorSnapshot& monitor) {
    return monitor.whole.quota.state == QuotaState::kOver;
  });
  return arguments.check && over ? ExitCode::kNo : ExitCode::kDone;
}

}  // namespace wiretally
