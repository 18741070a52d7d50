// SPDX-License-Identifier: Apache-2.0
// A report as text, CSV and JSON. The text is Trafmetux's:
//   2008-10-27 19:00-20:00: [input= 24.21 MB] [output= 3.37 MB] [total= 27.58 MB]
// A monitor that tells in from out has a bracket for each: [lan in= ...] [lan out= ...]; what goes
// through is [lan through= ...]. `total` is the sum over the monitors; a line below says so where
// they are known to overlap. Thread: any.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "control/report/percentile.hpp"
#include "control/report/report.hpp"

namespace wiretally {

enum class OctetUnit : std::uint8_t { kAuto, kB, kKB, kMB, kGB, kKiB, kMiB, kGiB };

struct ReportStyle {
  OctetUnit unit = OctetUnit::kAuto;
  bool layer2 = false;  // octets of frames instead of IP packets
  // Draws the bar of a share of the largest total, 0 to 1; none where nobody looks.
  std::function<std::string(double share)> bar;
};

// "KB", "MiB", "auto", ...
[[nodiscard]] std::optional<OctetUnit> octet_unit(std::string_view name);
// "24.21 MB"; KB, MB, GB are powers of 1000, KiB, MiB, GiB of 1024.
[[nodiscard]] std::string octets_in(std::uint64_t octets, OctetUnit unit);

// One series of figures of a report: a monitor, or a direction of one.
struct ReportColumn {
  std::size_t cell = 0;  // in ReportRow::cells
  std::string name;
  std::string direction;  // "", in, out, through
};
[[nodiscard]] std::vector<ReportColumn> report_columns(const Report& report);
[[nodiscard]] Volume column_volume(const ReportRow& row, const ReportColumn& column);
[[nodiscard]] std::uint64_t octets_of(const Volume& volume, bool layer2);

[[nodiscard]] std::string report_as_text(const Report& report, const ReportStyle& style);
// period,start,end,name,direction,group,packets,octets,l2_octets,at_least; times UTC seconds.
[[nodiscard]] std::string report_as_csv(const Report& report);
[[nodiscard]] std::string report_as_json(const Report& report, const std::string& timezone);

[[nodiscard]] std::string percentiles_as_text(const PercentileReport& report);
// month,name,stretches,in_bps,out_bps,total_bps,billed_bps
[[nodiscard]] std::string percentiles_as_csv(const PercentileReport& report);
[[nodiscard]] std::string percentiles_as_json(const PercentileReport& report,
                                              const std::string& timezone);

}  // namespace wiretally
