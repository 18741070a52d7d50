// SPDX-License-Identifier: Apache-2.0
// Active flows and top rows from JSON objects (and rows to them).
// Thread: any.
#include <arpa/inet.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "control/api/json_objects.hpp"
#include "control/sink/record_text.hpp"

namespace wiretally {
namespace {

void read_address(const std::string& text, std::array<std::uint8_t, 16>& address,
                  IpVersion version) {
  if (text.empty()) return;
  const bool v4 = version == IpVersion::kV4;
  if (inet_pton(v4 ? AF_INET : AF_INET6, text.c_str(), address.data() + (v4 ? 12 : 0)) != 1) {
    throw std::runtime_error("\"" + text + "\" is no address");
  }
}

CoarseLevel level_of(const std::string& name) {
  for (std::size_t i = 0; i < kCoarseLevels; ++i) {
    if (label(static_cast<CoarseLevel>(i)) == name) return static_cast<CoarseLevel>(i);
  }
  throw std::runtime_error("\"" + name + "\" is no level of a flow key");
}

}  // namespace

void from_json(const Json& json, FlowKey& key) {
  const auto ethertype =
      static_cast<std::uint16_t>(std::stoul(json.at("ethertype").get<std::string>(), nullptr, 16));
  const IpVersion version = ethertype == 0x0800   ? IpVersion::kV4
                            : ethertype == 0x86dd ? IpVersion::kV6
                                                  : IpVersion::kNone;
  read_address(json.at("src").get<std::string>(), key.source, version);
  read_address(json.at("dst").get<std::string>(), key.destination, version);
  json.at("proto").get_to(key.protocol);
  json.at("sport").get_to(key.source_port);
  key.destination_port =
      version == IpVersion::kNone ? ethertype : json.at("dport").get<std::uint16_t>();
  key.set_vlan(json.at("vlan").get<std::uint16_t>());
  key.set_kind(version, level_of(json.at("level").get<std::string>()));
}

void from_json(const Json& json, ActiveFlow& flow) {
  FlowRecord& record = flow.record;
  json.get_to(record.key);
  json.at("first_ns").get_to(record.first);
  json.at("last_ns").get_to(record.last);
  json.at("packets").get_to(record.packets);
  json.at("octets").get_to(record.octets);
  json.at("l2_octets").get_to(record.l2_octets);
  json.at("tcp_flags").get_to(record.tcp_flags);
  json.at("tos").get_to(record.tos);
  json.at("ingress").get_to(record.ingress_ifindex);
  record.egress_ifindex = json.value("egress", 0u);
  record.direction = record.egress_ifindex != 0 ? 1 : 0;
  record.end_reason = static_cast<FlowEndReason>(json.at("end_reason").get<std::uint8_t>());
  json.at("recent_packets").get_to(flow.recent_packets);
  json.at("recent_octets").get_to(flow.recent_octets);
}

void to_json(Json& json, const TopRow& row) {
  json = {{"name", row.name}, {"recent", row.recent}, {"total", row.total}, {"flows", row.flows}};
}

void from_json(const Json& json, TopRow& row) {
  json.at("name").get_to(row.name);
  json.at("recent").get_to(row.recent);
  json.at("total").get_to(row.total);
  json.at("flows").get_to(row.flows);
}

}  // namespace wiretally
