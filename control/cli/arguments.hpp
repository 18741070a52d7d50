// SPDX-License-Identifier: Apache-2.0
// The command line as plain values. What each word means is said once, in arguments.cpp, where
// --help comes from too. Thread: main.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "config/startup_error.hpp"
#include "control/history/calendar.hpp"

namespace wiretally {

enum class Command : std::uint8_t {
  kRun,
  kRead,
  kCheck,
  kStatus,
  kLedger,
  kFlows,
  kTop,
  kMonitors,
  kTimeouts,
  kExpire,
  kDelete,
  kSendTemplates,
  kReload,
  kPause,
  kResume,
  kLogLevel,
  kStop,
  kReport,
  kImport,
  kDevices,
  kDoctor,
};

struct ReportArguments {
  Level level = Level::kHour;
  bool percentile = false;
  bool interfaces = false;  // instead of monitors
  std::vector<std::string> names;
  std::uint32_t rows = 0;  // 0: as many as suit the level
  std::string from;
  std::string to;
  std::string unit = "auto";
  std::string first_day;  // "" (as configured), monday, ...
  std::string timezone;
  std::string database;
  std::string svg;  // file to write
  bool csv = false;
  bool layer2 = false;
  std::string by;             // "": no groups; group, or a monitor's group_by
  std::uint32_t groups = 10;  // of each period; 0: all
};

struct Arguments {
  Command command = Command::kRun;
  bool json = false;
  bool verbose = false;
  bool profile = false;                // status: times instead of counts
  std::string config;                  // --config FILE; the FILE of check
  std::vector<std::string> overrides;  // --set KEY=VALUE

  // status, ledger, flows, top and what else asks a running meter
  std::string socket;
  std::uint32_t rows = 20;
  std::string sort;                // flows
  std::string by;                  // top
  std::vector<std::string> names;  // monitors; empty: all
  bool check = false;              // monitors: exit 1 if a quota is exceeded

  // read
  std::vector<std::string> captures;
  std::vector<std::string> collectors;
  std::uint32_t netflow = 9;
  std::string output;  // table, csv, json, none
  std::string filter;  // also flows, expire, delete
  std::string fields;  // csv, json: "" for the usual ones
  std::string tunnel;  // "" (as configured), outer, inner
  bool quiet = false;
  bool explain = false;
  std::uint64_t explain_count = 0;  // packets to explain; 0: all
  std::uint64_t explain_from = 1;   // number of the first

  std::vector<std::string> words;  // flows, expire, delete: the filter, word by word
  std::string level;               // log-level; empty: asks
  bool discard = false;            // stop: active flows go without a record

  ReportArguments report;

  std::string import_from;                // ipfm, trafmetux, ...
  std::vector<std::string> import_words;  // a file, or a command line

  std::vector<std::string> interfaces;  // doctor: only these; empty: all
};

// The program ends here: help was asked for, or the command line is wrong.
struct Farewell {
  ExitCode code = ExitCode::kDone;
  std::string text;  // kDone: for standard output; otherwise one sentence for standard error
};

std::variant<Arguments, Farewell> parse_arguments(int argc, const char* const* argv);

}  // namespace wiretally
