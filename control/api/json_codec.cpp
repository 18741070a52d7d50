// SPDX-License-Identifier: Apache-2.0
// Answers to JSON text and back.
// Thread: any. Active flows are written by record_text, the same way as `read --output json`.
#include "control/api/json_codec.hpp"

#include <nlohmann/json.hpp>

#include "control/api/json_objects.hpp"
#include "control/sink/record_text.hpp"

namespace wiretally {
namespace {

// Invalid UTF-8 (an interface or file name) is shown with a replacement mark, never refused.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string encode(const Status& status) {
  return dump(status);
}

std::string encode(const Ledger& ledger) {
  return dump(ledger);
}

// Straight to text: an answer may hold kAnswerRowsMax flows, and a tree of that many is slow.
std::string encode(const ActiveFlows& flows) {
  std::string text = "{\"active\":" + std::to_string(flows.active) +
                     ",\"recent_seconds\":" + Json(flows.recent_seconds).dump() + ",\"flows\":[";
  char members[kRecordTextMax];
  const char* separator = "{";
  for (const ActiveFlow& flow : flows.flows) {
    FlowRecord record = flow.record;
    record.end_reason = FlowEndReason{};  // 0: it has not ended
    text.append(separator).append(members, put_json_members(members, record));
    text += ",\"recent_packets\":" + std::to_string(flow.recent_packets) +
            ",\"recent_octets\":" + std::to_string(flow.recent_octets) + "}";
    separator = ",{";
  }
  return text + "]}";
}

std::string encode(const TopRows& rows) {
  Json json;
  json["recent_seconds"] = rows.recent_seconds;
  json["rows"] = rows.rows;
  return dump(json);
}

std::string encode(const std::vector<MonitorSnapshot>& monitors) {
  Json json;
  json["monitors"] = monitors;
  return dump(json);
}

std::string encode_error(std::string_view text, ExitCode code) {
  Json json;
  json["error"] = text;
  json["exit"] = static_cast<int>(code);
  return dump(json);
}

Status decode_status(std::string_view json) {
  return Json::parse(json).get<Status>();
}

Ledger decode_ledger(std::string_view json) {
  return Json::parse(json).get<Ledger>();
}

ActiveFlows decode_active_flows(std::string_view json) {
  const Json object = Json::parse(json);
  ActiveFlows flows;
  object.at("active").get_to(flows.active);
  object.at("recent_seconds").get_to(flows.recent_seconds);
  object.at("flows").get_to(flows.flows);
  return flows;
}

std::vector<MonitorSnapshot> decode_monitors(std::string_view json) {
  return Json::parse(json).at("monitors").get<std::vector<MonitorSnapshot>>();
}

TopRows decode_top_rows(std::string_view json) {
  const Json object = Json::parse(json);
  TopRows rows;
  object.at("recent_seconds").get_to(rows.recent_seconds);
  object.at("rows").get_to(rows.rows);
  return rows;
}

std::string decode_error(std::string_view json) {
  const Json object = Json::parse(json);
  if (!object.is_object() || !object.contains("error")) return "";
  return object.at("error").get<std::string>();
}

// A meter of another version may not say it, or say what is no code of ours.
ExitCode decode_exit_code(std::string_view json) {
  const int code = Json::parse(json).value("exit", 1);
  return code == 2 ? ExitCode::kUsage : code == 3 ? ExitCode::kMachine : ExitCode::kNo;
}

}  // namespace wiretally
