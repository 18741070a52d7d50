// SPDX-License-Identifier: Apache-2.0
// Request lines to answers.
// Thread: the control server's. From: a client's line. To: MeterView, json_codec.
#include "control/api/requests.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "config/startup_error.hpp"
#include "control/api/json_codec.hpp"
#include "control/sink/record_text.hpp"

namespace wiretally {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kRowsDefault = 20;

// A fault of the request: its text is the answer.
struct BadRequest : std::runtime_error {
  using std::runtime_error::runtime_error;
};

const std::map<std::string, FlowOrder, std::less<>> kFlowOrders = {
    {"rate", FlowOrder::kRecentOctets},
    {"packet_rate", FlowOrder::kRecentPackets},
    {"octets", FlowOrder::kOctets},
    {"packets", FlowOrder::kPackets},
    {"first", FlowOrder::kFirst}};

const std::map<std::string, TopDimension, std::less<>> kTopDimensions = {
    {"flow", TopDimension::kFlow},
    {"source", TopDimension::kSourceHost},
    {"destination", TopDimension::kDestinationHost},
    {"host", TopDimension::kHost},
    {"port", TopDimension::kPort},
    {"protocol", TopDimension::kProtocol}};

void allow_only(const Json& args, std::initializer_list<std::string_view> names) {
  for (const auto& [name, value] : args.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw BadRequest("args." + name + " is not known to this command");
    }
  }
}

std::size_t limit_of(const Json& args) {
  const auto limit = args.find("limit");
  if (limit == args.end()) return kRowsDefault;
  if (!limit->is_number_unsigned()) throw BadRequest("args.limit: a whole number, 0 for all");
  const auto rows = limit->get<std::uint64_t>();
  return rows == 0 ? kAnswerRowsMax : std::min<std::uint64_t>(rows, kAnswerRowsMax);
}

std::string text_of(const Json& args, const std::string& name) {
  const auto text = args.find(name);
  if (text == args.end()) return "";
  if (!text->is_string()) throw BadRequest("args." + name + ": a text");
  return text->get<std::string>();
}

bool flag_of(const Json& args, const std::string& name, bool otherwise) {
  const auto flag = args.find(name);
  if (flag == args.end()) return otherwise;
  if (!flag->is_boolean()) throw BadRequest("args." + name + ": true or false");
  return flag->get<bool>();
}

template <class Value>
Value choice_of(const Json& args, const std::string& name,
                const std::map<std::string, Value, std::less<>>& choices, Value otherwise,
                std::string_view names) {
  const auto given = args.find(name);
  if (given == args.end()) return otherwise;
  const auto choice = given->is_string() ? choices.find(given->get<std::string>()) : choices.end();
  if (choice == choices.end()) {
    throw BadRequest("args." + name + ": one of " + std::string(names));
  }
  return choice->second;
}

StatusPtr status_of(const MeterView& view) {
  StatusPtr status = view.status();
  if (!status) throw BadRequest("the meter is starting; ask again after the first tick");
  return status;
}

std::string answer_status(const Json& args, MeterView& view) {
  allow_only(args, {});
  return encode(*status_of(view));
}

std::string answer_ledger(const Json& args, MeterView& view) {
  allow_only(args, {});
  return encode(status_of(view)->ledger);
}

std::string answer_flows(const Json& args, MeterView& view) {
  allow_only(args, {"limit", "sort", "filter"});
  FlowQuery query;
  query.filter = text_of(args, "filter");
  query.limit = limit_of(args);
  query.order = choice_of(args, "sort", kFlowOrders, FlowOrder::kRecentOctets, kFlowOrderNames);
  return encode(view.active_flows(query));
}

TopRows top_flows(std::size_t limit, const std::string& filter, MeterView& view) {
  const ActiveFlows active = view.active_flows({limit, FlowOrder::kRecentOctets, filter});
  TopRows rows;
  rows.recent_seconds = active.recent_seconds;
  for (const ActiveFlow& flow : active.flows) {
    const FlowKey& key = flow.record.key;
    TopRow& row = rows.rows.emplace_back();
    row.name = key.ip_version() == IpVersion::kNone
                   ? source_end_text(key)
                   : source_end_text(key) + " > " + destination_end_text(key) + " " +
                         protocol_name(key.protocol);
    row.recent = {flow.recent_packets, flow.recent_octets, 0};
    row.total = {flow.record.packets, flow.record.octets, flow.record.l2_octets};
    row.flows = 1;
  }
  return rows;
}

std::string answer_top(const Json& args, MeterView& view) {
  allow_only(args, {"limit", "by", "filter"});
  const std::size_t limit = limit_of(args);
  const std::string filter = text_of(args, "filter");
  const TopDimension by =
      choice_of(args, "by", kTopDimensions, TopDimension::kFlow, kTopDimensionNames);
  return encode(by == TopDimension::kFlow ? top_flows(limit, filter, view)
                                          : view.top(by, limit, filter));
}

std::vector<std::string> texts_of(const Json& args, const std::string& name) {
  const auto list = args.find(name);
  if (list == args.end()) return {};
  if (!list->is_array() ||
      !std::ranges::all_of(*list, [](const Json& j) { return j.is_string(); })) {
    throw BadRequest("args." + name + ": a list of texts");
  }
  return list->get<std::vector<std::string>>();
}

std::string answer_monitors(const Json& args, MeterView& view) {
  allow_only(args, {"names", "limit"});
  return encode(view.monitors({texts_of(args, "names"), limit_of(args)}));
}

std::string answer_stop(const Json& args, MeterView& view) {
  allow_only(args, {"export"});
  view.request_stop(flag_of(args, "export", true) ? Leave::kExport : Leave::kDelete);
  return Json{{"stopping", true}}.dump();
}

std::string swept(const SweptFlows& flows) {
  return Json{{"flows", flows.flows},
              {"packets", flows.volume.packets},
              {"octets", flows.volume.octets},
              {"l2_octets", flows.volume.l2_octets}}
      .dump();
}

std::string answer_expire(const Json& args, MeterView& view) {
  allow_only(args, {"filter"});
  return swept(view.sweep(Leave::kExport, text_of(args, "filter")));
}

std::string answer_delete(const Json& args, MeterView& view) {
  allow_only(args, {"filter"});
  return swept(view.sweep(Leave::kDelete, text_of(args, "filter")));
}

std::string answer_send_templates(const Json& args, MeterView& view) {
  allow_only(args, {});
  return Json{{"collectors", view.send_templates()}}.dump();
}

std::string answer_reload(const Json& args, MeterView& view) {
  allow_only(args, {});
  const ReloadResult result = view.reload();
  return Json{{"reloaded", true},
              {"changed", result.changed},
              {"restart_needed", result.restart_needed},
              {"warnings", result.warnings}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string answer_pause(const Json& args, MeterView& view) {
  allow_only(args, {});
  view.set_paused(true);
  return Json{{"paused", true}}.dump();
}

std::string answer_resume(const Json& args, MeterView& view) {
  allow_only(args, {});
  view.set_paused(false);
  return Json{{"paused", false}}.dump();
}

std::string answer_log_level(const Json& args, MeterView& view) {
  allow_only(args, {"level"});
  return Json{{"level", view.log_level(text_of(args, "level"))}}.dump();
}

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// In seconds, by the names of the configuration.
std::string answer_timeouts(const Json& args, MeterView& view) {
  allow_only(args, {});
  const FlowsConfig flows = view.flows_config();
  const TimeoutsConfig& t = flows.timeouts;
  nlohmann::ordered_json json;
  json["active"] = seconds(t.active);
  json["idle"] = seconds(t.idle);
  json["tcp"] = seconds(t.tcp);
  json["tcp_fin"] = seconds(t.tcp_fin);
  json["tcp_rst"] = seconds(t.tcp_rst);
  json["udp"] = seconds(t.udp);
  json["icmp"] = seconds(t.icmp);
  json["maximum_life"] = seconds(t.maximum_life);
  json["expiry_interval"] = seconds(flows.expiry_interval);
  json["tick"] = seconds(flows.tick);
  json["max_flows"] = flows.max_flows;
  return json.dump();
}

using Answer = std::string (*)(const Json& args, MeterView& view);
const std::map<std::string, Answer, std::less<>> kCommands = {
    {"status", answer_status},     {"ledger", answer_ledger},
    {"flows", answer_flows},       {"top", answer_top},
    {"timeouts", answer_timeouts}, {"expire", answer_expire},
    {"delete", answer_delete},     {"send-templates", answer_send_templates},
    {"reload", answer_reload},     {"pause", answer_pause},
    {"resume", answer_resume},     {"log-level", answer_log_level},
    {"monitors", answer_monitors}, {"stop", answer_stop}};

std::string command_names() {
  std::string names;
  for (const auto& [name, answer] : kCommands) names += (names.empty() ? "" : ", ") + name;
  return names;
}

std::string answer_parsed(const Json& request, MeterView& view) {
  if (!request.is_object() || !request.contains("command") || !request["command"].is_string()) {
    throw BadRequest("a request is one line {\"command\": NAME, \"args\": {}}");
  }
  const auto name = request["command"].get<std::string>();
  const auto command = kCommands.find(name);
  if (command == kCommands.end()) {
    throw BadRequest("unknown command \"" + name + "\"; there are " + command_names());
  }
  const Json args = request.value("args", Json::object());
  if (!args.is_object()) throw BadRequest("args: an object, {\"limit\": 20}");
  return command->second(args, view);
}

}  // namespace

std::string answer_request(std::string_view line, MeterView& view) {
  try {
    return answer_parsed(Json::parse(line), view);
  } catch (const Json::parse_error&) {
    return encode_error("not JSON; a request is one line {\"command\": NAME, \"args\": {}}");
  } catch (const StartupError& error) {
    return encode_error(error.what(), error.code());
  } catch (const std::exception& fault) {  // BadRequest, and whatever a view may throw
    return encode_error(fault.what());
  }
}

}  // namespace wiretally
