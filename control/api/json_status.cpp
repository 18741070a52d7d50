// SPDX-License-Identifier: Apache-2.0
// Status and its parts as JSON objects and back: the fields of each struct stand once. Arrays
// indexed by an enum become objects with the enum's labels, so that a script need not know our
// numbers.
// Thread: any.
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <type_traits>
#include <vector>

#include "control/api/json_objects.hpp"
#include "control/sink/record_text.hpp"

namespace wiretally {
namespace {

// DroppedCount refers to static storage. The reasons are a handful, so what came as text is kept.
std::string_view kept(const std::string& text) {
  static std::mutex mutex;
  static std::set<std::string> texts;
  const std::lock_guard lock(mutex);
  return *texts.insert(text).first;
}

// Fields to members of an object, and back. What a newer meter says and this CLI does not know is
// passed over; a member that an older one lacks keeps its default if it is an enum's.
class Writer {
 public:
  explicit Writer(Json& json) : json_(json) { json_ = Json::object(); }

  template <class T>
  void operator()(const char* name, const T& value) {
    json_[name] = value;
  }
  // An array indexed by an enum.
  template <class Enum, class Array>
  void by_label(const char* name, const Array& values) {
    Json& labelled = json_[name] = Json::object();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string_view word = label(static_cast<Enum>(i));
      if (!word.empty()) labelled[std::string(word)] = values[i];
    }
  }
  // Reasons and how many each.
  template <class Count>
  void by_reason(const char* name, const std::vector<Count>& counts, std::uint64_t Count::*number) {
    Json& reasons = json_[name] = Json::object();
    for (const Count& count : counts) reasons[std::string(count.reason)] = count.*number;
  }

 private:
  Json& json_;
};

class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}

  template <class T>
  void operator()(const char* name, T& value) {
    json_.at(name).get_to(value);
  }
  template <class Enum, class Array>
  void by_label(const char* name, Array& values) {
    if (!json_.contains(name)) return;
    const Json& labelled = json_.at(name);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::string word(label(static_cast<Enum>(i)));
      if (!word.empty() && labelled.contains(word)) labelled.at(word).get_to(values[i]);
    }
  }
  template <class Count>
  void by_reason(const char* name, std::vector<Count>& counts, std::uint64_t Count::*number) {
    for (const auto& [reason, value] : json_.at(name).items()) {
      Count& count = counts.emplace_back();
      if constexpr (std::is_same_v<decltype(count.reason), std::string_view>) {
        count.reason = kept(reason);
      } else {
        count.reason = reason;
      }
      count.*number = value.template get<std::uint64_t>();
    }
  }

 private:
  const Json& json_;
};

// ---- each struct's fields, once, for both ways: S is the struct, const when it is written

template <class S, class Struct>
concept Is = std::is_same_v<std::remove_const_t<S>, Struct>;

template <Is<Volume> S, class Visit>
void visit_fields(S& volume, Visit& visit) {
  visit("packets", volume.packets);
  visit("octets", volume.octets);
  visit("l2_octets", volume.l2_octets);
}

template <Is<PortStatus> S, class Visit>
void visit_fields(S& port, Visit& visit) {
  visit("name", port.name);
  visit("ifindex", port.ifindex);
  visit("mode", port.mode);
  visit("received", port.received);
  visit.by_reason("missed", port.missed, &MissedTotal::packets);
  visit.template by_label<IpVersion>("metered", port.metered);
  visit.template by_label<ParseError>("parse_results", port.parse_results);
  visit.template by_label<CoarseLevel>("coarse_packets", port.coarse_packets);
  visit("fragments_joined", port.fragments_joined);
  visit("fragments_evicted", port.fragments_evicted);
}

template <Is<WorkerStatus> S, class Visit>
void visit_fields(S& worker, Visit& visit) {
  visit("id", worker.id);
  visit("core", worker.core);
  visit("table_entries", worker.table_entries);
  visit("table_capacity", worker.table_capacity);
  visit("epochs", worker.epochs);
  visit("busy_ratio", worker.busy_ratio);
  visit.template by_label<WorkerPhase>("phase_ns", worker.phase_ns);
}

// The bounds of the buckets and the means are for scripts: they are written, and not read.
template <Is<TickStatus> S, class Visit>
void visit_fields(S& tick, Visit& visit) {
  visit("count", tick.count);
  visit("sum_s", tick.sum_s);
  visit("last_s", tick.last_s);
  if constexpr (std::is_const_v<S>) visit("bucket_bounds_s", kTickBuckets);
  visit("buckets", tick.buckets);
  visit("drained_entries", tick.drained_entries);
  visit.template by_label<TickStep>("step_ns", tick.step_ns);
}

template <Is<ProtocolStatus> S, class Visit>
void visit_fields(S& protocol, Visit& visit) {
  visit("protocol", protocol.protocol);
  visit("records", protocol.records);
  visit("packets", protocol.packets);
  visit("octets", protocol.octets);
  if constexpr (std::is_const_v<S>) {
    const auto records = static_cast<double>(protocol.records);
    visit("mean_packets", static_cast<double>(protocol.packets) / records);
    visit("mean_octets", static_cast<double>(protocol.octets) / records);
  }
  visit("mean_seconds", protocol.mean_seconds);
  visit("most_seconds", protocol.most_seconds);
}

template <Is<Spread> S, class Visit>
void visit_fields(S& spread, Visit& visit) {
  visit("least", spread.least);
  visit("mean", spread.mean);
  visit("most", spread.most);
}

template <Is<RecordsStatus> S, class Visit>
void visit_fields(S& records, Visit& visit) {
  visit("records", records.records);
  visit("packets", records.packets);
  visit("octets", records.octets);
  visit("seconds", records.seconds);
  visit("protocols", records.protocols);
}

template <Is<FlowsStatus> S, class Visit>
void visit_fields(S& flows, Visit& visit) {
  visit("active", flows.active);
  visit("max", flows.max);
  visit("created", flows.created);
  visit("deleted", flows.deleted);
  visit.template by_label<FlowEndReason>("ended", flows.ended);
  visit.template by_label<EndCause>("ended_by", flows.ended_by);
  visit("records", flows.records);
}

template <Is<SinkAccount> S, class Visit>
void visit_fields(S& sink, Visit& visit) {
  visit("name", sink.name);
  visit("state", sink.state);
  visit("offered", sink.offered);
  visit("delivered", sink.delivered);
  visit("queued", sink.queued);
  visit.by_reason("dropped", sink.dropped, &DroppedCount::records);
  visit("spooled", sink.spooled);
  visit("recovered", sink.recovered);
  visit("datagrams", sink.datagrams);
  visit("send_errors", sink.send_errors);
}

template <Is<HistoryStatus> S, class Visit>
void visit_fields(S& history, Visit& visit) {
  visit("kept", history.kept);
  visit("flushes", history.flushes);
  visit("failures", history.failures);
  visit("pending_rows", history.pending_rows);
  visit("lost", history.lost);
  visit("trouble", history.trouble);
}

template <Is<DumpStatus> S, class Visit>
void visit_fields(S& dumps, Visit& visit) {
  visit("kept", dumps.kept);
  visit("written", dumps.written);
  visit("failures", dumps.failures);
  visit("waiting", dumps.waiting);
  visit("lost", dumps.lost);
  visit("trouble", dumps.trouble);
}

template <Is<Status> S, class Visit>
void visit_fields(S& status, Visit& visit) {
  visit("version", status.version);
  visit("driver", status.driver);
  visit("driver_note", status.driver_note);
  visit("time_ns", status.time);
  visit("uptime_s", status.uptime_s);
  visit("tick_interval_s", status.tick_interval_s);
  visit("paused", status.paused);
  visit("ports", status.ports);
  visit("workers", status.workers);
  visit("tick", status.tick);
  visit("flows", status.flows);
  visit("sinks", status.sinks);
  visit("history", status.history);
  visit("dumps", status.dumps);
  visit("ledger", status.ledger);
}

template <class S>
void write_fields(Json& json, const S& value) {
  Writer writer(json);
  visit_fields(value, writer);
}

template <class S>
void read_fields(const Json& json, S& value) {
  Reader reader(json);
  visit_fields(value, reader);
}

}  // namespace

void to_json(Json& json, const Volume& volume) {
  write_fields(json, volume);
}
void from_json(const Json& json, Volume& volume) {
  read_fields(json, volume);
}
void to_json(Json& json, const PortStatus& port) {
  write_fields(json, port);
}
void from_json(const Json& json, PortStatus& port) {
  read_fields(json, port);
}
void to_json(Json& json, const WorkerStatus& worker) {
  write_fields(json, worker);
}
void from_json(const Json& json, WorkerStatus& worker) {
  read_fields(json, worker);
}
void to_json(Json& json, const TickStatus& tick) {
  write_fields(json, tick);
}
void from_json(const Json& json, TickStatus& tick) {
  read_fields(json, tick);
}
void to_json(Json& json, const Spread& spread) {
  write_fields(json, spread);
}
void from_json(const Json& json, Spread& spread) {
  read_fields(json, spread);
}
void to_json(Json& json, const ProtocolStatus& protocol) {
  write_fields(json, protocol);
}
void from_json(const Json& json, ProtocolStatus& protocol) {
  read_fields(json, protocol);
}
void to_json(Json& json, const RecordsStatus& records) {
  write_fields(json, records);
}
void from_json(const Json& json, RecordsStatus& records) {
  read_fields(json, records);
}
void to_json(Json& json, const FlowsStatus& flows) {
  write_fields(json, flows);
}
void from_json(const Json& json, FlowsStatus& flows) {
  read_fields(json, flows);
}
void to_json(Json& json, const SinkAccount& sink) {
  write_fields(json, sink);
}
void from_json(const Json& json, SinkAccount& sink) {
  read_fields(json, sink);
}
void to_json(Json& json, const HistoryStatus& history) {
  write_fields(json, history);
}
void from_json(const Json& json, HistoryStatus& history) {
  read_fields(json, history);
}
void to_json(Json& json, const DumpStatus& dumps) {
  write_fields(json, dumps);
}
void from_json(const Json& json, DumpStatus& dumps) {
  read_fields(json, dumps);
}
void to_json(Json& json, const Status& status) {
  write_fields(json, status);
}
void from_json(const Json& json, Status& status) {
  read_fields(json, status);
}

}  // namespace wiretally
