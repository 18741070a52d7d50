// SPDX-License-Identifier: Apache-2.0
// `wiretally status`, `ledger`, `flows`, `stop`: one question to the running meter, its answer as
// text or as the JSON it came in. Thread: main. From: the control socket. To: standard output.
#include "control/api/control_client.hpp"
#include "control/api/json_codec.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/control_path.hpp"
#include "control/cli/render_ledger.hpp"
#include "control/cli/render_views.hpp"
#include "control/cli/terminal.hpp"

namespace wiretally {
namespace {

constexpr std::chrono::seconds kStopPatience{60};

// A meter of another version may answer what this one cannot read; the JSON is good all the same.
template <class Decode>
auto decoded(Decode decode, const std::string& answer) {
  try {
    return decode(answer);
  } catch (const std::exception& fault) {
    throw StartupError(ExitCode::kNo, std::string("the meter's answer is not understood (") +
                                          fault.what() +
                                          "); is it of another version? --json prints it as it is");
  }
}

}  // namespace

ExitCode status_command(const Arguments& arguments) {
  const std::string answer = ControlClient(control_path(arguments)).ask("status");
  if (arguments.json) {
    print(answer + "\n");
  } else {
    print(render_status(decoded(decode_status, answer), Style::of(1)));
  }
  return ExitCode::kDone;
}

ExitCode ledger_command(const Arguments& arguments) {
  const std::string answer = ControlClient(control_path(arguments)).ask("ledger");
  const Ledger ledger = decoded(decode_ledger, answer);
  const ZeroParts zero_parts = arguments.verbose ? ZeroParts::kShown : ZeroParts::kHidden;
  print(arguments.json ? answer + "\n" : render_ledger(ledger, zero_parts, Style::of(1)));
  return ledger.balanced() ? ExitCode::kDone : ExitCode::kNo;
}

ExitCode flows_command(const Arguments& arguments) {
  const std::string args =
      R"({"limit":)" + std::to_string(arguments.rows) + R"(,"sort":")" + arguments.sort + R"("})";
  const std::string answer = ControlClient(control_path(arguments)).ask("flows", args);
  if (arguments.json) {
    print(answer + "\n");
  } else {
    print(render_flows(decoded(decode_active_flows, answer), Style::of(1)));
  }
  return ExitCode::kDone;
}

ExitCode stop_command(const Arguments& arguments) {
  ControlClient client(control_path(arguments));
  client.ask("stop");
  if (!client.wait_for_end(kStopPatience)) {
    throw StartupError(ExitCode::kNo, "the meter took the order but has not ended within " +
                                          std::to_string(kStopPatience.count()) +
                                          " s; see its log");
  }
  print(arguments.json ? "{\"stopped\":true}\n" : "stopped\n");
  return ExitCode::kDone;
}

}  // namespace wiretally
