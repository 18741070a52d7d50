// SPDX-License-Identifier: Apache-2.0
// Rows to lines. Thread: any.
#include "control/report/report_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace wiretally {
namespace {

using Json = nlohmann::ordered_json;

struct UnitRow {
  std::string_view name;
  double octets;
};
constexpr std::array<UnitRow, 8> kUnits = {{{"auto", 0},
                                            {"B", 1},
                                            {"KB", 1e3},
                                            {"MB", 1e6},
                                            {"GB", 1e9},
                                            {"KiB", 1024},
                                            {"MiB", 1024. * 1024},
                                            {"GiB", 1024. * 1024 * 1024}}};
constexpr std::array<UnitRow, 5> kAutoUnits = {
    {{"PB", 1e15}, {"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}}};

// RFC 4180: quoted where it has to be.
std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted(1, '"');
  for (const char c : text) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_line(const ReportRow& row, const std::string& name, std::string_view direction,
                     const ReportGroup& group, const Volume& volume) {
  return fmt::format("{},{},{},{},{},{},{},{},{},{}\n", csv_text(row.label), row.period.start,
                     row.period.end, csv_text(name), direction, csv_text(group.name),
                     volume.packets, volume.octets, volume.l2_octets, group.at_least ? 1 : 0);
}

Json json_of(const Volume& volume) {
  return {{"packets", volume.packets}, {"octets", volume.octets}, {"l2_octets", volume.l2_octets}};
}

Json json_of(const DirectedVolume& volume, bool directed) {
  Json json = json_of(volume.total);
  if (directed) {
    json["in"] = json_of(volume.in);
    json["out"] = json_of(volume.out);
  }
  return json;
}

std::string rate_text(double bits_per_s) {
  constexpr std::array<UnitRow, 4> units = {
      {{"Tbit/s", 1e12}, {"Gbit/s", 1e9}, {"Mbit/s", 1e6}, {"kbit/s", 1e3}}};
  for (const UnitRow& unit : units) {
    if (bits_per_s >= unit.octets) {
      return fmt::format("{:.2f} {}", bits_per_s / unit.octets, unit.name);
    }
  }
  return fmt::format("{:.0f} bit/s", bits_per_s);
}

// A heading for each monitor, where there are several.
std::string group_lines(const Report& report, const ReportRow& row, const ReportStyle& style) {
  std::string text;
  for (std::size_t c = 0; c < row.cells.size(); ++c) {
    const ReportCell& cell = row.cells[c];
    if (!cell.groups.empty() && row.cells.size() > 1) text += "  " + report.names[c] + ":\n";
    std::size_t width = 0;
    for (const ReportGroup& group : cell.groups) width = std::max(width, group.name.size());
    for (const ReportGroup& group : cell.groups) {
      text += fmt::format("    {:<{}}  {}{}\n", group.name, width, group.at_least ? ">= " : "",
                          octets_in(octets_of(group.volume.total, style.layer2), style.unit));
    }
  }
  return text;
}

std::string footnotes(const Report& report) {
  std::string text;
  const auto at_least = [](const ReportCell& cell) {
    return std::ranges::any_of(cell.groups, &ReportGroup::at_least);
  };
  const auto any = [&](const ReportRow& row) { return std::ranges::any_of(row.cells, at_least); };
  if (std::ranges::any_of(report.rows, any)) {
    text +=
        ">= at least: what a group counted before it was among the heaviest is in other "
        "(history.groups)\n";
  }
  if (!report.overlapping.empty()) {
    text += fmt::format("total: the sum, in which packets count twice, for {} overlap\n",
                        fmt::join(report.overlapping, ", "));
  }
  return text;
}

}  // namespace

std::optional<OctetUnit> octet_unit(std::string_view name) {
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    if (kUnits[i].name == name) return static_cast<OctetUnit>(i);
  }
  return std::nullopt;
}

std::string octets_in(std::uint64_t octets, OctetUnit unit) {
  const auto value = static_cast<double>(octets);
  if (unit == OctetUnit::kB) return fmt::format("{} B", octets);
  if (unit != OctetUnit::kAuto) {
    const UnitRow& row = kUnits[static_cast<std::size_t>(unit)];
    return fmt::format("{:.2f} {}", value / row.octets, row.name);
  }
  for (const UnitRow& row : kAutoUnits) {
    if (value >= row.octets) return fmt::format("{:.2f} {}", value / row.octets, row.name);
  }
  return fmt::format("{} B", octets);
}

std::uint64_t octets_of(const Volume& volume, bool layer2) {
  return layer2 ? volume.l2_octets : volume.octets;
}

std::vector<ReportColumn> report_columns(const Report& report) {
  std::vector<ReportColumn> columns;
  for (std::size_t c = 0; c < report.names.size(); ++c) {
    if (!report.directed[c]) {
      columns.push_back({c, report.names[c], ""});
      continue;
    }
    bool through = false;
    bool out = report.kind == SeriesKind::kMonitor;
    for (const ReportRow& row : report.rows) {
      const DirectedVolume& volume = row.cells[c].volume;
      through |= !(volume.total - volume.in - volume.out).is_zero();
      out |= !volume.out.is_zero();
    }
    columns.push_back({c, report.names[c], "in"});
    if (out) columns.push_back({c, report.names[c], "out"});
    if (through) columns.push_back({c, report.names[c], "through"});
  }
  return columns;
}

Volume column_volume(const ReportRow& row, const ReportColumn& column) {
  const DirectedVolume& volume = row.cells[column.cell].volume;
  if (column.direction == "in") return volume.in;
  if (column.direction == "out") return volume.out;
  if (column.direction == "through") return volume.total - volume.in - volume.out;
  return volume.total;
}

std::string report_as_text(const Report& report, const ReportStyle& style) {
  const std::vector<ReportColumn> columns = report_columns(report);
  std::vector<std::string> lines;
  std::size_t width = 0;
  std::uint64_t largest = 0;
  for (const ReportRow& row : report.rows) {
    std::string line = row.label + ":";
    for (const ReportColumn& column : columns) {
      line += fmt::format(
          " [{}{}{}= {}]", column.name, column.direction.empty() ? "" : " ", column.direction,
          octets_in(octets_of(column_volume(row, column), style.layer2), style.unit));
    }
    const std::uint64_t total = octets_of(row.total(), style.layer2);
    line += fmt::format(" [total= {}]", octets_in(total, style.unit));
    width = std::max(width, line.size());
    largest = std::max(largest, total);
    lines.push_back(std::move(line));
  }
  std::string text;
  for (std::size_t r = 0; r < lines.size(); ++r) {
    const auto total = static_cast<double>(octets_of(report.rows[r].total(), style.layer2));
    text += lines[r];
    if (style.bar && largest > 0) {
      text += std::string(width - lines[r].size() + 1, ' ');
      text += style.bar(total / static_cast<double>(largest));
    }
    text += '\n';
    text += group_lines(report, report.rows[r], style);
  }
  return text + footnotes(report);
}

std::string report_as_csv(const Report& report) {
  std::string text = "period,start,end,name,direction,group,packets,octets,l2_octets,at_least\n";
  for (const ReportRow& row : report.rows) {
    for (const ReportColumn& column : report_columns(report)) {
      text += csv_line(row, column.name, column.direction, {}, column_volume(row, column));
    }
    for (std::size_t c = 0; c < row.cells.size(); ++c) {
      for (const ReportGroup& group : row.cells[c].groups) {
        text += csv_line(row, report.names[c], "", group, group.volume.total);
      }
    }
  }
  return text;
}

std::string report_as_json(const Report& report, const std::string& timezone) {
  Json rows = Json::array();
  for (const ReportRow& row : report.rows) {
    Json cells = Json::array();
    for (std::size_t c = 0; c < row.cells.size(); ++c) {
      Json cell = {{"name", report.names[c]}};
      cell.update(json_of(row.cells[c].volume, report.directed[c]));
      for (const ReportGroup& group : row.cells[c].groups) {
        Json each = {{"group", group.name}};
        each.update(json_of(group.volume, report.directed[c]));
        each["at_least"] = group.at_least;
        cell["groups"].push_back(each);
      }
      cells.push_back(cell);
    }
    rows.push_back({{"period", row.label},
                    {"start", row.period.start},
                    {"end", row.period.end},
                    {std::string(name_of(report.kind)) + "s", cells},
                    {"total", json_of(row.total())}});
  }
  const Json json = {{"level", kLevelNames[static_cast<std::size_t>(report.level)]},
                     {"timezone", timezone},
                     {"overlapping", report.overlapping},
                     {"rows", rows}};
  return json.dump() + "\n";
}

std::string percentiles_as_text(const PercentileReport& report) {
  std::string text;
  for (const PercentileRow& row : report.rows) {
    text += row.label + ":";
    for (std::size_t c = 0; c < row.cells.size(); ++c) {
      const PercentileCell& cell = row.cells[c];
      if (cell.directed) {
        text += fmt::format(" [{} in= {}] [{} out= {}]", report.names[c], rate_text(cell.rates.in),
                            report.names[c], rate_text(cell.rates.out));
      }
      text += fmt::format(" [{} 95th= {}]", report.names[c], rate_text(cell.billed()));
    }
    text += fmt::format(" ({} stretches of 5 minutes)\n", row.stretches);
  }
  return text;
}

std::string percentiles_as_csv(const PercentileReport& report) {
  std::string text = "month,name,stretches,in_bps,out_bps,total_bps,billed_bps\n";
  for (const PercentileRow& row : report.rows) {
    for (std::size_t c = 0; c < row.cells.size(); ++c) {
      const PercentileCell& cell = row.cells[c];
      text += fmt::format("{},{},{},{:.0f},{:.0f},{:.0f},{:.0f}\n", row.label,
                          csv_text(report.names[c]), row.stretches, cell.rates.in, cell.rates.out,
                          cell.rates.total, cell.billed());
    }
  }
  return text;
}

std::string percentiles_as_json(const PercentileReport& report, const std::string& timezone) {
  Json rows = Json::array();
  for (const PercentileRow& row : report.rows) {
    Json cells = Json::array();
    for (std::size_t c = 0; c < row.cells.size(); ++c) {
      const PercentileCell& cell = row.cells[c];
      cells.push_back({{"name", report.names[c]},
                       {"in_bps", cell.rates.in},
                       {"out_bps", cell.rates.out},
                       {"total_bps", cell.rates.total},
                       {"billed_bps", cell.billed()}});
    }
    rows.push_back({{"month", row.label}, {"stretches", row.stretches}, {"monitors", cells}});
  }
  return Json({{"timezone", timezone}, {"rows", rows}}).dump() + "\n";
}

}  // namespace wiretally
