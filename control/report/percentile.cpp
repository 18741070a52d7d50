// SPDX-License-Identifier: Apache-2.0
// Sorting, and leaving out the highest twentieth. Thread: any.
#include "control/report/percentile.hpp"

#include <algorithm>

namespace wiretally {
namespace {

constexpr std::int64_t kStretch_s = 300;
constexpr double kBitsPerOctet = 8;

double rate(const Volume& volume, bool layer2) {
  const auto octets = static_cast<double>(layer2 ? volume.l2_octets : volume.octets);
  return octets * kBitsPerOctet / static_cast<double>(kStretch_s);
}

PercentileCell percentile_of(const std::vector<HistoryRow>& rows, std::size_t count, bool layer2) {
  std::vector<double> total;
  std::vector<double> in;
  std::vector<double> out;
  PercentileCell cell;
  for (const HistoryRow& row : rows) {
    total.push_back(rate(row.volume.total, layer2));
    in.push_back(rate(row.volume.in, layer2));
    out.push_back(rate(row.volume.out, layer2));
    cell.directed |= !row.volume.in.is_zero() || !row.volume.out.is_zero();
  }
  cell.rates = {percentile95(std::move(total), count), percentile95(std::move(in), count),
                percentile95(std::move(out), count)};
  return cell;
}

}  // namespace

double PercentileCell::billed() const {
  return directed ? std::max(rates.in, rates.out) : rates.total;
}

double percentile95(std::vector<double> values, std::size_t count) {
  count = std::max(count, values.size());
  if (count == 0) return 0;
  values.resize(count);
  const std::size_t kept = (count * 95 + 99) / 100;  // rounded up: at least one
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(kept - 1);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

PercentileReport make_percentiles(const HistoryReader& history, const Calendar& calendar,
                                  ReportQuery query, bool layer2) {
  query.level = Level::kMonth;
  PercentileReport report;
  report.names = report_names(history, query);
  const std::int64_t first = history.first(Level::kFiveMinutes, query.to);
  for (const Period& month : report_periods(history, calendar, query)) {
    const std::int64_t from = std::max(month.start, first);
    const std::int64_t to = std::min(month.end, query.to);
    if (to <= from) continue;  // the stretches of this month are no longer kept
    PercentileRow row{month, calendar.label(Level::kMonth, month), 0, {}};
    row.stretches = static_cast<std::size_t>((to - from + kStretch_s - 1) / kStretch_s);
    for (const std::string& name : report.names) {
      row.cells.push_back(
          percentile_of(history.rows(Level::kFiveMinutes, {query.kind, name, ""}, from, to),
                        row.stretches, layer2));
    }
    report.rows.push_back(std::move(row));
  }
  return report;
}

}  // namespace wiretally
