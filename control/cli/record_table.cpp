// SPDX-License-Identifier: Apache-2.0
// The records of one flow (a timeout may have cut it) are added up, the largest flows shown.
// Thread: control.
#include "control/cli/record_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "control/cli/human_text.hpp"
#include "control/cli/text_table.hpp"
#include "control/sink/record_text.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kFlowsShown = 20;

int compare_keys(const FlowRecord& a, const FlowRecord& b) {
  return std::memcmp(&a.key, &b.key, sizeof(FlowKey));
}

std::vector<FlowRecord> summed_by_key(OrderedRecords records) {
  std::stable_sort(records.begin(), records.end(), [](const FlowRecord* a, const FlowRecord* b) {
    return compare_keys(*a, *b) < 0;
  });
  std::vector<FlowRecord> flows;
  for (const FlowRecord* record : records) {
    if (flows.empty() || compare_keys(flows.back(), *record) != 0) {
      flows.push_back(*record);
      continue;
    }
    FlowRecord& flow = flows.back();
    flow.packets += record->packets;
    flow.octets += record->octets;
    flow.l2_octets += record->l2_octets;
    flow.first = std::min(flow.first, record->first);
    flow.last = std::max(flow.last, record->last);
  }
  return flows;
}

// Octets of frames where there is no layer 3 to count.
std::uint64_t size_of(const FlowRecord& flow) {
  return flow.key.ip_version() == IpVersion::kNone ? flow.l2_octets : flow.octets;
}

std::string flows_table(const std::vector<FlowRecord>& flows, std::size_t shown) {
  TextTable table({{"source"},
                   {"destination"},
                   {"proto"},
                   {"packets", Align::kRight},
                   {"octets", Align::kRight},
                   {"seconds", Align::kRight}});
  for (std::size_t i = 0; i < shown; ++i) {
    const FlowRecord& flow = flows[i];
    const bool ip = flow.key.ip_version() != IpVersion::kNone;
    table.add_row({source_end_text(flow.key), destination_end_text(flow.key),
                   ip ? protocol_name(flow.key.protocol) : "-", grouped(flow.packets),
                   octets_text(static_cast<double>(size_of(flow))),
                   fmt::format("{:.3f}", static_cast<double>(flow.last - flow.first) / 1e9)});
  }
  return table.text();
}

std::string totals_line(const std::vector<FlowRecord>& flows, std::size_t records,
                        std::size_t shown) {
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
  std::uint64_t l2_octets = 0;
  for (const FlowRecord& flow : flows) {
    packets += flow.packets;
    octets += flow.octets;
    l2_octets += flow.l2_octets;
  }
  return fmt::format("{} of {} flows, {} records: {} packets, {} IP octets, {} octets of frames\n",
                     grouped(shown), grouped(flows.size()), grouped(records), grouped(packets),
                     grouped(octets), grouped(l2_octets));
}

}  // namespace

void format_table(const OrderedRecords& records, FileWriter& writer) {
  std::vector<FlowRecord> flows = summed_by_key(records);
  const std::size_t shown = std::min(kFlowsShown, flows.size());
  std::partial_sort(flows.begin(), flows.begin() + static_cast<std::ptrdiff_t>(shown), flows.end(),
                    [](const FlowRecord& a, const FlowRecord& b) {
                      if (size_of(a) != size_of(b)) return size_of(a) > size_of(b);
                      return record_before(a, b);
                    });
  if (shown > 0) writer.put(flows_table(flows, shown));
  writer.put(totals_line(flows, records.size(), shown));
}

}  // namespace wiretally
