// SPDX-License-Identifier: Apache-2.0
// The other live views as text. Thread: any. From: decoded answers of the control socket.
#pragma once

#include <string>
#include <string_view>

#include "control/api/meter_view.hpp"
#include "control/cli/terminal.hpp"

namespace wiretally {

std::string render_status(const Status& status, const Style& style);
// Where ticks and workers spend their time.
std::string render_profile(const Status& status);
std::string render_flows(const ActiveFlows& flows, const Style& style);

std::string render_monitors(const std::vector<MonitorSnapshot>& monitors, const Style& style);

struct TopLayout {
  std::string_view heading;  // of the name column
  std::size_t columns = 80;  // of the screen; names are cut to fit
  bool bars = false;         // a bar for the share of the whole
};
std::string render_top(const TopRows& rows, const TopLayout& layout, const Style& style);

}  // namespace wiretally
