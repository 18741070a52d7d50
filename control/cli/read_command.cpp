// SPDX-License-Identifier: Apache-2.0
// `wiretally read`: captures through the meter. Records on standard output, everything else on
// standard error, so that CSV stays CSV. Thread: main. From: captures. To: a sink on standard
// output, collectors.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "control/appliance.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/human_text.hpp"
#include "control/cli/log_setup.hpp"
#include "control/cli/progress_bar.hpp"
#include "control/cli/read_config.hpp"
#include "control/cli/record_table.hpp"
#include "control/cli/render_ledger.hpp"
#include "control/cli/terminal.hpp"
#include "control/monitor/monitor_csv.hpp"
#include "control/sink/csv_sink.hpp"
#include "control/sink/json_sink.hpp"

namespace wiretally {
namespace {

// With the fields that were chosen, or the usual ones.
template <class Sink>
std::unique_ptr<OrderedSink> sink_of_fields(const std::string& fields) {
  if (fields.empty()) return std::make_unique<Sink>(STDOUT_FILENO);
  return std::make_unique<Sink>(STDOUT_FILENO, parse_fields(fields));
}

std::unique_ptr<OrderedSink> sink_of(const Arguments& arguments, const Config& config) {
  const std::string& output = arguments.output;
  if (output == "csv") return sink_of_fields<CsvSink>(arguments.fields);
  if (output == "json") return sink_of_fields<JsonSink>(arguments.fields);
  if (!arguments.fields.empty()) {
    throw StartupError(ExitCode::kUsage, "--fields is for --output csv or json");
  }
  if (output == "monitors" && config.monitors.empty()) {
    throw StartupError(ExitCode::kUsage,
                       "--output monitors needs --config FILE with monitors: [{name: NAME, filter: "
                       "EXPR}]");
  }
  if (output == "table") return std::make_unique<OrderedSink>("table", STDOUT_FILENO, format_table);
  return nullptr;
}

// "; not metered: 3 bad_ip_version", "; with a note: 7 truncated_transport": what there was of it.
std::string results_text(const Status& status, bool metered) {
  std::string text;
  for (std::size_t e = 1; e < kParseErrors; ++e) {
    const auto result = static_cast<ParseError>(e);
    if (is_metered(result) != metered) continue;
    std::uint64_t packets = 0;
    for (const PortStatus& port : status.ports) packets += port.parse_results[e].packets;
    if (packets == 0) continue;
    const char* const start = metered ? "; with a note: " : "; not metered: ";
    text += fmt::format("{}{} {}", text.empty() ? start : ", ", grouped(packets), label(result));
  }
  return text;
}

std::string summary_of(const Status& status, double elapsed_s) {
  Volume received;
  for (const PortStatus& port : status.ports) received += port.received;
  const double seconds = std::max(elapsed_s, 1e-6);
  std::uint64_t records = 0;
  for (const std::uint64_t ended : status.flows.ended) records += ended;
  return fmt::format("{} packets, {} of frames in {} ({}); {} flows in {} records{}{}\n",
                     grouped(received.packets),
                     octets_text(static_cast<double>(received.l2_octets)), seconds_text(seconds),
                     packet_rate_text(static_cast<double>(received.packets) / seconds),
                     grouped(status.flows.created), grouped(records), results_text(status, false),
                     results_text(status, true));
}

void print_closing(const Status& status, double elapsed_s) {
  const std::string text = summary_of(status, elapsed_s) +
                           render_ledger(status.ledger, ZeroParts::kHidden, Style::of(2));
  std::fputs(text.c_str(), stderr);
}

void check_written(const OrderedSink* sink) {
  if (sink == nullptr || sink->error().empty()) return;
  throw StartupError(ExitCode::kMachine,
                     "cannot write the records to standard output: " + sink->error());
}

// Left out as the configuration wants it, or kept for the next run.
bool is_meant(std::string_view reason) {
  constexpr std::array<std::string_view, 5> kMeant = {"non_ip", "not_in_version", "filtered",
                                                      "elsewhere", "spooled"};
  return std::ranges::find(kMeant, reason) != kMeant.end();
}

std::string_view in_words(std::string_view reason) {
  if (reason == "unresolved") return "the name has no address; check it, or give the address";
  if (reason == "refused") return "nobody listens there";
  if (reason == "unreachable") return "there is no way there";
  if (reason == "untrusted") return "its certificate was refused, or ours was";
  return reason;
}

// A reading is not repeated by itself: whoever asked for it must hear what a collector did not get.
bool collectors_got_all(const Status& status) {
  bool good = true;
  for (const SinkAccount& sink : status.sinks) {
    for (const DroppedCount& count : sink.dropped) {
      if (count.records == 0 || is_meant(count.reason)) continue;
      complain(fmt::format("collector {} did not get {} records: {}", sink.name,
                           grouped(count.records), in_words(count.reason)));
      good = false;
    }
  }
  return good;
}

}  // namespace

ExitCode read_command(const Arguments& arguments) {
  std::vector<Diagnostic> warnings;
  Config config = config_for_read(arguments, warnings);
  for (const Diagnostic& warning : warnings) complain(to_string(warning));
  const std::vector<std::string> left_out = leave_out_unreadable(config.capture.files);
  for (const std::string& each : left_out) complain(each);
  start_log(arguments.quiet ? "warn" : config.log.level);

  const std::unique_ptr<OrderedSink> sink = sink_of(arguments, config);
  std::vector<RecordSink*> sinks;
  if (sink) sinks.push_back(sink.get());
  const auto start = std::chrono::steady_clock::now();
  ProgressBar bar;
  const ReadResult result =
      read_captures(config, sinks, [&bar](const ReadProgress& progress) { bar.update(progress); });
  bar.clear();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;

  for (const std::string& damage : result.damages) complain("warning: " + damage);
  for (const std::string& file : result.unreadable) complain(file);
  if (!arguments.quiet) print_closing(*result.status, elapsed.count());
  check_written(sink.get());
  if (arguments.output == "monitors") print(monitors_as_csv(result.monitors));
  if (!result.status->ledger.balanced()) {
    complain("the ledger does not balance; please report it with the capture");
    return ExitCode::kNo;
  }
  if (!result.unreadable.empty() || !left_out.empty()) return ExitCode::kUsage;
  return collectors_got_all(*result.status) ? ExitCode::kDone : ExitCode::kMachine;
}

}  // namespace wiretally
