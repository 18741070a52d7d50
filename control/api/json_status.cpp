// SPDX-License-Identifier: Apache-2.0
// Status and its parts as JSON objects and back. Arrays indexed by an enum become objects with the
// enum's labels, so that a script need not know our numbers.
// Thread: any.
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

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

template <class Enum, class Array>
Json by_name(const Array& values) {
  Json json = Json::object();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string_view name = label(static_cast<Enum>(i));
    if (!name.empty()) json[std::string(name)] = values[i];
  }
  return json;
}

// Names that a newer meter may know, and this CLI does not, are passed over.
template <class Enum, class Array>
void from_names(const Json& json, Array& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string name(label(static_cast<Enum>(i)));
    if (!name.empty() && json.contains(name)) json.at(name).get_to(values[i]);
  }
}

}  // namespace

void to_json(Json& json, const Volume& volume) {
  json = {{"packets", volume.packets}, {"octets", volume.octets}, {"l2_octets", volume.l2_octets}};
}

void from_json(const Json& json, Volume& volume) {
  json.at("packets").get_to(volume.packets);
  json.at("octets").get_to(volume.octets);
  json.at("l2_octets").get_to(volume.l2_octets);
}

void to_json(Json& json, const PortStatus& port) {
  Json missed = Json::object();
  for (const MissedTotal& total : port.missed) missed[total.reason] = total.packets;
  json = {{"name", port.name},
          {"ifindex", port.ifindex},
          {"mode", port.mode},
          {"received", port.received},
          {"missed", missed},
          {"metered", by_name<IpVersion>(port.metered)},
          {"parse_results", by_name<ParseError>(port.parse_results)},
          {"coarse_packets", by_name<CoarseLevel>(port.coarse_packets)},
          {"fragments_joined", port.fragments_joined},
          {"fragments_evicted", port.fragments_evicted}};
}

void from_json(const Json& json, PortStatus& port) {
  json.at("name").get_to(port.name);
  json.at("ifindex").get_to(port.ifindex);
  json.at("mode").get_to(port.mode);
  json.at("received").get_to(port.received);
  for (const auto& [reason, packets] : json.at("missed").items()) {
    port.missed.push_back({reason, packets.get<std::uint64_t>()});
  }
  from_names<IpVersion>(json.at("metered"), port.metered);
  from_names<ParseError>(json.at("parse_results"), port.parse_results);
  from_names<CoarseLevel>(json.at("coarse_packets"), port.coarse_packets);
  json.at("fragments_joined").get_to(port.fragments_joined);
  json.at("fragments_evicted").get_to(port.fragments_evicted);
}

void to_json(Json& json, const WorkerStatus& worker) {
  json = {{"id", worker.id},
          {"core", worker.core},
          {"table_entries", worker.table_entries},
          {"table_capacity", worker.table_capacity},
          {"epochs", worker.epochs},
          {"busy_ratio", worker.busy_ratio},
          {"phase_ns", by_name<WorkerPhase>(worker.phase_ns)}};
}

void from_json(const Json& json, WorkerStatus& worker) {
  json.at("id").get_to(worker.id);
  json.at("core").get_to(worker.core);
  json.at("table_entries").get_to(worker.table_entries);
  json.at("table_capacity").get_to(worker.table_capacity);
  json.at("epochs").get_to(worker.epochs);
  json.at("busy_ratio").get_to(worker.busy_ratio);
  if (json.contains("phase_ns")) from_names<WorkerPhase>(json.at("phase_ns"), worker.phase_ns);
}

void to_json(Json& json, const TickStatus& tick) {
  json = {{"count", tick.count},
          {"sum_s", tick.sum_s},
          {"last_s", tick.last_s},
          {"bucket_bounds_s", kTickBuckets},
          {"buckets", tick.buckets},
          {"drained_entries", tick.drained_entries},
          {"step_ns", by_name<TickStep>(tick.step_ns)}};
}

void from_json(const Json& json, TickStatus& tick) {
  json.at("count").get_to(tick.count);
  json.at("sum_s").get_to(tick.sum_s);
  json.at("last_s").get_to(tick.last_s);
  json.at("buckets").get_to(tick.buckets);
  json.at("drained_entries").get_to(tick.drained_entries);
  if (json.contains("step_ns")) from_names<TickStep>(json.at("step_ns"), tick.step_ns);
}

void to_json(Json& json, const Spread& spread) {
  json = {{"least", spread.least}, {"mean", spread.mean}, {"most", spread.most}};
}

void from_json(const Json& json, Spread& spread) {
  json.at("least").get_to(spread.least);
  json.at("mean").get_to(spread.mean);
  json.at("most").get_to(spread.most);
}

void to_json(Json& json, const ProtocolStatus& protocol) {
  const auto records = static_cast<double>(protocol.records);
  json = {{"protocol", protocol.protocol},
          {"records", protocol.records},
          {"packets", protocol.packets},
          {"octets", protocol.octets},
          {"mean_packets", static_cast<double>(protocol.packets) / records},
          {"mean_octets", static_cast<double>(protocol.octets) / records},
          {"mean_seconds", protocol.mean_seconds},
          {"most_seconds", protocol.most_seconds}};
}

void from_json(const Json& json, ProtocolStatus& protocol) {
  json.at("protocol").get_to(protocol.protocol);
  json.at("records").get_to(protocol.records);
  json.at("packets").get_to(protocol.packets);
  json.at("octets").get_to(protocol.octets);
  json.at("mean_seconds").get_to(protocol.mean_seconds);
  json.at("most_seconds").get_to(protocol.most_seconds);
}

void to_json(Json& json, const RecordsStatus& records) {
  json = {{"records", records.records},
          {"packets", records.packets},
          {"octets", records.octets},
          {"seconds", records.seconds},
          {"protocols", records.protocols}};
}

void from_json(const Json& json, RecordsStatus& records) {
  json.at("records").get_to(records.records);
  json.at("packets").get_to(records.packets);
  json.at("octets").get_to(records.octets);
  json.at("seconds").get_to(records.seconds);
  json.at("protocols").get_to(records.protocols);
}

void to_json(Json& json, const FlowsStatus& flows) {
  json = {{"active", flows.active},
          {"max", flows.max},
          {"created", flows.created},
          {"deleted", flows.deleted},
          {"ended", by_name<FlowEndReason>(flows.ended)},
          {"ended_by", by_name<EndCause>(flows.ended_by)},
          {"records", flows.records}};
}

void from_json(const Json& json, FlowsStatus& flows) {
  json.at("active").get_to(flows.active);
  json.at("max").get_to(flows.max);
  json.at("created").get_to(flows.created);
  json.at("deleted").get_to(flows.deleted);
  from_names<FlowEndReason>(json.at("ended"), flows.ended);
  from_names<EndCause>(json.at("ended_by"), flows.ended_by);
  json.at("records").get_to(flows.records);
}

void to_json(Json& json, const SinkAccount& sink) {
  Json dropped = Json::object();
  for (const DroppedCount& count : sink.dropped) {
    dropped[std::string(count.reason)] = count.records;
  }
  json = {{"name", sink.name},           {"state", sink.state},
          {"offered", sink.offered},     {"delivered", sink.delivered},
          {"queued", sink.queued},       {"dropped", dropped},
          {"spooled", sink.spooled},     {"recovered", sink.recovered},
          {"datagrams", sink.datagrams}, {"send_errors", sink.send_errors}};
}

void from_json(const Json& json, SinkAccount& sink) {
  json.at("name").get_to(sink.name);
  json.at("state").get_to(sink.state);
  json.at("offered").get_to(sink.offered);
  json.at("delivered").get_to(sink.delivered);
  json.at("queued").get_to(sink.queued);
  json.at("spooled").get_to(sink.spooled);
  json.at("recovered").get_to(sink.recovered);
  for (const auto& [reason, records] : json.at("dropped").items()) {
    sink.dropped.push_back({kept(reason), records.get<std::uint64_t>()});
  }
  json.at("datagrams").get_to(sink.datagrams);
  json.at("send_errors").get_to(sink.send_errors);
}

void to_json(Json& json, const HistoryStatus& history) {
  json = {{"kept", history.kept},         {"flushes", history.flushes},
          {"failures", history.failures}, {"pending_rows", history.pending_rows},
          {"lost", history.lost},         {"trouble", history.trouble}};
}

void to_json(Json& json, const DumpStatus& dumps) {
  json = {{"kept", dumps.kept},       {"written", dumps.written}, {"failures", dumps.failures},
          {"waiting", dumps.waiting}, {"lost", dumps.lost},       {"trouble", dumps.trouble}};
}

void from_json(const Json& json, DumpStatus& dumps) {
  json.at("kept").get_to(dumps.kept);
  json.at("written").get_to(dumps.written);
  json.at("failures").get_to(dumps.failures);
  json.at("waiting").get_to(dumps.waiting);
  json.at("lost").get_to(dumps.lost);
  json.at("trouble").get_to(dumps.trouble);
}

void from_json(const Json& json, HistoryStatus& history) {
  json.at("kept").get_to(history.kept);
  json.at("flushes").get_to(history.flushes);
  json.at("failures").get_to(history.failures);
  json.at("pending_rows").get_to(history.pending_rows);
  json.at("lost").get_to(history.lost);
  json.at("trouble").get_to(history.trouble);
}

void to_json(Json& json, const Status& status) {
  json = {{"version", status.version},
          {"driver", status.driver},
          {"driver_note", status.driver_note},
          {"time_ns", status.time},
          {"uptime_s", status.uptime_s},
          {"tick_interval_s", status.tick_interval_s},
          {"paused", status.paused},
          {"ports", status.ports},
          {"workers", status.workers},
          {"tick", status.tick},
          {"flows", status.flows},
          {"sinks", status.sinks},
          {"history", status.history},
          {"dumps", status.dumps},
          {"ledger", status.ledger}};
}

void from_json(const Json& json, Status& status) {
  json.at("version").get_to(status.version);
  json.at("driver").get_to(status.driver);
  json.at("driver_note").get_to(status.driver_note);
  json.at("time_ns").get_to(status.time);
  json.at("uptime_s").get_to(status.uptime_s);
  json.at("tick_interval_s").get_to(status.tick_interval_s);
  json.at("paused").get_to(status.paused);
  json.at("ports").get_to(status.ports);
  json.at("workers").get_to(status.workers);
  json.at("tick").get_to(status.tick);
  json.at("flows").get_to(status.flows);
  json.at("sinks").get_to(status.sinks);
  json.at("history").get_to(status.history);
  json.at("dumps").get_to(status.dumps);
  json.at("ledger").get_to(status.ledger);
}

}  // namespace wiretally
