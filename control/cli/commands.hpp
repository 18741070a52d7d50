// SPDX-License-Identifier: Apache-2.0
// The subcommands. Each prints its answer and returns the exit code; each may throw StartupError.
// Thread: main.
#pragma once

#include "control/cli/arguments.hpp"

namespace wiretally {

ExitCode run_command(const Arguments& arguments);
ExitCode read_command(const Arguments& arguments);  // also --explain
ExitCode explain_command(const Arguments& arguments);
ExitCode check_command(const Arguments& arguments);
ExitCode status_command(const Arguments& arguments);
ExitCode ledger_command(const Arguments& arguments);
ExitCode flows_command(const Arguments& arguments);
ExitCode top_command(const Arguments& arguments);
ExitCode monitors_command(const Arguments& arguments);
ExitCode timeouts_command(const Arguments& arguments);
ExitCode sweep_command(const Arguments& arguments);  // expire, delete
ExitCode send_templates_command(const Arguments& arguments);
ExitCode reload_command(const Arguments& arguments);
ExitCode pause_command(const Arguments& arguments);  // also resume
ExitCode log_level_command(const Arguments& arguments);
ExitCode stop_command(const Arguments& arguments);
ExitCode report_command(const Arguments& arguments);
ExitCode import_command(const Arguments& arguments);
ExitCode devices_command(const Arguments& arguments);
ExitCode doctor_command(const Arguments& arguments);

}  // namespace wiretally
