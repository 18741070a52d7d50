// SPDX-License-Identifier: Apache-2.0
// From the books to Status and Ledger. Thread: control.
#include "control/accounts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "control/sink/record_text.hpp"

namespace wiretally {
namespace {

constexpr std::array<const char*, kIpVersions> kVersionNames = {"non_ip", "ipv4", "ipv6"};

Volume to_volume(const MeteredCounter& counter) {
  return {counter.packets, counter.octets, counter.l2_octets};
}

std::uint64_t part_of(const Volume& volume, LedgerUnit unit) {
  switch (unit) {
    case LedgerUnit::kOctets:
      return volume.octets;
    case LedgerUnit::kL2Octets:
      return volume.l2_octets;
    default:
      return volume.packets;
  }
}

void add_port(const PortCounters& counters, PortStatus& port) {
  port.received += {counters.received.packets, 0, counters.received.l2_octets};
  for (std::size_t v = 0; v < kIpVersions; ++v) port.metered[v] += to_volume(counters.metered[v]);
  for (std::size_t e = 0; e < kParseErrors; ++e) {
    port.parse_results[e] += {counters.results[e].packets, 0, counters.results[e].l2_octets};
  }
  for (std::size_t l = 0; l < kCoarseLevels; ++l) port.coarse_packets[l] += counters.coarse[l];
  port.fragments_joined += counters.fragments_joined;
  port.fragments_evicted += counters.fragments_evicted;
}

// offered = received + missed, a line a port. Drivers tell how many packets they missed, but not
// how long those were: octets are known as long as none was.
void add_port_lines(const Status& status, Ledger& ledger) {
  for (const PortStatus& port : status.ports) {
    LedgerLine line{"port",
                    port.name,
                    LedgerUnit::kPackets,
                    {"offered", port.received.packets},
                    {{"received", port.received.packets}}};
    for (const MissedTotal& missed : port.missed) {
      line.total.value += missed.packets;
      line.parts.push_back({"missed." + missed.reason, missed.packets});
    }
    const bool missed_none = line.total.value == port.received.packets;
    ledger.lines.push_back(std::move(line));
    if (!missed_none) continue;
    const std::uint64_t octets = port.received.l2_octets;
    ledger.lines.push_back(
        {"port", port.name, LedgerUnit::kL2Octets, {"offered", octets}, {{"received", octets}}});
  }
}

// received = metered + not metered by reason, a line a worker and unit.
void add_worker_line(std::size_t worker, const WorkerCounters& counters, LedgerUnit unit,
                     Ledger& ledger) {
  PortStatus all;
  for (const PortCounters& port : counters.ports) add_port(port, all);
  LedgerLine line{
      "worker", fmt::format("{}", worker), unit, {"received", part_of(all.received, unit)}, {}};
  for (std::size_t v = kIpVersions; v-- > 0;) {
    line.parts.push_back(
        {fmt::format("metered.{}", kVersionNames[v]), part_of(all.metered[v], unit)});
  }
  for (std::size_t e = 1; e < kParseErrors; ++e) {
    const auto reason = static_cast<ParseError>(e);
    if (is_metered(reason)) continue;
    line.parts.push_back(
        {fmt::format("not_metered.{}", label(reason)), part_of(all.parse_results[e], unit)});
  }
  ledger.lines.push_back(std::move(line));
}

// metered (by the parser) = drained (out of the tables): nothing was lost on the way.
void add_drain_line(const Volume& metered, const Volume& drained, LedgerUnit unit, Ledger& ledger) {
  ledger.lines.push_back({"drain",
                          "all tables",
                          unit,
                          {"metered", part_of(metered, unit)},
                          {{"drained", part_of(drained, unit)}}});
}

// drained = in the cache + in records + deleted by order.
void add_cache_line(const Volume& drained, const CacheTotals& cache, LedgerUnit unit,
                    Ledger& ledger) {
  ledger.lines.push_back({"cache",
                          "all shards",
                          unit,
                          {"drained", part_of(drained, unit)},
                          {{"in_cache", part_of(cache.in_cache, unit)},
                           {"exported", part_of(cache.ended, unit)},
                           {"deleted", part_of(cache.deleted, unit)}}});
}

// records made while the sink took them, and those it found in its spool = delivered + queued +
// dropped by reason, a line a sink.
void add_sink_lines(const std::vector<SinkReading>& sinks, Ledger& ledger) {
  for (const SinkReading& sink : sinks) {
    LedgerLine line{"sink",
                    sink.account.name,
                    LedgerUnit::kRecords,
                    {"records", sink.records + sink.account.recovered},
                    {{"delivered", sink.account.delivered}, {"queued", sink.account.queued}}};
    for (const DroppedCount& dropped : sink.account.dropped) {
      line.parts.push_back({fmt::format("dropped.{}", dropped.reason), dropped.records});
    }
    ledger.lines.push_back(std::move(line));
  }
}

Spread spread_of(const RecordStatistics::Spread& spread, double sum, std::uint64_t records) {
  return {static_cast<double>(spread.least), sum / static_cast<double>(records),
          static_cast<double>(spread.most)};
}

RecordsStatus records_status(const RecordStatistics& statistics) {
  RecordsStatus status;
  RecordStatistics::Sum all;
  for (std::size_t i = 0; i < statistics.protocols.size(); ++i) {
    const RecordStatistics::Sum& sum = statistics.protocols[i];
    if (sum.records == 0) continue;
    all.add(sum);
    const bool ip = i != RecordStatistics::kNonIp;
    status.protocols.push_back({ip ? protocol_name(static_cast<std::uint8_t>(i)) : "non_ip",
                                sum.records, sum.packets, sum.octets,
                                sum.seconds / static_cast<double>(sum.records), sum.seconds_max});
  }
  status.records = all.records;
  if (all.records == 0) return status;
  status.packets = spread_of(statistics.packets, static_cast<double>(all.packets), all.records);
  status.octets = spread_of(statistics.octets, static_cast<double>(all.octets), all.records);
  status.seconds = spread_of(statistics.nanoseconds, all.seconds * 1e9, all.records);
  for (double* value : {&status.seconds.least, &status.seconds.mean, &status.seconds.most}) {
    *value *= 1e-9;
  }
  return status;
}

Ledger build_ledger(std::span<const WorkerBooks> workers, const CacheTotals& cache,
                    const std::vector<SinkReading>& sinks, const Status& status) {
  Ledger ledger;
  add_port_lines(status, ledger);
  Volume metered;
  Volume drained;
  for (std::size_t w = 0; w < workers.size(); ++w) {
    add_worker_line(w, workers[w].counters, LedgerUnit::kPackets, ledger);
    add_worker_line(w, workers[w].counters, LedgerUnit::kL2Octets, ledger);
    const CountTotals& totals = workers[w].drained;
    drained += {totals.packets, totals.octets, static_cast<std::uint64_t>(totals.l2_octets)};
  }
  for (const PortStatus& port : status.ports) {
    for (const Volume& volume : port.metered) metered += volume;
  }
  for (const LedgerUnit unit : {LedgerUnit::kPackets, LedgerUnit::kOctets, LedgerUnit::kL2Octets}) {
    add_drain_line(metered, drained, unit, ledger);
  }
  for (const LedgerUnit unit : {LedgerUnit::kPackets, LedgerUnit::kOctets, LedgerUnit::kL2Octets}) {
    add_cache_line(drained, cache, unit, ledger);
  }
  add_sink_lines(sinks, ledger);
  return ledger;
}

}  // namespace

void WorkerBooks::take(const WorkerCounters& now, const Drained& table) {
  polls_before = counters.polls;
  busy_polls_before = counters.busy_polls;
  counters = now;
  const std::uint64_t polls = counters.polls - polls_before;
  busy_ratio = polls == 0 ? 0
                          : static_cast<double>(counters.busy_polls - busy_polls_before) /
                                static_cast<double>(polls);
  drained.packets += table.totals.packets;
  drained.octets += table.totals.octets;
  drained.l2_octets += table.totals.l2_octets;
  drained_entries += table.entries;
  last_entries = table.entries;
  ++epochs;
}

void fill_status(std::span<const WorkerBooks> workers, std::span<const PortReading> ports,
                 const CacheTotals& cache, const RecordStatistics& records,
                 const std::vector<SinkReading>& sinks, Status& status) {
  status.ports.clear();
  status.workers.clear();
  status.tick.drained_entries = 0;
  for (std::size_t p = 0; p < ports.size(); ++p) {
    PortStatus port;
    port.name = ports[p].port->name();
    port.ifindex = ports[p].port->ifindex();
    port.mode = ports[p].port->mode();
    port.missed = ports[p].missed;
    for (const WorkerBooks& worker : workers) {
      if (p < worker.counters.ports.size()) add_port(worker.counters.ports[p], port);
    }
    status.ports.push_back(std::move(port));
  }
  for (std::size_t w = 0; w < workers.size(); ++w) {
    const WorkerBooks& books = workers[w];
    status.workers.push_back({static_cast<unsigned>(w), books.core, books.last_entries,
                              books.capacity, books.epochs, books.busy_ratio,
                              books.counters.phase_ns});
    status.tick.drained_entries += books.drained_entries;
  }
  status.flows.active = cache.flows;
  status.flows.created = cache.created;
  status.flows.ended = cache.ended_flows;
  status.flows.deleted = cache.deleted_flows;
  status.flows.ended_by = cache.ended_by;
  status.flows.records = records_status(records);
  status.sinks.clear();
  for (const SinkReading& sink : sinks) status.sinks.push_back(sink.account);
  status.ledger = build_ledger(workers, cache, sinks, status);
}

}  // namespace wiretally
