// SPDX-License-Identifier: Apache-2.0
// Status to metric families.
// Thread: a scrape's. From: Status. To: the text serializer of prometheus-cpp.
#include "control/metrics/metric_families.hpp"

#include <prometheus/client_metric.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "control/sink/record_text.hpp"

namespace wiretally {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;
using Labels = std::vector<ClientMetric::Label>;

// One family and its samples in the making.
class Family {
 public:
  Family(Families& families, MetricType type, const std::string& name, const std::string& help)
      : family_(families.emplace_back()) {
    family_.type = type;
    family_.name = name;
    family_.help = help;
  }
  // Counts are exact up to 2^53: Prometheus knows only doubles.
  void add(Labels labels, double value) {
    ClientMetric& metric = family_.metric.emplace_back();
    metric.label = std::move(labels);
    if (family_.type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
  }
  void add(Labels labels, std::uint64_t value) {
    add(std::move(labels), static_cast<double>(value));
  }

 private:
  MetricFamily& family_;  // the last of its vector while this object lives
};

Family counter(Families& families, const std::string& name, const std::string& help) {
  return {families, MetricType::Counter, name, help};
}

Family gauge(Families& families, const std::string& name, const std::string& help) {
  return {families, MetricType::Gauge, name, help};
}

// Two samples with the same labels make Prometheus refuse the whole scrape, so a second port or
// collector of one name gets a number behind it.
template <class T>
std::vector<std::string> unique_names(const std::vector<T>& things) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const T& thing : things) {
    std::string name = thing.name;
    for (int n = 2; !taken.insert(name).second; ++n) name = thing.name + "#" + std::to_string(n);
    names.push_back(name);
  }
  return names;
}

void add_port_traffic(Families& families, const Status& status,
                      const std::vector<std::string>& names) {
  const std::vector<PortStatus>& ports = status.ports;
  {
    Family f = counter(families, "wiretally_received_packets_total",
                       "Packets received from the port, metered or not.");
    for (std::size_t i = 0; i < ports.size(); ++i) {
      f.add({{"port", names[i]}}, ports[i].received.packets);
    }
  }
  {
    Family f = counter(families, "wiretally_received_octets_total",
                       "Octets of the frames received from the port: layer 2, without FCS.");
    for (std::size_t i = 0; i < ports.size(); ++i) {
      f.add({{"port", names[i]}}, ports[i].received.l2_octets);
    }
  }
  {
    Family f = counter(families, "wiretally_missed_packets_total",
                       "Packets that reached the port but not the meter, by the driver's reason.");
    for (std::size_t i = 0; i < ports.size(); ++i) {
      for (const MissedTotal& missed : ports[i].missed) {
        f.add({{"port", names[i]}, {"reason", missed.reason}}, missed.packets);
      }
    }
  }
}

void add_port_mode(Families& families, const Status& status,
                   const std::vector<std::string>& names) {
  Family f = gauge(families, "wiretally_port_info",
                   "Always 1: how the driver takes packets from the port.");
  for (std::size_t i = 0; i < status.ports.size(); ++i) {
    f.add({{"port", names[i]}, {"driver", status.driver}, {"mode", status.ports[i].mode}}, 1.0);
  }
}

void add_port_metered(Families& families, const Status& status,
                      const std::vector<std::string>& names) {
  const std::vector<PortStatus>& ports = status.ports;
  const auto by_version = [&](const std::string& name, const std::string& help,
                              std::uint64_t Volume::*what) {
    Family f = counter(families, name, help);
    for (std::size_t i = 0; i < ports.size(); ++i) {
      for (std::size_t v = 0; v < kIpVersions; ++v) {
        f.add({{"port", names[i]}, {"ip_version", std::string(label(static_cast<IpVersion>(v)))}},
              ports[i].metered[v].*what);
      }
    }
  };
  by_version("wiretally_metered_packets_total",
             "Packets counted in a flow, by IP version (none: frames without IP).",
             &Volume::packets);
  by_version("wiretally_metered_octets_total",
             "Octets counted in flows: layer 3, IP header and payload (IE 1). 0 without IP.",
             &Volume::octets);
  by_version("wiretally_metered_l2_octets_total",
             "Octets of the frames counted in flows: layer 2, without FCS (IE 352).",
             &Volume::l2_octets);
}

void add_port_results(Families& families, const Status& status,
                      const std::vector<std::string>& names) {
  const auto by_result = [&](const std::string& name, std::string help, bool metered) {
    for (std::size_t e = 1; e < kParseErrors; ++e) {
      const auto result = static_cast<ParseError>(e);
      if (is_metered(result) != metered) continue;
      help += ' ' + std::string(label(result)) + ": " + std::string(wiretally::help(result));
    }
    Family f = counter(families, name, help);
    for (std::size_t i = 0; i < status.ports.size(); ++i) {
      for (std::size_t e = 1; e < kParseErrors; ++e) {
        const auto result = static_cast<ParseError>(e);
        if (is_metered(result) != metered) continue;
        f.add({{"port", names[i]}, {"reason", std::string(label(result))}},
              status.ports[i].parse_results[e].packets);
      }
    }
  };
  by_result("wiretally_not_metered_packets_total",
            "Packets received and counted in no flow, by reason.", false);
  by_result("wiretally_parse_notes_total",
            "Packets counted in a flow with something missing, by what.", true);

  Family f = counter(families, "wiretally_coarse_packets_total",
                     "Packets counted under a coarsened key because a table was full, by what of "
                     "the key was kept.");
  for (std::size_t i = 0; i < status.ports.size(); ++i) {
    for (std::size_t level = 1; level < kCoarseLevels; ++level) {
      f.add({{"port", names[i]}, {"level", std::string(label(static_cast<CoarseLevel>(level)))}},
            status.ports[i].coarse_packets[level]);
    }
  }
}

void add_fragments(Families& families, const Status& status,
                   const std::vector<std::string>& names) {
  const auto each = [&](Family f, std::uint64_t PortStatus::*value) {
    for (std::size_t i = 0; i < status.ports.size(); ++i) {
      f.add({{"port", names[i]}}, status.ports[i].*value);
    }
  };
  each(counter(families, "wiretally_fragments_joined_total",
               "Later fragments counted in the flow of their first (flows.fragment_ports: first); "
               "those that found none are a reason of wiretally_parse_notes_total."),
       &PortStatus::fragments_joined);
  each(counter(families, "wiretally_fragments_evicted_total",
               "First fragments forgotten before their time, for the cache was full."),
       &PortStatus::fragments_evicted);
}

double seconds_of(std::int64_t ns) {
  return static_cast<double>(ns) / static_cast<double>(kNsPerSecond);
}

void add_worker_time(Families& families, const Status& status) {
  Family f = counter(families, "wiretally_worker_time_seconds_total",
                     "Where the worker's time goes, if metrics.profile is on: polls that found "
                     "nothing, taking packets, parser and hash, count table, flips.");
  for (const WorkerStatus& worker : status.workers) {
    for (std::size_t p = 0; p < kWorkerPhases; ++p) {
      if (worker.phase_ns == decltype(worker.phase_ns){}) continue;
      f.add({{"worker", std::to_string(worker.id)},
             {"phase", std::string(label(static_cast<WorkerPhase>(p)))}},
            seconds_of(worker.phase_ns[p]));
    }
  }
}

void add_workers(Families& families, const Status& status) {
  const auto each = [&](Family f, auto value) {
    for (const WorkerStatus& worker : status.workers) {
      f.add({{"worker", std::to_string(worker.id)}}, value(worker));
    }
  };
  each(gauge(families, "wiretally_table_entries",
             "Entries of the count table that was drained last."),
       [](const WorkerStatus& w) { return w.table_entries; });
  each(gauge(families, "wiretally_table_capacity",
             "Entries the count table holds exactly in one epoch; above it keys are coarsened."),
       [](const WorkerStatus& w) { return w.table_capacity; });
  each(gauge(families, "wiretally_worker_busy_ratio",
             "Share of the worker's polls that found packets, over the last tick: 0 to 1."),
       [](const WorkerStatus& w) { return w.busy_ratio; });
  each(counter(families, "wiretally_worker_epochs_total",
               "Flips of the worker from one count table to the other."),
       [](const WorkerStatus& w) { return w.epochs; });
  add_worker_time(families, status);
}

void add_flows(Families& families, const FlowsStatus& flows) {
  gauge(families, "wiretally_flows_active", "Flows that have not ended.").add({}, flows.active);
  gauge(families, "wiretally_flows_max", "Flows the cache holds before it sheds the idlest.")
      .add({}, flows.max);
  counter(families, "wiretally_flows_created_total", "Flows begun.").add({}, flows.created);
  Family ended = counter(families, "wiretally_flows_ended_total",
                         "Flow Records made, by why (IANA flowEndReason).");
  for (std::size_t r = 1; r < kFlowEndReasons; ++r) {
    ended.add({{"reason", std::string(label(static_cast<FlowEndReason>(r)))}}, flows.ended[r]);
  }
}

void add_tick(Families& families, const TickStatus& tick) {
  MetricFamily& family = families.emplace_back();
  family.type = MetricType::Histogram;
  family.name = "wiretally_tick_seconds";
  family.help = "Time control took for a tick: drain, merge, life-cycle, hand-over; in seconds.";
  ClientMetric& metric = family.metric.emplace_back();
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < tick.buckets.size(); ++i) {
    cumulative += tick.buckets[i];
    const bool last = i == kTickBuckets.size();
    const double bound = last ? std::numeric_limits<double>::infinity() : kTickBuckets[i];
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = tick.sum_s;
  Family steps = counter(families, "wiretally_tick_step_seconds_total",
                         "Where the time of the ticks goes; the flip is waiting for the workers.");
  for (std::size_t s = 0; s < kTickSteps; ++s) {
    steps.add({{"step", std::string(label(static_cast<TickStep>(s)))}},
              seconds_of(tick.step_ns[s]));
  }
  counter(families, "wiretally_drain_entries_total", "Count table entries drained.")
      .add({}, tick.drained_entries);
}

void add_collectors(Families& families, const Status& status) {
  const std::vector<std::string> names = unique_names(status.sinks);
  const auto each = [&](Family f, auto value) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      f.add({{"collector", names[i]}}, value(status.sinks[i]));
    }
  };
  each(counter(families, "wiretally_export_records_total", "Flow Records sent to the collector."),
       [](const SinkAccount& s) { return s.delivered; });
  each(counter(families, "wiretally_export_datagrams_total", "Messages sent to the collector."),
       [](const SinkAccount& s) { return s.datagrams; });
  each(gauge(families, "wiretally_export_queue_records",
             "Flow Records that wait to be sent to the collector."),
       [](const SinkAccount& s) { return s.queued; });
  Family f = counter(families, "wiretally_export_dropped_records_total",
                     "Flow Records that were not sent to the collector, by reason.");
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (const DroppedCount& dropped : status.sinks[i].dropped) {
      f.add({{"collector", names[i]}, {"reason", std::string(dropped.reason)}}, dropped.records);
    }
  }
}

void add_sinks(Families& families, const Status& status) {
  const std::vector<std::string> names = unique_names(status.sinks);
  const auto each = [&](Family f, auto value) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      f.add({{"sink", names[i]}}, value(status.sinks[i]));
    }
  };
  each(counter(families, "wiretally_sink_offered_records_total",
               "Flow Records handed to the sink: delivered, queued or dropped."),
       [](const SinkAccount& s) { return s.offered; });
  each(counter(families, "wiretally_sink_send_errors_total",
               "Times the system refused to send or write for the sink."),
       [](const SinkAccount& s) { return s.send_errors; });
  each(gauge(families, "wiretally_sink_up", "1 if the sink's last attempt went well, else 0."),
       [](const SinkAccount& s) { return std::uint64_t{s.state == "up"}; });
}

void add_monitors(Families& families, const Status& status) {
  const auto each = [&](const char* name, const char* help, auto value) {
    Family f = counter(families, name, help);
    for (const MonitorStatus& monitor : status.monitors) {
      f.add({{"monitor", monitor.name}}, value(monitor));
    }
  };
  if (status.monitors.empty()) return;
  each("wiretally_monitor_packets_total", "Packets of the flows that the monitor takes.",
       [](const MonitorStatus& m) { return m.volume.total.packets; });
  each("wiretally_monitor_octets_total", "Octets of these: layer 3.",
       [](const MonitorStatus& m) { return m.volume.total.octets; });
  each("wiretally_monitor_l2_octets_total", "Octets of these: frames without FCS.",
       [](const MonitorStatus& m) { return m.volume.total.l2_octets; });
  each("wiretally_monitor_flows_total", "Flows that began while the monitor watched.",
       [](const MonitorStatus& m) { return m.flows; });
  each("wiretally_monitor_in_octets_total", "Octets towards the monitor's local networks: layer 3.",
       [](const MonitorStatus& m) { return m.volume.in.octets; });
  each("wiretally_monitor_out_octets_total", "Octets from the monitor's local networks: layer 3.",
       [](const MonitorStatus& m) { return m.volume.out.octets; });
}

void add_groups(Families& families, const Status& status) {
  const auto each = [&](const char* name, const char* help, auto value) {
    Family f = counter(families, name, help);
    for (const MonitorStatus& monitor : status.monitors) {
      for (const GroupStatus& group : monitor.top) {
        f.add({{"monitor", monitor.name}, {"group", group.name}}, value(group));
      }
    }
  };
  if (std::ranges::all_of(status.monitors, [](const auto& m) { return m.top.empty(); })) return;
  each("wiretally_monitor_group_packets_total",
       "Packets of the monitor's heaviest groups while they are among them; other has the rest.",
       [](const GroupStatus& g) { return g.volume.total.packets; });
  each("wiretally_monitor_group_octets_total", "Octets of these: layer 3.",
       [](const GroupStatus& g) { return g.volume.total.octets; });
}

void add_quotas(Families& families, const Status& status) {
  const auto each = [&](const char* name, const char* help, auto value) {
    Family f = gauge(families, name, help);
    for (const MonitorStatus& monitor : status.monitors) {
      if (monitor.quota.state == QuotaState::kNone) continue;
      f.add({{"monitor", monitor.name}}, value(monitor.quota));
    }
  };
  const auto none = [](const MonitorStatus& m) { return m.quota.state == QuotaState::kNone; };
  if (std::ranges::all_of(status.monitors, none)) return;
  each("wiretally_monitor_quota_octets", "The monitor's quota for a period: layer 3.",
       [](const QuotaStatus& q) { return q.limit; });
  each("wiretally_monitor_quota_used_octets", "Octets of it that are used in this period.",
       [](const QuotaStatus& q) { return q.used; });
  each("wiretally_monitor_quota_expected_octets",
       "Octets that will be used at the end of the period, if it goes on as it did.",
       [](const QuotaStatus& q) { return q.expected; });
  each("wiretally_monitor_quota_state", "0 good, 1 warning, 2 over.", [](const QuotaStatus& q) {
    return static_cast<std::uint64_t>(q.state) - static_cast<std::uint64_t>(QuotaState::kGood);
  });
}

void add_dumps(Families& families, const DumpStatus& dumps) {
  if (!dumps.kept) return;
  counter(families, "wiretally_dumps_written_total", "Files that monitors[].dump asked for.")
      .add({}, dumps.written);
  counter(families, "wiretally_dump_failures_total",
          "Times such a file could not be written; it waits and is tried again.")
      .add({}, dumps.failures);
  counter(families, "wiretally_dumps_lost_total",
          "Files that were given up, for too many waited to be written.")
      .add({}, dumps.lost);
  gauge(families, "wiretally_dumps_waiting", "Files that are to be written.")
      .add({}, dumps.waiting);
}

void add_history(Families& families, const HistoryStatus& history) {
  if (!history.kept) return;
  counter(families, "wiretally_history_flushes_total", "Batches written to the history file.")
      .add({}, history.flushes);
  counter(families, "wiretally_history_failures_total",
          "Times the history file could not be written; the counts waited in memory.")
      .add({}, history.failures);
  gauge(families, "wiretally_history_pending_rows", "Rows that wait for the next flush.")
      .add({}, history.pending_rows);
  counter(families, "wiretally_history_lost_packets_total",
          "Packets that are in no row of the history, for too many rows waited for the file.")
      .add({}, history.lost.packets);
  counter(families, "wiretally_history_lost_octets_total",
          "Octets that are in no row of the history: layer 3.")
      .add({}, history.lost.octets);
}

}  // namespace

Families metric_families(const Status& status) {
  Families families;
  gauge(families, "wiretally_build_info", "1, with the version of this build.")
      .add({{"version", status.version}}, std::uint64_t{1});
  gauge(families, "wiretally_uptime_seconds", "Seconds since the meter started.")
      .add({}, status.uptime_s);
  const std::vector<std::string> ports = unique_names(status.ports);
  add_port_mode(families, status, ports);
  add_port_traffic(families, status, ports);
  add_port_metered(families, status, ports);
  add_port_results(families, status, ports);
  add_fragments(families, status, ports);
  add_workers(families, status);
  add_flows(families, status.flows);
  add_tick(families, status.tick);
  add_collectors(families, status);
  add_sinks(families, status);
  add_monitors(families, status);
  add_groups(families, status);
  add_quotas(families, status);
  add_history(families, status.history);
  add_dumps(families, status.dumps);
  gauge(families, "wiretally_ledger_imbalance_packets",
        "Packets that the ledger cannot account for; always 0.")
      .add({}, status.ledger.imbalance_packets());
  return families;
}

}  // namespace wiretally
