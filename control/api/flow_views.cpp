// SPDX-License-Identifier: Apache-2.0
// Views of the flow cache. Thread: any.
#include "control/api/flow_views.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <unordered_map>

#include "control/api/requests.hpp"

#include "control/filter/flow_filter.hpp"

namespace wiretally {
namespace {

using Flow = FlowCache::Flow;

std::uint64_t weight(const ActiveFlow& flow, FlowOrder order) {
  switch (order) {
    case FlowOrder::kOctets:
      return flow.record.octets;
    case FlowOrder::kPackets:
      return flow.record.packets;
    case FlowOrder::kRecentOctets:
      return flow.recent_octets;
    case FlowOrder::kRecentPackets:
      return flow.recent_packets;
    case FlowOrder::kFirst:
      return ~static_cast<std::uint64_t>(flow.record.first);  // oldest first
  }
  return 0;
}

std::string address_text(const std::array<std::uint8_t, 16>& address, IpVersion version) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v6 = version == IpVersion::kV6;
  inet_ntop(v6 ? AF_INET6 : AF_INET, address.data() + (v6 ? 0 : 12), text.data(), text.size());
  return text.data();
}

// The rows a flow counts in: two for a view that does not ask for the direction.
std::vector<std::string> names_of(const Flow& flow, TopDimension dimension) {
  const FlowKey& key = flow.identity;
  const IpVersion version = key.ip_version();
  if (version == IpVersion::kNone) return {fmt::format("ethertype 0x{:04x}", key.destination_port)};
  switch (dimension) {
    case TopDimension::kSourceHost:
      return {address_text(key.source, version)};
    case TopDimension::kDestinationHost:
      return {address_text(key.destination, version)};
    case TopDimension::kHost: {
      std::string source = address_text(key.source, version);
      std::string destination = address_text(key.destination, version);
      if (source == destination) return {std::move(source)};
      return {std::move(source), std::move(destination)};
    }
    case TopDimension::kPort:
      return {fmt::format("{}/{}", std::min(key.source_port, key.destination_port), key.protocol)};
    case TopDimension::kProtocol:
      return {fmt::format("protocol {}", key.protocol)};
    case TopDimension::kFlow:
      return {fmt::format("{} {} > {} {} protocol {}", address_text(key.source, version),
                          key.source_port, address_text(key.destination, version),
                          key.destination_port, key.protocol)};
  }
  return {};
}

void add_flow(TopRow& row, const Flow& flow, bool recent) {
  if (recent) row.recent += {flow.recent_packets, flow.recent_octets, 0};
  row.total += {flow.packets, flow.octets, static_cast<std::uint64_t>(flow.l2_octets)};
  ++row.flows;
}

// Null: every flow.
std::unique_ptr<FlowFilter> filter_of(const std::string& expression) {
  return expression.empty() ? nullptr : std::make_unique<FlowFilter>(expression);
}

bool heavier(const TopRow& a, const TopRow& b) {
  if (a.recent.octets != b.recent.octets) return a.recent.octets > b.recent.octets;
  if (a.total.octets != b.total.octets) return a.total.octets > b.total.octets;
  return a.name < b.name;
}

}  // namespace

ActiveFlows list_active_flows(const Merger& merger, const FlowQuery& query) {
  ActiveFlows result;
  const std::unique_ptr<FlowFilter> filter = filter_of(query.filter);
  merger.visit_flows([&](const Flow& flow, bool recent) {
    const FlowRecord record = merger.record_now(flow);
    if (filter != nullptr && !filter->matches(record)) return;
    ++result.active;
    result.flows.push_back(
        {record, recent ? flow.recent_packets : 0, recent ? flow.recent_octets : 0});
  });
  const std::size_t kept =
      query.limit == 0 ? result.flows.size() : std::min(query.limit, result.flows.size());
  std::partial_sort(result.flows.begin(), result.flows.begin() + static_cast<std::ptrdiff_t>(kept),
                    result.flows.end(), [&](const ActiveFlow& a, const ActiveFlow& b) {
                      const std::uint64_t left = weight(a, query.order);
                      const std::uint64_t right = weight(b, query.order);
                      if (left != right) return left > right;
                      return a.record.octets > b.record.octets;
                    });
  result.flows.resize(kept);
  result.recent_seconds = merger.last_tick_seconds();
  return result;
}

namespace {

// The sums of a view in bounded memory, however many hosts a flood invents: past the bound the
// lighter half goes to `other`, so that totals stay exact and the heavy rows stay.
class TopSums {
 public:
  explicit TopSums(std::size_t rows_max) : rows_max_(rows_max) {}

  void add(std::string name, const Flow& flow, bool recent) {
    add_flow(sums_[std::move(name)], flow, recent);
    if (sums_.size() > rows_max_) keep(rows_max_ / 2);
  }
  // The heaviest `limit` rows in order, then the others as one, if there are any.
  std::vector<TopRow> take(std::size_t limit) {
    std::vector<TopRow> rows = take_sorted();
    while (rows.size() > limit) {
      add_to_other(rows.back());
      rows.pop_back();
    }
    if (other_.flows != 0) rows.push_back(other_);
    return rows;
  }

 private:
  std::vector<TopRow> take_sorted() {
    std::vector<TopRow> rows;
    rows.reserve(sums_.size());
    for (auto& [name, row] : sums_) {
      row.name = name;
      rows.push_back(std::move(row));
    }
    sums_.clear();
    std::sort(rows.begin(), rows.end(), heavier);
    return rows;
  }
  void keep(std::size_t kept) {
    std::vector<TopRow> rows = take_sorted();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i < kept) {
        sums_.emplace(rows[i].name, rows[i]);
      } else {
        add_to_other(rows[i]);
      }
    }
  }
  void add_to_other(const TopRow& row) {
    other_.name = "other";
    other_.recent += row.recent;
    other_.total += row.total;
    other_.flows += row.flows;
  }

  const std::size_t rows_max_;
  std::unordered_map<std::string, TopRow> sums_;
  TopRow other_;
};

constexpr std::size_t kTopRowsMin = 8192;

}  // namespace

TopRows list_top(const Merger& merger, TopDimension dimension, std::size_t limit,
                 const std::string& filter) {
  const std::size_t rows = limit == 0 ? kAnswerRowsMax : limit;
  const std::unique_ptr<FlowFilter> wanted = filter_of(filter);
  TopSums sums(std::max(2 * rows, kTopRowsMin));
  merger.visit_flows([&](const Flow& flow, bool recent) {
    if (wanted != nullptr && !wanted->matches(merger.record_now(flow))) return;
    for (std::string& name : names_of(flow, dimension)) sums.add(std::move(name), flow, recent);
  });
  return {sums.take(rows), merger.last_tick_seconds()};
}

}  // namespace wiretally
