// SPDX-License-Identifier: Apache-2.0
// The 95th percentile as transit is billed: of the rates of all five-minute stretches of a month,
// the highest 5 % are left out, and the highest that stays is the figure; for in and out apart, and
// the larger of the two. Stretches without traffic count as 0, from the month's beginning or the
// history's, whichever is later, to now. Thread: any. Errors: DatabaseError.
#pragma once

#include <string>
#include <vector>

#include "control/report/report.hpp"

namespace wiretally {

struct Rates {  // bit/s
  double total = 0;
  double in = 0;
  double out = 0;
};

struct PercentileCell {
  Rates rates;
  bool directed = false;  // in and out are told apart
  // What is billed: the larger of in and out, or the total where there is no direction.
  [[nodiscard]] double billed() const;
};

struct PercentileRow {
  Period month;
  std::string label;
  std::size_t stretches = 0;  // of five minutes
  std::vector<PercentileCell> cells;
};

struct PercentileReport {
  std::vector<std::string> names;
  std::vector<PercentileRow> rows;
};

// `query.level` is not looked at: periods are months. `layer2`: frames instead of IP packets.
[[nodiscard]] PercentileReport make_percentiles(const HistoryReader& history,
                                                const Calendar& calendar, ReportQuery query,
                                                bool layer2);

// Of `values`, and zeros up to `count` of them: the one that 95 % do not exceed. 0 for none.
[[nodiscard]] double percentile95(std::vector<double> values, std::size_t count);

}  // namespace wiretally
