// SPDX-License-Identifier: Apache-2.0
// The commands of the control socket: views (status, ledger, flows, top, timeouts) and orders
// (expire, delete, send-templates, reload, pause, resume, log-level, stop). A request line in, an
// answer line out; what cannot be answered becomes {"error": "...", "exit": CODE}. Thread: any (the
// control server's). From: ControlServer. To: MeterView.
#pragma once

#include <string>
#include <string_view>

#include "control/api/meter_view.hpp"

namespace wiretally {

// More rows than this are not put in one answer; "active" tells how many there are.
inline constexpr std::size_t kAnswerRowsMax = 100'000;

// One line without its newline. Never throws.
std::string answer_request(std::string_view line, MeterView& view);

// The words of args.sort and args.by. Empty if the name is none of them.
inline constexpr std::string_view kFlowOrderNames = "rate, packet_rate, octets, packets, first";
inline constexpr std::string_view kTopDimensionNames =
    "flow, source, destination, host, port, protocol";

}  // namespace wiretally
