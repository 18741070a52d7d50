// SPDX-License-Identifier: Apache-2.0
// Geometry of the chart; all lengths in SVG user units. Thread: any.
#include "control/report/report_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace wiretally {
namespace {

constexpr double kWidth = 960;
constexpr double kPlotHeight = 320;
constexpr double kLeft = 90;
constexpr double kRight = 20;
constexpr double kTop = 50;
constexpr double kLabelRoom = 110;  // below the axis: slanted labels
constexpr double kLegendLine = 20;
constexpr int kTicks = 4;
constexpr std::size_t kLabelsMax = 32;
// Told apart also by those who see no red or green (Okabe and Ito, 2008).
constexpr std::array<const char*, 8> kColours = {"#0072b2", "#e69f00", "#009e73", "#cc79a7",
                                                 "#56b4e9", "#d55e00", "#f0e442", "#999999"};

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

// The smallest 1, 2 or 5 times a power of ten whose kTicks fold is at least `largest`.
double tick_step(double largest) {
  const double least = std::max(largest, 1.0) / kTicks;
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least) return factor * power;
  }
  return 10 * power;
}

std::string text_at(double x, double y, const std::string& attributes, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", x, y, attributes,
                     escaped(text));
}

struct Scale {
  double step;
  [[nodiscard]] double y(double value) const {
    return kTop + kPlotHeight * (1 - value / (step * kTicks));
  }
};

std::string axis(const Scale& scale, OctetUnit unit) {
  std::string svg;
  for (int tick = 0; tick <= kTicks; ++tick) {
    const double value = scale.step * tick;
    const double y = scale.y(value);
    svg += fmt::format(
        "<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" "
        "stroke=\"#ddd\"/>\n",
        kLeft, kWidth - kRight, y, y);
    svg += text_at(kLeft - 8, y + 4, "text-anchor=\"end\"",
                   octets_in(static_cast<std::uint64_t>(value), unit));
  }
  return svg;
}

std::string bars(const Report& report, const std::vector<ReportColumn>& columns, const Scale& scale,
                 const ReportStyle& style) {
  std::string svg;
  const double slot = (kWidth - kLeft - kRight) / static_cast<double>(report.rows.size());
  const std::size_t label_every = (report.rows.size() + kLabelsMax - 1) / kLabelsMax;
  for (std::size_t r = 0; r < report.rows.size(); ++r) {
    const ReportRow& row = report.rows[r];
    const double x = kLeft + slot * static_cast<double>(r);
    double below = 0;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::uint64_t octets = octets_of(column_volume(row, columns[c]), style.layer2);
      if (octets == 0) continue;
      const double top = below + static_cast<double>(octets);
      svg += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.2f}\" "
          "fill=\"{}\"><title>{}: {} {} {}</title></rect>\n",
          x + slot * 0.1, scale.y(top), slot * 0.8, scale.y(below) - scale.y(top),
          kColours[c % kColours.size()], escaped(row.label), escaped(columns[c].name),
          columns[c].direction, octets_in(octets, style.unit));
      below = top;
    }
    if (r % label_every != 0) continue;
    const double middle = x + slot / 2;
    const double y = kTop + kPlotHeight + 14;
    svg += text_at(
        middle, y,
        fmt::format("text-anchor=\"end\" transform=\"rotate(-45 {:.1f} {:.1f})\"", middle, y),
        row.label);
  }
  return svg;
}

}  // namespace

std::string report_as_svg(const Report& report, const ReportStyle& style,
                          const std::string& title) {
  const std::vector<ReportColumn> columns = report_columns(report);
  double largest = 0;
  for (const ReportRow& row : report.rows) {
    largest = std::max(largest, static_cast<double>(octets_of(row.total(), style.layer2)));
  }
  const Scale scale{tick_step(largest)};
  const double legend_y = kTop + kPlotHeight + kLabelRoom;
  const double height = legend_y + kLegendLine * static_cast<double>(columns.size()) + 10;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "width=\"{0:.0f}\" height=\"{1:.0f}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      kWidth, height);
  svg += text_at(kLeft, 28, "font-size=\"18\"", title);
  if (!report.overlapping.empty()) {
    svg += text_at(kLeft, 44, "", "packets count twice in the stacks: monitors overlap");
  }
  svg += axis(scale, style.unit);
  if (!report.rows.empty()) svg += bars(report, columns, scale, style);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const double y = legend_y + kLegendLine * static_cast<double>(c);
    svg += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"12\" height=\"12\" fill=\"{}\"/>\n",
                       kLeft, y, kColours[c % kColours.size()]);
    const std::string space = columns[c].direction.empty() ? "" : " ";
    svg += text_at(kLeft + 20, y + 10, "", columns[c].name + space + columns[c].direction);
  }
  return svg + "</svg>\n";
}

}  // namespace wiretally
