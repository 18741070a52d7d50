// SPDX-License-Identifier: Apache-2.0
// `wiretally status`: the meter on one screen.
// Thread: any.
#include <fmt/format.h>

#include "control/cli/human_text.hpp"
#include "control/cli/render_views.hpp"
#include "control/cli/text_table.hpp"
#include "control/sink/record_text.hpp"

namespace wiretally {
namespace {

std::string head_text(const Status& status, const Style& style) {
  std::string text = style.bold("wiretally " + status.version) + ", driver " + status.driver;
  if (!status.driver_note.empty()) text += " (" + status.driver_note + ")";
  text += fmt::format(", up {}, at {}\n", seconds_text(status.uptime_s), utc_text(status.time));
  if (status.paused) {
    text += style.warn("paused: packets count as not metered until `wiretally resume`") + "\n";
  }
  const TickStatus& tick = status.tick;
  const double mean = tick.count == 0 ? 0 : tick.sum_s / static_cast<double>(tick.count);
  text += fmt::format("tick every {}: {} so far, the last took {}, on average {}\n",
                      seconds_text(status.tick_interval_s), grouped(tick.count),
                      seconds_text(tick.last_s), seconds_text(mean));
  return text;
}

std::uint64_t missed_by(const PortStatus& port) {
  std::uint64_t sum = 0;
  for (const MissedTotal& missed : port.missed) sum += missed.packets;
  return sum;
}

std::uint64_t not_metered_by(const PortStatus& port) {
  std::uint64_t sum = 0;
  for (std::size_t e = 0; e < kParseErrors; ++e) {
    if (!is_metered(static_cast<ParseError>(e))) sum += port.parse_results[e].packets;
  }
  return sum;
}

std::uint64_t coarse_of(const PortStatus& port) {
  std::uint64_t sum = 0;
  for (const std::uint64_t packets : port.coarse_packets) sum += packets;
  return sum;
}

std::string ports_text(const Status& status) {
  TextTable table({{"port"},
                   {"ifindex", Align::kRight},
                   {"received", Align::kRight},
                   {"frames", Align::kRight},
                   {"missed", Align::kRight},
                   {"IPv4", Align::kRight},
                   {"IPv6", Align::kRight},
                   {"other", Align::kRight},
                   {"not metered", Align::kRight},
                   {"coarse", Align::kRight}});
  for (const PortStatus& port : status.ports) {
    const auto metered = [&](IpVersion v) {
      return grouped(port.metered[static_cast<std::size_t>(v)].packets);
    };
    const std::string name =
        port.mode.empty() ? port.name : fmt::format("{} ({})", port.name, port.mode);
    table.add_row({name, std::to_string(port.ifindex), grouped(port.received.packets),
                   octets_text(static_cast<double>(port.received.l2_octets)),
                   grouped(missed_by(port)), metered(IpVersion::kV4), metered(IpVersion::kV6),
                   metered(IpVersion::kNone), grouped(not_metered_by(port)),
                   grouped(coarse_of(port))});
  }
  return table.text();
}

// Reasons behind the sums of the table above, where there are any.
std::string reasons_text(const Status& status, const Style& style) {
  std::string text;
  for (const PortStatus& port : status.ports) {
    for (const MissedTotal& missed : port.missed) {
      if (missed.packets == 0) continue;
      text += style.warn(fmt::format("  {}: {} packets missed: {}\n", port.name,
                                     grouped(missed.packets), missed.reason));
    }
    for (std::size_t e = 1; e < kParseErrors; ++e) {
      const auto result = static_cast<ParseError>(e);
      const std::uint64_t packets = port.parse_results[e].packets;
      if (packets == 0) continue;
      text +=
          fmt::format("  {}: {} packets {}: {}\n", port.name, grouped(packets),
                      is_metered(result) ? "metered with a note" : "not metered", label(result));
    }
    if (port.fragments_joined > 0) {
      text += fmt::format("  {}: {} later fragments joined the flow of their first\n", port.name,
                          grouped(port.fragments_joined));
    }
    if (port.fragments_evicted > 0) {
      text +=
          style.warn(fmt::format("  {}: {} first fragments forgotten, for there were too many\n",
                                 port.name, grouped(port.fragments_evicted)));
    }
    for (std::size_t level = 1; level < kCoarseLevels; ++level) {
      if (port.coarse_packets[level] == 0) continue;
      text += style.warn(fmt::format("  {}: {} packets coarse: {}\n", port.name,
                                     grouped(port.coarse_packets[level]),
                                     label(static_cast<CoarseLevel>(level))));
    }
  }
  return text;
}

std::string workers_text(const Status& status) {
  TextTable table({{"worker", Align::kRight},
                   {"core", Align::kRight},
                   {"entries", Align::kRight},
                   {"capacity", Align::kRight},
                   {"epochs", Align::kRight},
                   {"busy", Align::kRight}});
  for (const WorkerStatus& worker : status.workers) {
    table.add_row({std::to_string(worker.id), worker.core < 0 ? "any" : std::to_string(worker.core),
                   grouped(worker.table_entries), grouped(worker.table_capacity),
                   grouped(worker.epochs), fmt::format("{:.0f} %", worker.busy_ratio * 100)});
  }
  return table.text();
}

std::string flows_text(const FlowsStatus& flows) {
  std::string text =
      fmt::format("flows: {} active of at most {}, {} begun; ended:", grouped(flows.active),
                  grouped(flows.max), grouped(flows.created));
  const char* separator = " ";
  for (std::size_t r = 1; r < kFlowEndReasons; ++r) {
    if (flows.ended[r] == 0) continue;
    text += fmt::format("{}{} {}", separator, label(static_cast<FlowEndReason>(r)),
                        grouped(flows.ended[r]));
    separator = ", ";
  }
  text += *separator == ' ' ? " none yet\n" : "\n";
  if (flows.deleted != 0) text += fmt::format("  {} deleted by order\n", grouped(flows.deleted));
  return text;
}

// How long and large the records were, and which timeout ended the flows.
std::string records_text(const FlowsStatus& flows) {
  const RecordsStatus& records = flows.records;
  if (records.records == 0) return "";
  std::string text = "ended by:";
  const char* separator = " ";
  for (std::size_t c = 0; c < kEndCauses; ++c) {
    if (flows.ended_by[c] == 0) continue;
    text += fmt::format("{}{} {}", separator, label(static_cast<EndCause>(c)),
                        grouped(flows.ended_by[c]));
    separator = ", ";
  }
  text += fmt::format("\na record (least, mean, most): packets {:.0f}, {:.1f}, {:.0f}",
                      records.packets.least, records.packets.mean, records.packets.most);
  text += fmt::format("; {}, {}, {}; {}, {}, {}\n\n", octets_text(records.octets.least),
                      octets_text(records.octets.mean), octets_text(records.octets.most),
                      seconds_text(records.seconds.least), seconds_text(records.seconds.mean),
                      seconds_text(records.seconds.most));
  TextTable table({{"protocol"},
                   {"records", Align::kRight},
                   {"packets", Align::kRight},
                   {"octets", Align::kRight},
                   {"mean octets", Align::kRight},
                   {"mean life", Align::kRight},
                   {"longest", Align::kRight}});
  for (const ProtocolStatus& p : records.protocols) {
    const double mean = static_cast<double>(p.octets) / static_cast<double>(p.records);
    table.add_row({p.protocol, grouped(p.records), grouped(p.packets),
                   octets_text(static_cast<double>(p.octets)), octets_text(mean),
                   seconds_text(p.mean_seconds), seconds_text(p.most_seconds)});
  }
  return text + table.text();
}

std::string sinks_text(const Status& status) {
  if (status.sinks.empty()) return "no collectors: flow records go nowhere\n";
  TextTable table({{"collector"},
                   {"state"},
                   {"records", Align::kRight},
                   {"delivered", Align::kRight},
                   {"queued", Align::kRight},
                   {"dropped", Align::kRight},
                   {"datagrams", Align::kRight},
                   {"errors", Align::kRight}});
  for (const SinkAccount& sink : status.sinks) {
    std::uint64_t dropped = 0;
    for (const DroppedCount& count : sink.dropped) dropped += count.records;
    table.add_row({sink.name, sink.state, grouped(sink.offered), grouped(sink.delivered),
                   grouped(sink.queued), grouped(dropped), grouped(sink.datagrams),
                   grouped(sink.send_errors)});
  }
  return table.text();
}

std::string dumps_text(const DumpStatus& dumps, const Style& style) {
  if (!dumps.kept) return "";
  std::string text = fmt::format("dumps: {} written, {} failed, {} wait\n", grouped(dumps.written),
                                 grouped(dumps.failures), grouped(dumps.waiting));
  if (!dumps.trouble.empty()) text += style.warn("  " + dumps.trouble) + "\n";
  if (dumps.lost != 0) {
    text += style.bad(fmt::format("  {} dumps are lost", grouped(dumps.lost))) + "\n";
  }
  return text;
}

std::string history_text(const HistoryStatus& history, const Style& style) {
  if (!history.kept) return "";
  std::string text =
      fmt::format("history: {} flushes, {} failed, {} rows wait\n", grouped(history.flushes),
                  grouped(history.failures), grouped(history.pending_rows));
  if (!history.trouble.empty()) text += style.warn("  " + history.trouble) + "\n";
  if (!history.lost.is_zero()) {
    text += style.bad(fmt::format("  {} packets are in no row: too many waited",
                                  grouped(history.lost.packets))) +
            "\n";
  }
  return text + "\n";
}

std::string share_text(std::int64_t part, std::int64_t sum) {
  if (sum == 0) return "-";
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(sum));
}

std::string ledger_text(const Ledger& ledger, const Style& style) {
  if (ledger.balanced()) return style.good("the ledger balances") + "\n";
  return style.bad(fmt::format("the ledger does NOT balance, by {} packets; see `wiretally ledger`",
                               grouped(ledger.imbalance_packets()))) +
         "\n";
}

std::string steps_text(const TickStatus& tick) {
  TextTable table({{"step of a tick"},
                   {"time", Align::kRight},
                   {"a tick", Align::kRight},
                   {"share", Align::kRight}});
  std::int64_t sum = 0;
  for (const std::int64_t ns : tick.step_ns) sum += ns;
  for (std::size_t s = 0; s < kTickSteps; ++s) {
    const double seconds = static_cast<double>(tick.step_ns[s]) / kNsPerSecond;
    const double mean = tick.count == 0 ? 0 : seconds / static_cast<double>(tick.count);
    table.add_row({std::string(label(static_cast<TickStep>(s))), seconds_text(seconds),
                   seconds_text(mean), share_text(tick.step_ns[s], sum)});
  }
  return table.text();
}

std::string phases_text(const Status& status) {
  std::vector<TextTable::Column> columns = {{"worker", Align::kRight}, {"core", Align::kRight}};
  for (std::size_t p = 0; p < kWorkerPhases; ++p) {
    columns.push_back({std::string(label(static_cast<WorkerPhase>(p))), Align::kRight});
  }
  TextTable table(columns);
  bool measured = false;
  for (const WorkerStatus& worker : status.workers) {
    std::int64_t sum = 0;
    for (const std::int64_t ns : worker.phase_ns) sum += ns;
    if (sum == 0) continue;
    measured = true;
    std::vector<std::string> row = {std::to_string(worker.id),
                                    worker.core < 0 ? "any" : std::to_string(worker.core)};
    for (const std::int64_t ns : worker.phase_ns) row.push_back(share_text(ns, sum));
    table.add_row(row);
  }
  if (measured) return table.text();
  return "workers: not measured; `wiretally run --profile-ticks` does (four clock reads a burst)\n";
}

}  // namespace

std::string render_status(const Status& status, const Style& style) {
  return head_text(status, style) + "\n" + ports_text(status) + reasons_text(status, style) + "\n" +
         workers_text(status) + "\n" + flows_text(status.flows) + records_text(status.flows) +
         "\n" + sinks_text(status) + "\n" + history_text(status.history, style) +
         dumps_text(status.dumps, style) + ledger_text(status.ledger, style);
}

std::string render_profile(const Status& status) {
  return steps_text(status.tick) + "\n" + phases_text(status);
}

}  // namespace wiretally
