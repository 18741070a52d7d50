// SPDX-License-Identifier: Apache-2.0
// The table of fields. Thread: any.
#include "control/sink/record_fields.hpp"

#include <algorithm>
#include <charconv>
#include <string>

#include "config/startup_error.hpp"
#include "config/suggest.hpp"
#include "control/sink/record_text.hpp"

namespace wiretally {
namespace {

using R = FlowRecord;
using A = FlowAttributes;

char* number(char* out, std::uint64_t value) {
  return std::to_chars(out, out + 20, value).ptr;
}

char* words(char* out, std::string_view text) {
  return std::copy(text.begin(), text.end(), out);
}

bool is_ip(const R& r) {
  return r.key.ip_version() != IpVersion::kNone;
}

// A field of the attributes: empty if the record has none, or `known` says it means nothing here.
template <class Known, class Value>
char* attribute(char* out, const R& r, Known known, Value value) {
  if (r.attributes == nullptr || !known(*r.attributes)) return out;
  return value(out, *r.attributes);
}

bool has_ip(const A& a) {
  return a.has_ip();
}
bool has_macs(const A& a) {
  return a.has_macs;
}
bool has_tag(const A& a) {
  return a.tags > 0;
}
bool has_inner_tag(const A& a) {
  return a.tags > 1;
}
bool has_labels(const A& a) {
  return a.labels > 0;
}
bool has_tunnel(const A& a) {
  return a.tunnel != TunnelKind::kNone;
}
bool has_other_end(const A& a) {
  return a.other_version != IpVersion::kNone;
}
bool always(const A&) {
  return true;
}

char* mac(char* out, const MacAddress& address) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < address.size(); ++i) {
    if (i > 0) *out++ = ':';
    *out++ = kDigits[address[i] >> 4];
    *out++ = kDigits[address[i] & 0xf];
  }
  return out;
}

std::uint32_t label_of(const A::LabelEntry& entry) {
  return static_cast<std::uint32_t>(entry[0] << 12 | entry[1] << 4 | entry[2] >> 4);
}

// "100/200/16": from the top, at most the ten that are kept.
char* labels(char* out, const A& a) {
  for (std::size_t i = 0; i < std::min<std::size_t>(a.labels, A::kLabelsMax); ++i) {
    if (i > 0) *out++ = '/';
    out = number(out, label_of(a.label_stack[i]));
  }
  return out;
}

bool is_icmp(const R& r, std::uint8_t protocol) {
  return is_ip(r) && r.key.level() == CoarseLevel::kExact && r.key.protocol == protocol;
}
bool is_any_icmp(const R& r) {
  constexpr std::uint8_t kIcmp = 1;
  constexpr std::uint8_t kIcmpv6 = 58;
  return is_icmp(r, kIcmp) || is_icmp(r, kIcmpv6);
}

// Columns of the contract's CSV, each as that prints it.
constexpr std::size_t kContractFields = 16;

// clang-format off
// long: one line a field.
const RecordField kFields[] = {
  {"first", "", [](char* o, const R& r) { return put_time(o, r.first); }, false, false,
   "smallest time of a packet, seconds with nanoseconds (JSON: first_ns)"},
  {"last", "", [](char* o, const R& r) { return put_time(o, r.last); }, false, false,
   "largest time of a packet"},
  {"src", "", [](char* o, const R& r) { return put_source(o, r.key); }, true, false,
   "source address"},
  {"dst", "", [](char* o, const R& r) { return put_destination(o, r.key); }, true, false,
   "destination address"},
  {"proto", "protocolIdentifier",
   [](char* o, const R& r) { return number(o, is_ip(r) ? r.key.protocol : 0); }, false, false,
   "IP protocol"},
  {"sport", "sourceTransportPort",
   [](char* o, const R& r) { return number(o, is_ip(r) ? r.key.source_port : 0); }, false, false,
   "source port"},
  {"dport", "destinationTransportPort",
   [](char* o, const R& r) { return number(o, is_ip(r) ? r.key.destination_port : 0); }, false,
   false, "destination port; ICMP: type * 256 + code"},
  {"packets", "packetDeltaCount", [](char* o, const R& r) { return number(o, r.packets); }, false,
   false, "packets"},
  {"octets", "octetDeltaCount", [](char* o, const R& r) { return number(o, r.octets); }, false,
   false, "octets of IP headers and payload"},
  {"l2_octets", "layer2OctetDeltaCount", [](char* o, const R& r) { return number(o, r.l2_octets); },
   false, false, "octets of frames without FCS"},
  {"tcp_flags", "tcpControlBits", [](char* o, const R& r) { return number(o, r.tcp_flags); }, false,
   false, "OR of the 12 TCP flags"},
  {"tos", "ipClassOfService", [](char* o, const R& r) { return number(o, r.tos); }, false, false,
   "ToS or traffic class of the first packet"},
  {"vlan", "vlanId", [](char* o, const R& r) { return number(o, r.key.vlan()); }, false, false,
   "id of the outer VLAN tag, 0 without one"},
  {"ethertype", "ethernetType", [](char* o, const R& r) { return put_ethertype(o, r.key); }, true,
   false, "0x0800, 0x86dd, or that of a frame without IP"},
  {"ingress", "ingressInterface", [](char* o, const R& r) { return number(o, r.ingress_ifindex); },
   false, false, "number of the interface"},
  {"end_reason", "flowEndReason",
   [](char* o, const R& r) { return number(o, static_cast<std::uint64_t>(r.end_reason)); }, false,
   false, "why the flow ended (IANA flowEndReason)"},

  {"first_ns", "flowStartNanoseconds",
   [](char* o, const R& r) { return std::to_chars(o, o + 20, r.first).ptr; }, false, false,
   "smallest time of a packet, ns since 1970"},
  {"last_ns", "flowEndNanoseconds",
   [](char* o, const R& r) { return std::to_chars(o, o + 20, r.last).ptr; }, false, false,
   "largest time of a packet, ns since 1970"},
  {"level", "", [](char* o, const R& r) { return words(o, label(r.key.level())); }, true, false,
   "exact, or what an overloaded table still told apart"},
  {"ip_version", "ipVersion",
   [](char* o, const R& r) { return is_ip(r) ? words(o, label(r.key.ip_version())) : o; }, false,
   false, "4, 6, or nothing"},
  {"egress", "egressInterface", [](char* o, const R& r) { return number(o, r.egress_ifindex); },
   false, false, "number of the interface it was seen to leave by; 0: it came in"},
  {"direction", "flowDirection", [](char* o, const R& r) { return number(o, r.direction); }, false,
   false, "0: came in, 1: left (IANA flowDirection)"},
  {"icmp_type", "",
   [](char* o, const R& r) {
     return is_any_icmp(r) ? number(o, r.key.destination_port >> 8) : o; }, false, false,
   "ICMP or ICMPv6 type"},
  {"icmp_code", "",
   [](char* o, const R& r) {
     return is_any_icmp(r) ? number(o, r.key.destination_port & 0xff) : o; }, false, false,
   "ICMP or ICMPv6 code"},

  {"tos_or", "", [](char* o, const R& r) { return attribute(o, r, has_ip,
     [](char* p, const A& a) { return number(p, a.tos_or); }); }, false, true,
   "OR of all ToS or traffic class octets"},
  {"ttl_min", "minimumTTL", [](char* o, const R& r) { return attribute(o, r, has_ip,
     [](char* p, const A& a) { return number(p, a.ttl_min); }); }, false, true,
   "smallest TTL or hop limit"},
  {"ttl_max", "maximumTTL", [](char* o, const R& r) { return attribute(o, r, has_ip,
     [](char* p, const A& a) { return number(p, a.ttl_max); }); }, false, true,
   "largest TTL or hop limit"},
  {"length_min", "minimumIpTotalLength", [](char* o, const R& r) { return attribute(o, r, has_ip,
     [](char* p, const A& a) { return number(p, a.length_min); }); }, false, true,
   "octets of the shortest packet (as in octets)"},
  {"length_max", "maximumIpTotalLength", [](char* o, const R& r) { return attribute(o, r, has_ip,
     [](char* p, const A& a) { return number(p, a.length_max); }); }, false, true,
   "octets of the longest packet"},
  {"flow_label", "flowLabelIPv6", [](char* o, const R& r) {
     return r.key.ip_version() != IpVersion::kV6 ? o : attribute(o, r, has_ip,
       [](char* p, const A& a) { return number(p, a.flow_label); }); }, false, true,
   "IPv6 flow label of the first packet"},
  {"fragment_flags", "fragmentFlags", [](char* o, const R& r) { return attribute(o, r, has_ip,
     [](char* p, const A& a) { return number(p, a.fragment_flags); }); }, false, true,
   "OR of 64 (do not fragment) and 32 (more fragments)"},
  {"src_mac", "sourceMacAddress", [](char* o, const R& r) { return attribute(o, r, has_macs,
     [](char* p, const A& a) { return mac(p, a.source_mac); }); }, true, true,
   "source MAC address of the first frame"},
  {"dst_mac", "destinationMacAddress", [](char* o, const R& r) { return attribute(o, r, has_macs,
     [](char* p, const A& a) { return mac(p, a.destination_mac); }); }, true, true,
   "destination MAC address of the first frame"},
  {"vlan_tags", "", [](char* o, const R& r) { return attribute(o, r, always,
     [](char* p, const A& a) { return number(p, a.tags); }); }, false, true,
   "number of VLAN tags"},
  {"vlan_priority", "dot1qPriority", [](char* o, const R& r) { return attribute(o, r, has_tag,
     [](char* p, const A& a) { return number(p, tag_priority(a.outer_tag)); }); }, false, true,
   "priority in the outer tag"},
  {"inner_vlan", "dot1qCustomerVlanId", [](char* o, const R& r) {
     return attribute(o, r, has_inner_tag,
       [](char* p, const A& a) { return number(p, tag_id(a.inner_tag)); }); }, false, true,
   "id of the second VLAN tag"},
  {"inner_vlan_priority", "dot1qCustomerPriority", [](char* o, const R& r) {
     return attribute(o, r, has_inner_tag,
       [](char* p, const A& a) { return number(p, tag_priority(a.inner_tag)); }); }, false, true,
   "priority in the second tag"},
  {"mpls_labels", "", [](char* o, const R& r) { return attribute(o, r, has_labels, labels); }, true,
   true, "labels from the top, 100/200"},
  {"mpls_depth", "mplsLabelStackDepth", [](char* o, const R& r) { return attribute(o, r, always,
     [](char* p, const A& a) { return number(p, a.labels); }); }, false, true,
   "number of labels"},
  {"mpls_exp", "mplsTopLabelExp", [](char* o, const R& r) { return attribute(o, r, has_labels,
     [](char* p, const A& a) { return number(p, a.label_stack[0][2] >> 1 & 7); }); }, false, true,
   "traffic class of the top label"},
  {"tunnel", "", [](char* o, const R& r) { return attribute(o, r, has_tunnel,
     [](char* p, const A& a) { return words(p, label(a.tunnel)); }); }, true, true,
   "vxlan, gre, gtp, ipip, ...: what wraps the packet, or is in it"},
  {"tunnel_id", "", [](char* o, const R& r) { return attribute(o, r, has_tunnel,
     [](char* p, const A& a) { return number(p, a.tunnel_id); }); }, false, true,
   "VNI, TEID, GRE key, ERSPAN session, L2TP tunnel * 65536 + session, label; 0 if it has none"},
  {"other_src", "", [](char* o, const R& r) { return attribute(o, r, has_other_end,
     [](char* p, const A& a) { return put_address(p, a.other_source, a.other_version); }); }, true,
   true, "source in the tunnel's other header: the inner one, with tunnel inner the outer one"},
  {"other_dst", "", [](char* o, const R& r) { return attribute(o, r, has_other_end,
     [](char* p, const A& a) { return put_address(p, a.other_destination, a.other_version); }); },
   true, true, "destination there"},
};
// clang-format on

std::vector<std::string_view> known_names() {
  std::vector<std::string_view> names = {"all"};
  for (const RecordField& field : kFields) {
    names.push_back(field.name);
    if (!field.element.empty()) names.push_back(field.element);
  }
  return names;
}

const RecordField& find_field(std::string_view name) {
  const auto found = std::ranges::find_if(kFields, [name](const RecordField& field) {
    return field.name == name || (!field.element.empty() && field.element == name);
  });
  if (found != std::end(kFields)) return *found;
  std::string text = "--fields: there is no field \"" + std::string(name) + "\"";
  const std::vector<std::string_view> known = known_names();
  const std::optional<std::string_view> meant = nearest(name, known);
  text += meant ? "; did you mean " + std::string(*meant) + "?"
                : "; `wiretally read --help` lists them";
  throw StartupError(ExitCode::kUsage, text);
}

void add_field(RecordFields& fields, const RecordField& field) {
  if (std::ranges::find(fields, &field) != fields.end()) {
    throw StartupError(ExitCode::kUsage,
                       "--fields: \"" + std::string(field.name) + "\" is there twice");
  }
  fields.push_back(&field);
}

}  // namespace

RecordFields parse_fields(std::string_view list) {
  RecordFields fields;
  if (list == "all" || list.starts_with('+')) {
    for (std::size_t i = 0; i < kContractFields; ++i) fields.push_back(&kFields[i]);
  }
  if (list == "all") {
    for (std::size_t i = kContractFields; i < std::size(kFields); ++i) {
      fields.push_back(&kFields[i]);
    }
    return fields;
  }
  if (list.starts_with('+')) list.remove_prefix(1);
  while (true) {
    const std::size_t comma = list.find(',');
    add_field(fields, find_field(list.substr(0, comma)));
    if (comma == std::string_view::npos) return fields;
    list.remove_prefix(comma + 1);
  }
}

const RecordField& json_field(const RecordField& field) {
  if (field.name == "first") return find_field("first_ns");
  if (field.name == "last") return find_field("last_ns");
  return field;
}

bool any_attribute(const RecordFields& fields) {
  return std::ranges::any_of(fields, [](const RecordField* field) { return field->attribute; });
}

std::string fields_help() {
  std::string text;
  for (const RecordField& field : kFields) {
    std::string name(field.name);
    if (!field.element.empty()) name += " (" + std::string(field.element) + ")";
    name.resize(std::max<std::size_t>(name.size(), 44), ' ');
    text += "  " + name + " " + std::string(field.help) + "\n";
  }
  return text;
}

}  // namespace wiretally
