// SPDX-License-Identifier: Apache-2.0
// `wiretally report`: how much, this hour, day, week, month. Reads the history file; a meter need
// not run. Thread: main.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>

#include "config/load.hpp"
#include "config/values.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/human_text.hpp"
#include "control/cli/terminal.hpp"
#include "control/report/report_chart.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kBarColumnsMax = 40;

HistoryConfig history_config(const Arguments& arguments) {
  HistoryConfig history;
  if (!arguments.config.empty()) history = load_config_file(arguments.config).history;
  const ReportArguments& report = arguments.report;
  if (!report.database.empty()) history.path = report.database;
  if (!report.timezone.empty()) history.timezone = report.timezone;
  if (!report.first_day.empty()) history.week_starts = report.first_day;
  return history;
}

std::optional<std::int64_t> time_of(const Calendar& calendar, const char* option,
                                    const std::string& text) {
  if (text.empty()) return std::nullopt;
  try {
    return calendar.parse(text);
  } catch (const ValueError& error) {
    throw StartupError(ExitCode::kUsage, fmt::format("{}: {}", option, error.what()));
  }
}

ReportQuery query_of(const ReportArguments& asked, const Calendar& calendar) {
  ReportQuery query;
  query.level = asked.level;
  query.kind = asked.interfaces ? SeriesKind::kInterface : SeriesKind::kMonitor;
  query.names = asked.names;
  query.from = time_of(calendar, "--from", asked.from);
  query.to = time_of(calendar, "--to", asked.to).value_or(std::time(nullptr));
  if (query.from && *query.from >= query.to) {
    throw StartupError(ExitCode::kUsage, "--from is not before --to; nothing lies between");
  }
  constexpr std::size_t usual[kLevels] = {60, 24, 24, 30, 12, 12, 10, 1};
  query.periods = asked.rows != 0 ? asked.rows : usual[static_cast<std::size_t>(asked.level)];
  if (!query.from && !asked.to.empty()) --query.to;  // --to is exclusive
  query.groups_max = asked.groups;
  return query;
}

// `--by`: `group`, whatever the groups are, or a group_by, which also chooses among monitors that
// were not named.
void choose_groups(const HistoryReader& reader, const std::string& by, ReportQuery& query) {
  if (by.empty()) return;
  if (query.kind == SeriesKind::kInterface) {
    throw StartupError(ExitCode::kUsage, "--by: interfaces have no groups; name a monitor");
  }
  query.groups = true;
  if (by == "group") return;
  std::vector<std::string> chosen;
  std::string known;
  for (const std::string& name : report_names(reader, query)) {
    const std::string grouping = reader.grouping(name);
    if (grouping == by) chosen.push_back(name);
    if (!grouping.empty()) known += fmt::format("; {} has --by {}", name, grouping);
  }
  const std::size_t wanted = std::max<std::size_t>(1, query.names.size());
  if (chosen.size() < wanted) {
    throw StartupError(
        ExitCode::kUsage,
        fmt::format("--by {}: {} grouped so; --by group takes them as they are{}", by,
                    query.names.empty() ? "no monitor is" : "not all of them are", known));
  }
  query.names = std::move(chosen);
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.flush();
  if (!file) {
    throw StartupError(
        ExitCode::kMachine,
        fmt::format("{}: cannot be written; is its folder there, and writable?", path));
  }
}

ReportStyle style_of(const ReportArguments& asked) {
  ReportStyle style;
  style.unit = octet_unit(asked.unit).value_or(OctetUnit::kAuto);
  style.layer2 = asked.layer2;
  if (!is_terminal(STDOUT_FILENO)) return style;
  const std::size_t columns = std::min(terminal_columns(STDOUT_FILENO) / 3, kBarColumnsMax);
  style.bar = [columns](double share) { return share_bar(share, static_cast<int>(columns)); };
  return style;
}

// Nothing to show is an answer, and says why.
ExitCode nothing(const HistoryConfig& history, const HistoryReader& reader, SeriesKind kind) {
  if (reader.names(kind).empty()) {
    complain(fmt::format("the history {} has no {} yet; a meter writes it every history.flush",
                         history.path, name_of(kind)));
  } else {
    complain("nothing was counted in that time");
  }
  return ExitCode::kNo;
}

ExitCode print_percentiles(const HistoryReader& reader, const Calendar& calendar,
                           const ReportQuery& query, const Arguments& arguments,
                           const HistoryConfig& history) {
  const PercentileReport report =
      make_percentiles(reader, calendar, query, arguments.report.layer2);
  if (report.rows.empty()) return nothing(history, reader, query.kind);
  print(arguments.json         ? percentiles_as_json(report, calendar.zone_name())
        : arguments.report.csv ? percentiles_as_csv(report)
                               : percentiles_as_text(report));
  return ExitCode::kDone;
}

ExitCode print_report(const HistoryReader& reader, const Calendar& calendar,
                      const ReportQuery& query, const Arguments& arguments,
                      const HistoryConfig& history) {
  const ReportArguments& asked = arguments.report;
  const Report report = make_report(reader, calendar, query);
  if (report.rows.empty() || report.names.empty()) return nothing(history, reader, query.kind);
  const ReportStyle style = style_of(asked);
  if (!asked.svg.empty()) {
    const std::string title = fmt::format("{} to {} ({})", report.rows.front().label,
                                          report.rows.back().label, calendar.zone_name());
    write_file(asked.svg, report_as_svg(report, style, title));
    return ExitCode::kDone;
  }
  print(arguments.json ? report_as_json(report, calendar.zone_name())
        : asked.csv    ? report_as_csv(report)
                       : report_as_text(report, style));
  return ExitCode::kDone;
}

}  // namespace

ExitCode report_command(const Arguments& arguments) {
  const HistoryConfig history = history_config(arguments);
  const Calendar calendar(history.timezone, history.week_starts);
  ReportQuery query = query_of(arguments.report, calendar);
  try {
    const HistoryReader reader(history.path);
    // Who has no monitors means the interfaces.
    if (query.names.empty() && reader.names(query.kind).empty())
      query.kind = SeriesKind::kInterface;
    choose_groups(reader, arguments.report.by, query);
    return arguments.report.percentile
               ? print_percentiles(reader, calendar, query, arguments, history)
               : print_report(reader, calendar, query, arguments, history);
  } catch (const DatabaseError& error) {
    throw StartupError(ExitCode::kMachine, error.what());
  }
}

}  // namespace wiretally
