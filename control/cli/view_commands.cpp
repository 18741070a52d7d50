// SPDX-License-Identifier: Apache-2.0
// `wiretally status`, `ledger`, `flows`: one question to the running meter, its answer as
// text or as the JSON it came in. Thread: main. From: the control socket. To: standard output.
#include <nlohmann/json.hpp>

#include "control/api/control_client.hpp"
#include "control/api/json_codec.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/control_path.hpp"
#include "control/cli/render_ledger.hpp"
#include "control/cli/render_views.hpp"
#include "control/cli/terminal.hpp"

namespace wiretally {
namespace {

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
    const Status status = decoded(decode_status, answer);
    print(arguments.profile ? render_profile(status) : render_status(status, Style::of(1)));
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
  const nlohmann::json args = {
      {"limit", arguments.rows}, {"sort", arguments.sort}, {"filter", arguments.filter}};
  const std::string answer = ControlClient(control_path(arguments)).ask("flows", args.dump());
  if (arguments.json) {
    print(answer + "\n");
  } else {
    print(render_flows(decoded(decode_active_flows, answer), Style::of(1)));
  }
  return ExitCode::kDone;
}

}  // namespace wiretally
