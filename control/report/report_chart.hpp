// SPDX-License-Identifier: Apache-2.0
// A report as an SVG picture: stacked bars, an axis in round figures, a legend. Stands by itself:
// no script, no font, no reference to anything outside. Thread: any.
#pragma once

#include <string>

#include "control/report/report_text.hpp"

namespace wiretally {

[[nodiscard]] std::string report_as_svg(const Report& report, const ReportStyle& style,
                                        const std::string& title);

}  // namespace wiretally
