// SPDX-License-Identifier: Apache-2.0
// `wiretally run`: the service in the foreground.
// Thread: main. From: a configuration. To: run_appliance().
#include "config/load.hpp"
#include "control/appliance.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/log_setup.hpp"
#include "control/cli/render_ledger.hpp"
#include "control/cli/terminal.hpp"

namespace wiretally {

ExitCode run_command(const Arguments& arguments) {
  std::vector<Diagnostic> warnings;
  const Config config = load_config_file(arguments.config, arguments.overrides, &warnings);
  for (const Diagnostic& warning : warnings) complain(to_string(warning));
  start_log(config.log.level);
  const StatusPtr closing = run_appliance(config, {arguments.config, arguments.overrides});
  if (!closing || closing->ledger.balanced()) return ExitCode::kDone;
  complain("the ledger did not balance at the end:\n" +
           render_ledger(closing->ledger, ZeroParts::kHidden, Style::of(2)));
  return ExitCode::kNo;
}

}  // namespace wiretally
