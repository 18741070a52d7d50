// SPDX-License-Identifier: Apache-2.0
// Every subcommand, option, help text and example.
// Thread: main. From: argv. To: Arguments.
#include "control/cli/arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "config/describe.hpp"
#include "config/suggest.hpp"
#include "control/api/requests.hpp"
#include "control/import/importer.hpp"
#include "control/sink/record_fields.hpp"
#include "control/version.hpp"

namespace wiretally {
namespace {

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 1 the answer is no (imbalance, not running), 2 usage or configuration,\n"
    "3 the machine cannot do it.";

// The type name already says what is allowed; CLI11 would print it a second time in its own way.
CLI::Validator quietly(const CLI::Validator& validator) {
  return validator.description("");
}

// CLI11 takes -1 for the largest number there is, and what is larger than that for it, too.
CLI::Validator whole_number(std::uint64_t least) {
  return quietly(CLI::Validator(
      [least](const std::string& text) {
        std::uint64_t number = 0;
        const char* const end = text.data() + text.size();
        const auto [stopped, error] = std::from_chars(text.data(), end, number);
        const bool good = error == std::errc{} && stopped == end && number >= least;
        return good ? std::string() : text + " is no whole number from " + std::to_string(least);
      },
      ""));
}

// Adds a subcommand; what it parsed tells by `command` which one it was.
CLI::App* add_command(CLI::App& app, Arguments& arguments, Command command, const std::string& name,
                      const std::string& help, const std::string& examples) {
  CLI::App* added = app.add_subcommand(name, help);
  added->footer("Examples:\n" + examples);
  added->callback([&arguments, command] { arguments.command = command; });
  return added;
}

void add_config(CLI::App* command, Arguments& arguments) {
  command->add_option("-c,--config", arguments.config, "the YAML configuration")->type_name("FILE");
  command
      ->add_option("--set", arguments.overrides,
                   "change one key of the configuration, such as flows.tick=500ms; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

void add_json(CLI::App* command, Arguments& arguments) {
  command->add_flag("--json", arguments.json, "JSON on standard output, for scripts");
}

void add_socket(CLI::App* command, Arguments& arguments) {
  command
      ->add_option("-s,--socket", arguments.socket,
                   "the meter's control socket (default /run/wiretally/control.sock)")
      ->type_name("PATH");
  command
      ->add_option("-c,--config", arguments.config, "take control.socket from this configuration")
      ->type_name("FILE")
      ->excludes("--socket");
}

void add_rows(CLI::App* command, Arguments& arguments) {
  command->add_option("-n", arguments.rows, "how many rows; 0 for all")
      ->type_name("N (0 to 100000)")
      ->capture_default_str()
      ->check(quietly(CLI::Range(0u, static_cast<unsigned>(kAnswerRowsMax))));
}

// As an option, or as the last words of the line.
void add_filter(CLI::App* command, Arguments& arguments) {
  CLI::Option* option =
      command->add_option("--filter", arguments.filter, "only these flows; tcpdump's syntax")
          ->type_name("EXPR");
  command->add_option("EXPR", arguments.words, "the same, as the last words of the line")
      ->type_name("")
      ->excludes(option);
}

void add_run(CLI::App& app, Arguments& arguments) {
  CLI::App* command =
      add_command(app, arguments, Command::kRun, "run", "meter in the foreground until stopped",
                  "  wiretally run --config /etc/wiretally.yaml\n"
                  "  wiretally run --config lab.yaml --set flows.timeouts.active=10s\n"
                  "  wiretally run --config lab.yaml --profile-ticks\n"
                  "SIGTERM and SIGINT export every flow, then end. `wiretally check FILE` tries a\n"
                  "configuration without metering.\n\n" +
                      option_help());
  add_config(command, arguments);
  command->get_option("--config")->required();
  command->add_flag_callback(
      "--profile-ticks", [&arguments] { arguments.overrides.emplace_back("metrics.profile=true"); },
      "time the phases of each worker: wiretally_worker_time_seconds_total in /metrics, beside "
      "wiretally_tick_step_seconds_total");
}

void add_read(CLI::App& app, Arguments& arguments) {
  CLI::App* command = add_command(
      app, arguments, Command::kRead, "read", "meter captures (pcap, pcapng, gzip'd too)",
      "  wiretally read trace.pcap                       the largest flows, the totals\n"
      "  wiretally read trace.pcap.gz --output csv       one row a flow record\n"
      "  wiretally read trace.pcap -o csv --fields +src_mac,dst_mac,ttl_min,tunnel,tunnel_id\n"
      "  wiretally read trace.pcap --explain -n 3        how the first packets are read, and why\n"
      "  wiretally read trace.pcap -o monitors -c m.yaml what its monitors count\n"
      "  wiretally read *.pcap --output none --collector 127.0.0.1:2055\n"
      "Records go to standard output; the summary and the ledger to standard error. Exits 1 if\n"
      "the ledger does not balance. A capture that is cut off in a packet is read up to there,\n"
      "with a warning, and exits 0; one whose link type is not known counts as frames without\n"
      "IP, and exits 2. One that is missing or none, among others, is left out and exits 2. With\n"
      "--explain, nothing to explain (--from beyond the end, a filter that none fits) exits 1.\n\n"
      "Fields (a name in brackets means the same; empty, in JSON null: not known of the flow):\n" +
          fields_help());
  command->add_option("PCAP", arguments.captures, "captures, read as one recording")
      ->required()
      ->type_name("");
  add_config(command, arguments);
  command
      ->add_option("--collector", arguments.collectors,
                   "also export to this NetFlow collector; may be repeated")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);
  command->add_option("--netflow", arguments.netflow, "version for --collector")
      ->check(quietly(CLI::IsMember(std::vector<std::uint32_t>{5, 9, 10})))
      ->capture_default_str()
      ->type_name("5|9|10")
      ->needs("--collector");
  command->add_option("-o,--output", arguments.output, "what to print")
      ->check(quietly(CLI::IsMember({"table", "csv", "json", "monitors", "none"})))
      ->default_str("table")
      ->type_name("table|csv|json|monitors|none");
  command
      ->add_option("--fields", arguments.fields,
                   "columns of csv, members of json: names from the list below, with commas; "
                   "+NAMES: after the usual ones; all")
      ->type_name("NAMES");
  command->add_option("--filter", arguments.filter, "meter only these packets; tcpdump's syntax")
      ->type_name("EXPR");
  command->add_option("--tunnel", arguments.tunnel, "whose addresses make the flow in a tunnel")
      ->check(quietly(CLI::IsMember({"outer", "inner"})))
      ->type_name("outer|inner");
  command->add_flag("-q,--quiet", arguments.quiet, "no summary; warnings and errors only");
  command->add_flag("--explain", arguments.explain,
                    "meter nothing; print how each packet is read, header by header, what it "
                    "counts and why");
  command->add_option("-n", arguments.explain_count, "--explain: so many packets; 0 for all")
      ->type_name("N")
      ->check(whole_number(0))
      ->needs("--explain");
  command->add_option("--from", arguments.explain_from, "--explain: from this packet on")
      ->type_name("N")
      ->check(whole_number(1))
      ->needs("--explain");
}

void add_check(CLI::App& app, Arguments& arguments) {
  CLI::App* command = add_command(app, arguments, Command::kCheck, "check",
                                  "say what is wrong with a configuration, and where",
                                  "  wiretally check /etc/wiretally.yaml\n"
                                  "Prints FILE:LINE:COLUMN: PATH: message; exits 2 on an error.");
  command->add_option("FILE", arguments.config, "the YAML configuration")->required();
  command->add_option("--set", arguments.overrides, "as `run` would be given it")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_json(command, arguments);
}

void add_status(CLI::App& app, Arguments& arguments) {
  CLI::App* command = add_command(app, arguments, Command::kStatus, "status",
                                  "what the running meter does: ports, workers, flows, collectors",
                                  "  wiretally status\n"
                                  "  wiretally status --json | jq .ports[].received.packets\n"
                                  "  wiretally status --profile                        "
                                  "where ticks and workers spend their time");
  command->add_flag("--profile", arguments.profile,
                    "where ticks spend their time; and workers, under `run --profile-ticks`");
  add_socket(command, arguments);
  add_json(command, arguments);
}

void add_ledger(CLI::App& app, Arguments& arguments) {
  CLI::App* command =
      add_command(app, arguments, Command::kLedger, "ledger",
                  "where every packet and octet went; exits 1 if it does not balance",
                  "  wiretally ledger\n"
                  "  wiretally ledger -v                             with the reasons that are 0\n"
                  "  wiretally ledger --json | jq .balanced");
  add_socket(command, arguments);
  add_json(command, arguments);
  command->add_flag("-v,--verbose", arguments.verbose, "also the parts that are 0");
}

void add_flows(CLI::App& app, Arguments& arguments) {
  CLI::App* command =
      add_command(app, arguments, Command::kFlows, "flows", "the flows that have not ended yet",
                  "  wiretally flows -n 50 --sort octets\n"
                  "  wiretally flows 'tcp port 443 and net 192.0.2.0/24'\n"
                  "  wiretally flows -n 0 --json | jq .flows[].src");
  add_socket(command, arguments);
  add_filter(command, arguments);
  add_rows(command, arguments);
  command->add_option("--sort", arguments.sort, "by what, largest first (first: oldest first)")
      ->check(quietly(CLI::IsMember({"rate", "packet_rate", "octets", "packets", "first"})))
      ->default_str("rate")
      ->type_name("rate|packet_rate|octets|packets|first");
  add_json(command, arguments);
}

void add_timeouts(CLI::App& app, Arguments& arguments) {
  CLI::App* command =
      add_command(app, arguments, Command::kTimeouts, "timeouts",
                  "when flows end, as the running meter has it", "  wiretally timeouts --json");
  add_socket(command, arguments);
  add_json(command, arguments);
}

void add_expire(CLI::App& app, Arguments& arguments) {
  CLI::App* command =
      add_command(app, arguments, Command::kExpire, "expire",
                  "end the active flows now and export them (end reason 4)",
                  "  wiretally expire\n  wiretally expire 'host 192.0.2.1 and udp'");
  add_socket(command, arguments);
  add_filter(command, arguments);
  add_json(command, arguments);
}

void add_delete(CLI::App& app, Arguments& arguments) {
  CLI::App* command =
      add_command(app, arguments, Command::kDelete, "delete",
                  "forget the active flows without a record; the ledger keeps their sum (deleted)",
                  "  wiretally delete\n  wiretally delete --filter 'net 198.51.100.0/24'");
  add_socket(command, arguments);
  add_filter(command, arguments);
  add_json(command, arguments);
}

// Orders without an argument of their own.
void add_order(CLI::App& app, Arguments& arguments, Command order, const std::string& name,
               const std::string& help, const std::string& more) {
  CLI::App* command =
      add_command(app, arguments, order, name, help, "  wiretally " + name + "\n" + more);
  add_socket(command, arguments);
  add_json(command, arguments);
}

void add_orders(CLI::App& app, Arguments& arguments) {
  add_order(app, arguments, Command::kSendTemplates, "send-templates",
            "send templates and options to every collector now", "");
  add_order(
      app, arguments, Command::kReload, "reload",
      "read the configuration again; a bad one changes nothing",
      "SIGHUP does the same. Timeouts, collectors, filters, monitors and more change between\n"
      "two ticks; flows stay and nothing is missed. What needs a restart is named: a layout\n"
      "does if it tells of packets what this run does not keep.");
  add_order(app, arguments, Command::kPause, "pause",
            "meter nothing until `resume`; packets count as not metered (paused)", "");
  add_order(app, arguments, Command::kResume, "resume", "go on after `pause`", "");
}

void add_log_level(CLI::App& app, Arguments& arguments) {
  CLI::App* command = add_command(app, arguments, Command::kLogLevel, "log-level",
                                  "say or set how much the running meter writes to its log",
                                  "  wiretally log-level\n  wiretally log-level debug");
  add_socket(command, arguments);
  command->add_option("LEVEL", arguments.level, "trace, debug, info, warning, error or critical")
      ->check(quietly(CLI::IsMember({"trace", "debug", "info", "warning", "error", "critical"})))
      ->type_name("");
  add_json(command, arguments);
}

void add_top(CLI::App& app, Arguments& arguments) {
  CLI::App* command = add_command(
      app, arguments, Command::kTop, "top", "who uses the link now, as of the last tick",
      "  wiretally top                                   each second, on a terminal\n"
      "  wiretally top --by host 'net 192.0.2.0/24'      of these flows only\n"
      "  wiretally top --by host -n 10 | cat             once, as text\n"
      "Keys: f flows, s sources, d destinations, h hosts, p ports, o protocols, m monitors;\n"
      "1, 2, 3 sort by the rate of 2, 10, 40 s, k by packets, b by octets, c by flows;\n"
      "/ filter (Enter takes it, Esc does not), space pause, q quit.");
  add_socket(command, arguments);
  add_filter(command, arguments);
  add_rows(command, arguments);
  command->add_option("--by", arguments.by, "what a row is")
      ->check(quietly(
          CLI::IsMember({"flow", "source", "destination", "host", "port", "protocol", "monitor"})))
      ->default_str("flow")
      ->type_name("flow|source|destination|host|port|protocol|monitor");
  add_json(command, arguments);
}

void add_monitors(CLI::App& app, Arguments& arguments) {
  CLI::App* command = add_command(
      app, arguments, Command::kMonitors, "monitors",
      "what the monitors count, as of the last tick",
      "  wiretally monitors                              all, each with its heaviest groups\n"
      "  wiretally monitors web hosts -n 100\n"
      "  wiretally monitors --check || mail ...          exits 1 if a quota is exceeded");
  command->add_option("NAME", arguments.names, "only these monitors")->type_name("");
  add_socket(command, arguments);
  add_rows(command, arguments);
  command->add_flag("--check", arguments.check, "exit 1 if a quota is exceeded");
  add_json(command, arguments);
}

void add_stop(CLI::App& app, Arguments& arguments) {
  CLI::App* command = add_command(app, arguments, Command::kStop, "stop",
                                  "end the running meter: it exports every flow first",
                                  "  wiretally stop\n"
                                  "  wiretally stop --socket /run/wiretally/lab.sock");
  add_socket(command, arguments);
  command->add_flag("--discard", arguments.discard,
                    "forget the active flows instead; the ledger keeps their sum (deleted)");
  add_json(command, arguments);
}

void exclude_each_other(const std::vector<CLI::Option*>& options) {
  for (CLI::Option* one : options) {
    for (CLI::Option* other : options) {
      if (one != other) one->excludes(other);
    }
  }
}

void add_report_levels(CLI::App* command, ReportArguments& report) {
  const auto level = [&](const char* name, Level value, const char* help) {
    return command->add_flag_callback(
        name, [&report, value] { report.level = value; }, help);
  };
  std::vector<CLI::Option*> levels = {
      level("--hourly", Level::kHour, "a line an hour, the latest 24 (usual)"),
      level("--daily", Level::kDay, "a line a day, the latest 30"),
      level("--weekly", Level::kWeek, "a line a week, the latest 12"),
      level("--monthly", Level::kMonth, "a line a month, the latest 12"),
      level("--yearly", Level::kYear, "a line a year, the latest 10"),
      level("--total", Level::kTotal, "since the history began"),
      command->add_flag("--p95", report.percentile,
                        "a line a month: the 95th percentile of 5-minute rates, as transit is "
                        "billed; in, out and the larger")};
  exclude_each_other(levels);
}

void add_report(CLI::App& app, Arguments& arguments) {
  ReportArguments& report = arguments.report;
  CLI::App* command = add_command(
      app, arguments, Command::kReport, "report", "how much, this hour, day, week, month",
      "  wiretally report --daily\n"
      "  wiretally report --hourly web mail -n 48 --unit MB\n"
      "  wiretally report --monthly --csv > months.csv\n"
      "  wiretally report --daily hosts --by group -n 7\n"
      "  wiretally report --daily --from 2026-11-01 --to 2026-12-01 --svg november.svg\n"
      "Reads the history file, whether the meter runs or not; what a running one counted in the\n"
      "last seconds (history.flush) is not in it yet. Periods are local time.");
  add_report_levels(command, report);
  command->add_option("MONITOR", report.names, "these monitors; all if none is named")
      ->type_name("");
  command->add_flag("--interfaces", report.interfaces,
                    "interfaces instead of monitors; usual where there are no monitors");
  command->add_option("-n", report.rows, "how many periods, the latest")
      ->type_name("N")
      ->check(quietly(CLI::Range(1u, 100'000u)));
  command->add_option("--from", report.from, "from the period that this time is in")
      ->type_name("TIME");
  command->add_option("--to", report.to, "before this time; 2026-11-25 or \"2026-11-25 10:00\"")
      ->type_name("TIME");
  command->add_option("--unit", report.unit, "of octets; KB is 1000, KiB 1024")
      ->check(quietly(CLI::IsMember({"auto", "B", "KB", "MB", "GB", "KiB", "MiB", "GiB"})))
      ->type_name("auto|B|KB|MB|GB|KiB|MiB|GiB")
      ->capture_default_str();
  command->add_option("--first-day", report.first_day, "of a week, instead of history.week_starts")
      ->check(quietly(CLI::IsMember(
          {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"})))
      ->type_name("DAY");
  command
      ->add_option("--by", report.by,
                   "below each period its heaviest groups: group, or the "
                   "monitor's group_by, as src_host or src_host,protocol")
      ->type_name("GROUP");
  command
      ->add_option("--groups", report.groups,
                   "with --by: so many groups, and the rest as other; 0 for all")
      ->type_name("N")
      ->check(quietly(CLI::Range(0u, 100'000u)))
      ->needs("--by")
      ->capture_default_str();
  command->add_flag("--layer2", report.layer2, "octets of frames instead of IP packets");
  command->add_option("--timezone", report.timezone, "instead of history.timezone")
      ->type_name("ZONE");
  command->add_option("--database", report.database, "the history file, instead of history.path")
      ->type_name("FILE");
  command->add_option("-c,--config", arguments.config, "take history from this configuration")
      ->type_name("FILE");
  CLI::Option* csv = command->add_flag("--csv", report.csv, "CSV on standard output");
  CLI::Option* svg =
      command->add_option("--svg", report.svg, "write a chart to this file")->type_name("FILE");
  add_json(command, arguments);
  exclude_each_other({csv, svg, command->get_option("--json")});
  command->get_option("-n")->excludes(command->get_option("--from"));
  for (const char* option : {"--by", "--svg", "--unit"}) {
    command->get_option(option)->excludes(command->get_option("--p95"));
  }
}

void add_import(CLI::App& app, Arguments& arguments) {
  CLI::App* command = add_command(
      app, arguments, Command::kImport, "import",
      "print the YAML that does what another meter's configuration does",
      "  wiretally import ipfm /etc/ipfm.conf > wiretally.yaml\n"
      "  wiretally import trafmetux /etc/init.d/trafmetux > wiretally.yaml\n"
      "  wiretally import softflowd -- -i eth1 -v 9 -n 192.0.2.1:2055 tcp\n"
      "  wiretally import ipfm - < ipfm.conf             from standard input\n"
      "What could not be carried over is said on standard error, by line, and stands as comments\n"
      "at the top of the YAML. Exits 2 if `wiretally check` would not take it (what it read had a\n"
      "value that cannot be, such as port 99999), if a collector has no port that is known, and "
      "if\n"
      "nothing of what is counted could be carried over.");
  std::vector<std::string> names;
  for (const Importer& importer : importers()) names.emplace_back(importer.name);
  command->add_option("METER", arguments.import_from, "whose configuration it is")
      ->required()
      ->check(quietly(CLI::IsMember(names)))
      ->type_name("ipfm|softflowd|trafmetux");
  command->add_option("FILE", arguments.import_words, "the configuration, or the script")
      ->type_name("");
}

void add_devices(CLI::App& app, Arguments& arguments) {
  CLI::App* command = add_command(app, arguments, Command::kDevices, "devices",
                                  "what can be metered on this machine, and how to name it",
                                  "  wiretally devices\n  wiretally devices --json");
  add_json(command, arguments);
}

void add_doctor(CLI::App& app, Arguments& arguments) {
  CLI::App* command = add_command(
      app, arguments, Command::kDoctor, "doctor",
      "what is missing here, with the command that mends it; exits 1 if metering cannot work",
      "  sudo wiretally doctor\n  wiretally doctor eth1 --json");
  command->add_option("INTERFACE", arguments.interfaces,
                      "look at these only; all if none is named");
  add_json(command, arguments);
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  return names;
}

// CLI11 calls a mistyped subcommand an unexpected argument; people need the list.
std::optional<Farewell> refuse_unknown_command(const CLI::App& app, int argc,
                                               const char* const* argv) {
  if (argc < 2 || argv[1][0] == '-') return std::nullopt;
  const std::vector<std::string> names = command_names(app);
  if (std::find(names.begin(), names.end(), argv[1]) != names.end()) return std::nullopt;
  const std::vector<std::string_view> known(names.begin(), names.end());
  std::string text = "there is no command \"" + std::string(argv[1]) + "\"";
  const std::optional<std::string_view> meant = nearest(argv[1], known);
  if (meant) text += "; did you mean `wiretally " + std::string(*meant) + "`?";
  text += meant ? " There are " : "; there are ";
  for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return Farewell{ExitCode::kUsage, text};
}

// One sentence; `wiretally flows --help` is the cure for most.
Farewell refuse(const CLI::App& app, const CLI::ParseError& error) {
  std::string command = "wiretally";
  for (const CLI::App* chosen : app.get_subcommands()) command += " " + chosen->get_name();
  std::string what = error.what();
  std::replace(what.begin(), what.end(), '\n', ' ');
  return {ExitCode::kUsage, what + "; see `" + command + " --help`"};
}

// What stands behind `import METER` is that meter's: its options are none of ours. Returns how many
// words are.
int take_import_words(int argc, const char* const* argv, Arguments& arguments) {
  constexpr int kBehindMeter = 3;
  if (argc <= kBehindMeter || std::string_view(argv[1]) != "import" || argv[2][0] == '-')
    return argc;
  const std::string_view first = argv[kBehindMeter];
  if (first == "-h" || first == "--help") return argc;
  for (int i = first == "--" ? kBehindMeter + 1 : kBehindMeter; i < argc; ++i) {
    arguments.import_words.emplace_back(argv[i]);
  }
  return kBehindMeter;
}

void apply_defaults(Arguments& arguments) {
  for (const std::string& word : arguments.words) {
    arguments.filter += (arguments.filter.empty() ? "" : " ") + word;
  }
  if (arguments.output.empty()) arguments.output = "table";
  if (arguments.sort.empty()) arguments.sort = "rate";
  if (arguments.by.empty()) arguments.by = "flow";
}

void add_all(CLI::App& app, Arguments& arguments) {
  add_run(app, arguments);
  add_read(app, arguments);
  add_check(app, arguments);
  add_status(app, arguments);
  add_ledger(app, arguments);
  add_flows(app, arguments);
  add_top(app, arguments);
  add_monitors(app, arguments);
  add_timeouts(app, arguments);
  add_expire(app, arguments);
  add_delete(app, arguments);
  add_orders(app, arguments);
  add_log_level(app, arguments);
  add_stop(app, arguments);
  add_report(app, arguments);
  add_import(app, arguments);
  add_devices(app, arguments);
  add_doctor(app, arguments);
}

}  // namespace

std::variant<Arguments, Farewell> parse_arguments(int argc, const char* const* argv) {
  Arguments arguments;
  CLI::App app("wiretally counts every packet on the wire and turns the counts into flows.",
               "wiretally");
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.set_version_flag("--version", "wiretally " + std::string(version()));
  app.footer(std::string("`wiretally COMMAND --help` has the options and examples of each.\n") +
             kExitCodes);
  add_all(app, arguments);

  if (argc < 2) return Farewell{ExitCode::kUsage, "a command is missing\n\n" + app.help()};
  if (auto unknown = refuse_unknown_command(app, argc, argv)) return *unknown;
  try {
    app.parse(take_import_words(argc, argv, arguments), argv);
  } catch (const CLI::CallForHelp&) {
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    return Farewell{ExitCode::kDone,
                    chosen.empty() ? app.help() : chosen.front()->help("wiretally")};
  } catch (const CLI::CallForVersion& version_text) {
    return Farewell{ExitCode::kDone, std::string(version_text.what()) + "\n"};
  } catch (const CLI::ParseError& error) {
    return refuse(app, error);
  }
  apply_defaults(arguments);
  return arguments;
}

}  // namespace wiretally
