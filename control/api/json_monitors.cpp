// SPDX-License-Identifier: Apache-2.0
// Monitors as JSON objects and back.
// Thread: any.
#include <array>

#include "control/api/json_objects.hpp"

namespace wiretally {
namespace {

constexpr std::array kQuotaStates = {"none", "good", "warning", "over"};

}  // namespace

void to_json(Json& json, const DirectedVolume& volume) {
  json = {{"total", volume.total}, {"in", volume.in}, {"out", volume.out}};
}

void from_json(const Json& json, DirectedVolume& volume) {
  json.at("total").get_to(volume.total);
  json.at("in").get_to(volume.in);
  json.at("out").get_to(volume.out);
}

void to_json(Json& json, const GroupStatus& group) {
  json = {{"group", group.name}};
  json.update(Json(group.volume));
  json["flows"] = group.flows;
}

void from_json(const Json& json, GroupStatus& group) {
  json.at("group").get_to(group.name);
  json.get_to(group.volume);
  json.at("flows").get_to(group.flows);
}

void to_json(Json& json, const QuotaStatus& quota) {
  json = {{"state", kQuotaStates[static_cast<std::size_t>(quota.state)]},
          {"limit_octets", quota.limit},
          {"used_octets", quota.used},
          {"expected_octets", quota.expected},
          {"starts", quota.starts_s},
          {"ends", quota.ends_s}};
}

void from_json(const Json& json, QuotaStatus& quota) {
  const auto state = json.at("state").get<std::string>();
  for (std::size_t i = 0; i < kQuotaStates.size(); ++i) {
    if (state == kQuotaStates[i]) quota.state = static_cast<QuotaState>(i);
  }
  json.at("limit_octets").get_to(quota.limit);
  json.at("used_octets").get_to(quota.used);
  json.at("expected_octets").get_to(quota.expected);
  json.at("starts").get_to(quota.starts_s);
  json.at("ends").get_to(quota.ends_s);
}

void to_json(Json& json, const MonitorSnapshot& monitor) {
  const MonitorStatus& whole = monitor.whole;
  json = {{"name", whole.name}};
  json.update(Json(whole.volume));
  json["flows"] = whole.flows;
  json["recent"] = whole.recent;
  json["recent_seconds"] = whole.recent_s;
  json["peak_octets_per_second"] = whole.peak_octets_per_s;
  json["peak_packets_per_second"] = whole.peak_packets_per_s;
  if (whole.quota.state != QuotaState::kNone) json["quota"] = whole.quota;
  if (!whole.grouped) return;
  json["group_count"] = whole.groups;
  json["groups"] = monitor.groups;
  json["other"] = monitor.other;
}

void from_json(const Json& json, MonitorSnapshot& monitor) {
  MonitorStatus& whole = monitor.whole;
  json.at("name").get_to(whole.name);
  json.get_to(whole.volume);
  json.at("flows").get_to(whole.flows);
  json.at("recent").get_to(whole.recent);
  json.at("recent_seconds").get_to(whole.recent_s);
  json.at("peak_octets_per_second").get_to(whole.peak_octets_per_s);
  json.at("peak_packets_per_second").get_to(whole.peak_packets_per_s);
  if (json.contains("quota")) json.at("quota").get_to(whole.quota);
  whole.grouped = json.contains("groups");
  if (!whole.grouped) return;
  json.at("group_count").get_to(whole.groups);
  json.at("groups").get_to(monitor.groups);
  json.at("other").get_to(monitor.other);
}

}  // namespace wiretally
