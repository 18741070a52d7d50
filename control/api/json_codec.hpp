// SPDX-License-Identifier: Apache-2.0
// The answers of the control socket as JSON text and back: encode() on the meter's side, decode_ on
// the CLI's. What is decoded equals what was encoded, field by field.
// Thread: any. Errors: decode_ throws std::exception on what is not such an answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/startup_error.hpp"
#include "control/api/meter_view.hpp"

namespace wiretally {

// One line, without a newline.
std::string encode(const Status& status);
std::string encode(const Ledger& ledger);
std::string encode(const ActiveFlows& flows);
std::string encode(const TopRows& rows);
std::string encode(const std::vector<MonitorSnapshot>& monitors);
// `code`: what the asking subcommand is to exit with.
std::string encode_error(std::string_view text, ExitCode code = ExitCode::kNo);

Status decode_status(std::string_view json);
Ledger decode_ledger(std::string_view json);
ActiveFlows decode_active_flows(std::string_view json);
TopRows decode_top_rows(std::string_view json);
std::vector<MonitorSnapshot> decode_monitors(std::string_view json);
// The text of an {"error": ...} answer; "" if it is another answer.
std::string decode_error(std::string_view json);
ExitCode decode_exit_code(std::string_view json);  // of an {"error": ...} answer

}  // namespace wiretally
