// SPDX-License-Identifier: Apache-2.0
// `wiretally flows` and `wiretally top` as text.
// Thread: any.
#include <fmt/format.h>

#include <algorithm>

#include "control/cli/human_text.hpp"
#include "control/cli/render_views.hpp"
#include "control/cli/short_name.hpp"
#include "control/cli/text_table.hpp"
#include "control/sink/record_text.hpp"

namespace wiretally {
namespace {

double rate(std::uint64_t amount, double seconds) {
  return seconds <= 0 ? 0 : static_cast<double>(amount) / seconds;
}

std::string protocol_text(const FlowKey& key) {
  return key.ip_version() == IpVersion::kNone ? "-" : protocol_name(key.protocol);
}

}  // namespace

std::string render_flows(const ActiveFlows& flows, const Style& style) {
  TextTable table({{"source"},
                   {"destination"},
                   {"proto"},
                   {"packets", Align::kRight},
                   {"octets", Align::kRight},
                   {"rate", Align::kRight},
                   {"packet rate", Align::kRight},
                   {"age", Align::kRight}});
  for (const ActiveFlow& flow : flows.flows) {
    const FlowRecord& record = flow.record;
    const double age = static_cast<double>(record.last - record.first) / kNsPerSecond;
    table.add_row(
        {source_end_text(record.key), destination_end_text(record.key), protocol_text(record.key),
         grouped(record.packets), octets_text(static_cast<double>(record.octets)),
         bit_rate_text(8 * rate(flow.recent_octets, flows.recent_seconds)),
         packet_rate_text(rate(flow.recent_packets, flows.recent_seconds)), seconds_text(age)});
  }
  std::string text;
  const std::vector<std::string> lines = table.lines();
  for (const std::string& line : lines) text += text.empty() ? style.bold(line) : line;
  return text +
         fmt::format("{} of {} active flows\n", grouped(flows.flows.size()), grouped(flows.active));
}

std::string render_top(const TopRows& rows, const TopLayout& layout, const Style& style) {
  constexpr int kBarColumns = 20;
  constexpr std::size_t kNameColumnsMin = 20;
  const std::vector<std::string> headings = {
      std::string(layout.heading), "rate", "packet rate", "share", "octets", "flows", ""};
  std::uint64_t whole = 0;
  for (const TopRow& row : rows.rows) whole += row.recent.octets;
  std::vector<std::vector<std::string>> lines;
  for (const TopRow& row : rows.rows) {
    const double share = whole == 0 ? 0 : rate(row.recent.octets, static_cast<double>(whole));
    lines.push_back({row.name, bit_rate_text(8 * rate(row.recent.octets, rows.recent_seconds)),
                     packet_rate_text(rate(row.recent.packets, rows.recent_seconds)),
                     fmt::format("{:.1f} %", share * 100),
                     octets_text(static_cast<double>(row.total.octets)), grouped(row.flows),
                     layout.bars ? share_bar(share, kBarColumns) : ""});
  }
  const std::size_t taken = columns_beside_name(headings, lines);
  const std::size_t left = layout.columns > taken ? layout.columns - taken : 0;
  std::vector<TextTable::Column> columns = {{headings[0]}};
  for (std::size_t i = 1; i < headings.size(); ++i) {
    columns.push_back({headings[i], headings[i].empty() ? Align::kLeft : Align::kRight});
  }
  TextTable table(std::move(columns));
  for (std::vector<std::string>& line : lines) {
    line[0] = short_name(line[0], std::max(kNameColumnsMin, left));
    table.add_row(std::move(line));
  }
  std::string text;
  for (const std::string& line : table.lines()) text += text.empty() ? style.bold(line) : line;
  return text + (rows.rows.empty() ? "nothing was metered in the last tick\n" : "");
}

}  // namespace wiretally
