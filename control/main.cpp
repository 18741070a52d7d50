// SPDX-License-Identifier: Apache-2.0
// The one binary: arguments to a subcommand, its answer to the exit code, every failure to one
// sentence on standard error. Nothing below may end in a trace of an exception.
// Thread: main.
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <variant>

#include "control/cli/arguments.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/terminal.hpp"
#include "control/export/layout_judge.hpp"
#include "control/filter/expression_judge.hpp"

namespace wiretally {
namespace {

ExitCode execute(const Arguments& arguments) {
  switch (arguments.command) {
    case Command::kRun:
      return run_command(arguments);
    case Command::kRead:
      return arguments.explain ? explain_command(arguments) : read_command(arguments);
    case Command::kCheck:
      return check_command(arguments);
    case Command::kStatus:
      return status_command(arguments);
    case Command::kLedger:
      return ledger_command(arguments);
    case Command::kFlows:
      return flows_command(arguments);
    case Command::kTop:
      return top_command(arguments);
    case Command::kMonitors:
      return monitors_command(arguments);
    case Command::kTimeouts:
      return timeouts_command(arguments);
    case Command::kExpire:
    case Command::kDelete:
      return sweep_command(arguments);
    case Command::kSendTemplates:
      return send_templates_command(arguments);
    case Command::kReload:
      return reload_command(arguments);
    case Command::kPause:
    case Command::kResume:
      return pause_command(arguments);
    case Command::kLogLevel:
      return log_level_command(arguments);
    case Command::kStop:
      return stop_command(arguments);
    case Command::kReport:
      return report_command(arguments);
    case Command::kImport:
      return import_command(arguments);
    case Command::kDevices:
      return devices_command(arguments);
    case Command::kDoctor:
      return doctor_command(arguments);
  }
  return ExitCode::kUsage;
}

ExitCode say(const Farewell& farewell) {
  if (farewell.code == ExitCode::kDone) {
    print(farewell.text);
  } else {
    complain(farewell.text);
  }
  return farewell.code;
}

ExitCode guarded_main(int argc, const char* const* argv) {
  set_expression_judge(expression_judge);
  set_layout_judge(layout_judge);
  try {
    const auto parsed = parse_arguments(argc, argv);
    if (const auto* farewell = std::get_if<Farewell>(&parsed)) return say(*farewell);
    return execute(std::get<Arguments>(parsed));
  } catch (const StartupError& error) {
    complain(error.what());
    return error.code();
  } catch (const std::bad_alloc&) {
    complain("out of memory; lower flows.max_flows and flows.table_entries, or give it more");
    return ExitCode::kMachine;
  } catch (const std::exception& error) {
    complain(std::string("internal error: ") + error.what() +
             "; please report it with the command line and configuration");
    return ExitCode::kMachine;
  }
}

}  // namespace
}  // namespace wiretally

int main(int argc, char** argv) {
  const wiretally::ExitCode code = wiretally::guarded_main(argc, argv);
  // An answer that did not arrive is no answer: `wiretally ledger > full-disk && ...` must not go
  // on.
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return static_cast<int>(code);
  wiretally::complain("standard output could not be written; is the disk full or the pipe closed?");
  return static_cast<int>(wiretally::ExitCode::kMachine);
}
