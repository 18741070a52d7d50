// SPDX-License-Identifier: Apache-2.0
// Request lines to answers.
// Thread: the control server's. From: a client's line. To: MeterView, json_codec.
#include "control/api/requests.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

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
  allow_only(args, {"limit", "sort"});
  FlowQuery query;
  query.limit = limit_of(args);
  query.order = choice_of(args, "sort", kFlowOrders, FlowOrder::kRecentOctets, kFlowOrderNames);
  return encode(view.active_flows(query));
}

TopRows top_flows(std::size_t limit, MeterView& view) {
  const ActiveFlows active = view.active_flows({limit, FlowOrder::kRecentOctets});
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
  allow_only(args, {"limit", "by"});
  const std::size_t limit = limit_of(args);
  const TopDimension by =
      choice_of(args, "by", kTopDimensions, TopDimension::kFlow, kTopDimensionNames);
  return encode(by == TopDimension::kFlow ? top_flows(limit, view) : view.top(by, limit));
}

std::string answer_stop(const Json& args, MeterView& view) {
  allow_only(args, {});
  view.request_stop();
  return Json{{"stopping", true}}.dump();
}

using Answer = std::string (*)(const Json& args, MeterView& view);
const std::map<std::string, Answer, std::less<>> kCommands = {{"status", answer_status},
                                                              {"ledger", answer_ledger},
                                                              {"flows", answer_flows},
                                                              {"top", answer_top},
                                                              {"stop", answer_stop}};

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
  } catch (const std::exception& fault) {  // BadRequest, and whatever a view may throw
    return encode_error(fault.what());
  }
}

}  // namespace wiretally
