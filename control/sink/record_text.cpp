// SPDX-License-Identifier: Apache-2.0
// Text forms of a Flow Record and its parts.
// Thread: any. From: sinks, control socket, terminal views. To: a buffer of theirs.
#include "control/sink/record_text.hpp"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstring>

#include "control/status.hpp"

namespace wiretally {
namespace {

using Address = std::array<std::uint8_t, 16>;
constexpr std::size_t kDigitsMax = 20;

char* put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* put_number(char* out, std::uint64_t value) {
  return std::to_chars(out, out + kDigitsMax, value).ptr;
}

// ",123": how every field of a row but the first begins.
char* put_field(char* out, std::uint64_t value) {
  *out++ = ',';
  return put_number(out, value);
}

char* put_hex16(char* out, std::uint16_t value) {
  constexpr std::string_view digits = "0123456789abcdef";
  out = put(out, "0x");
  for (int shift = 12; shift >= 0; shift -= 4) *out++ = digits[value >> shift & 0xf];
  return out;
}

bool knows_source(const FlowKey& key) {
  if (key.ip_version() == IpVersion::kNone) return false;
  const CoarseLevel level = key.level();
  return level == CoarseLevel::kExact || level == CoarseLevel::kNoPorts ||
         level == CoarseLevel::kSourceHost;
}

bool knows_destination(const FlowKey& key) {
  if (key.ip_version() == IpVersion::kNone) return false;
  const CoarseLevel level = key.level();
  return level == CoarseLevel::kExact || level == CoarseLevel::kNoPorts ||
         level == CoarseLevel::kDestinationHost;
}

// Of a non-IP frame the key's destination port is the ethertype: it has neither ports nor protocol.
struct Transport {
  explicit Transport(const FlowKey& key) {
    if (key.ip_version() == IpVersion::kNone) return;
    protocol = key.protocol;
    source_port = key.source_port;
    destination_port = key.destination_port;
  }
  std::uint8_t protocol = 0;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
};

std::string end_text(const FlowKey& key, bool known, const Address& address, std::uint16_t port) {
  char text[INET6_ADDRSTRLEN + 16];
  char* end = text;
  if (key.ip_version() == IpVersion::kNone) {
    end = put_hex16(put(end, "ether "), key.destination_port);
  } else if (!known) {
    end = put(end, "any");
  } else if (port == 0) {
    end = put_address(end, address, key.ip_version());
  } else if (key.ip_version() == IpVersion::kV4) {
    end = put_number(put(put_address(end, address, IpVersion::kV4), ":"), port);
  } else {
    end = put_number(put(put_address(put(end, "["), address, IpVersion::kV6), "]:"), port);
  }
  return {text, end};
}

}  // namespace

char* put_address(char* out, const Address& address, IpVersion version) {
  if (version == IpVersion::kV4) {
    for (std::size_t i = 12; i < 16; ++i) {
      if (i > 12) *out++ = '.';
      out = put_number(out, address[i]);
    }
    return out;
  }
  inet_ntop(AF_INET6, address.data(), out, INET6_ADDRSTRLEN);  // RFC 5952 but for mapped IPv4
  return out + std::strlen(out);
}

char* put_source(char* out, const FlowKey& key) {
  return knows_source(key) ? put_address(out, key.source, key.ip_version()) : out;
}

char* put_destination(char* out, const FlowKey& key) {
  return knows_destination(key) ? put_address(out, key.destination, key.ip_version()) : out;
}

char* put_ethertype(char* out, const FlowKey& key) {
  return put_hex16(out, ethertype_of(key));
}

std::string_view label(TunnelKind kind) {
  switch (kind) {
    case TunnelKind::kNone:
      return "";
    case TunnelKind::kIpInIp:
      return "ipip";
    case TunnelKind::kGre:
      return "gre";
    case TunnelKind::kErspan:
      return "erspan";
    case TunnelKind::kEtherIp:
      return "etherip";
    case TunnelKind::kMpls:
      return "mpls";
    case TunnelKind::kVxlan:
      return "vxlan";
    case TunnelKind::kVxlanGpe:
      return "vxlan_gpe";
    case TunnelKind::kGeneve:
      return "geneve";
    case TunnelKind::kGtp:
      return "gtp";
    case TunnelKind::kL2tp:
      return "l2tp";
    case TunnelKind::kTeredo:
      return "teredo";
    case TunnelKind::kAyiya:
      return "ayiya";
    case TunnelKind::kLisp:
      return "lisp";
    case TunnelKind::kCapwap:
      return "capwap";
    case TunnelKind::kTzsp:
      return "tzsp";
    case TunnelKind::kOther:
      return "other";
  }
  return "";
}

std::string_view label(FlowEndReason reason) {
  switch (reason) {
    case FlowEndReason::kIdleTimeout:
      return "idle_timeout";
    case FlowEndReason::kActiveTimeout:
      return "active_timeout";
    case FlowEndReason::kEndOfFlow:
      return "end_of_flow";
    case FlowEndReason::kForcedEnd:
      return "forced_end";
    case FlowEndReason::kLackOfResources:
      return "lack_of_resources";
  }
  return "";
}

std::string_view label(EndCause cause) {
  static constexpr std::array<std::string_view, kEndCauses> kLabels = {
      "idle", "tcp",    "tcp_fin",      "tcp_rst", "udp",
      "icmp", "active", "maximum_life", "forced",  "max_flows"};
  const auto index = static_cast<std::size_t>(cause);
  return index < kLabels.size() ? kLabels[index] : "";
}

std::string_view label(TickStep step) {
  constexpr std::string_view kNames[] = {"flip", "drain_merge", "lifecycle", "hand_over",
                                         "publish"};
  static_assert(std::size(kNames) == kTickSteps);
  return kNames[static_cast<std::size_t>(step)];
}

std::string_view label(WorkerPhase phase) {
  constexpr std::string_view kNames[] = {"idle", "poll", "parse_hash", "count", "flip"};
  static_assert(std::size(kNames) == kWorkerPhases);
  return kNames[static_cast<std::size_t>(phase)];
}

std::string_view label(CoarseLevel level) {
  switch (level) {
    case CoarseLevel::kExact:
      return "exact";
    case CoarseLevel::kNoPorts:
      return "no_ports";
    case CoarseLevel::kDestinationHost:
      return "destination_host";
    case CoarseLevel::kSourceHost:
      return "source_host";
    case CoarseLevel::kProtocol:
      return "protocol";
  }
  return "";
}

std::string_view label(IpVersion version) {
  switch (version) {
    case IpVersion::kNone:
      return "none";
    case IpVersion::kV4:
      return "4";
    case IpVersion::kV6:
      return "6";
  }
  return "";
}

std::string protocol_name(std::uint8_t protocol) {
  switch (protocol) {  // IANA protocol numbers, those that are common on a link
    case 1:
      return "icmp";
    case 2:
      return "igmp";
    case 4:
      return "ipip";
    case 6:
      return "tcp";
    case 17:
      return "udp";
    case 33:
      return "dccp";
    case 41:
      return "ipv6";
    case 47:
      return "gre";
    case 50:
      return "esp";
    case 51:
      return "ah";
    case 58:
      return "icmpv6";
    case 89:
      return "ospf";
    case 103:
      return "pim";
    case 112:
      return "vrrp";
    case 115:
      return "l2tp";
    case 132:
      return "sctp";
    case 136:
      return "udplite";
    default:
      return std::to_string(protocol);
  }
}

std::string source_text(const FlowKey& key) {
  char text[INET6_ADDRSTRLEN];
  return {text, put_source(text, key)};
}

std::string destination_text(const FlowKey& key) {
  char text[INET6_ADDRSTRLEN];
  return {text, put_destination(text, key)};
}

std::string source_end_text(const FlowKey& key) {
  return end_text(key, knows_source(key), key.source, key.source_port);
}

// ICMP has type * 256 + code where others have a port: shown by protocol, not as a port.
std::string destination_end_text(const FlowKey& key) {
  if (key.ip_version() == IpVersion::kNone) return "";
  const bool icmp = key.protocol == 1 || key.protocol == 58;
  return end_text(key, knows_destination(key), key.destination, icmp ? 0 : key.destination_port);
}

std::uint16_t ethertype_of(const FlowKey& key) {
  switch (key.ip_version()) {
    case IpVersion::kV4:
      return 0x0800;
    case IpVersion::kV6:
      return 0x86dd;
    default:
      return key.destination_port;
  }
}

char* put_time(char* out, TimeNs time) {
  const auto bits = static_cast<std::uint64_t>(time);
  const std::uint64_t distance = time < 0 ? ~bits + 1 : bits;  // right for the smallest number too
  if (time < 0) *out++ = '-';
  out = put_number(out, distance / kNsPerSecond);
  *out++ = '.';
  std::uint64_t fraction = distance % kNsPerSecond;
  for (int i = 8; i >= 0; --i, fraction /= 10) out[i] = static_cast<char>('0' + fraction % 10);
  return out + 9;
}

char* put_csv_row(char* out, const FlowRecord& record) {
  const FlowKey& key = record.key;
  const Transport transport(key);
  out = put_time(out, record.first);
  *out++ = ',';
  out = put_time(out, record.last);
  *out++ = ',';
  out = put_source(out, key);
  *out++ = ',';
  out = put_destination(out, key);
  out = put_field(out, transport.protocol);
  out = put_field(out, transport.source_port);
  out = put_field(out, transport.destination_port);
  out = put_field(out, record.packets);
  out = put_field(out, record.octets);
  out = put_field(out, record.l2_octets);
  out = put_field(out, record.tcp_flags);
  out = put_field(out, record.tos);
  out = put_field(out, key.vlan());
  *out++ = ',';
  out = put_hex16(out, ethertype_of(key));
  out = put_field(out, record.ingress_ifindex);
  out = put_field(out, static_cast<std::uint64_t>(record.end_reason));
  *out++ = '\n';
  return out;
}

char* put_json_members(char* out, const FlowRecord& record) {
  const FlowKey& key = record.key;
  const Transport transport(key);
  // Integers, because a JSON number with a fraction is a double in most readers and loses the
  // nanoseconds.
  out = std::to_chars(put(out, "\"first_ns\":"), out + 64, record.first).ptr;
  out = put(out, ",\"last_ns\":");
  out = std::to_chars(out, out + 64, record.last).ptr;
  out = put_source(put(out, ",\"src\":\""), key);
  out = put_destination(put(out, "\",\"dst\":\""), key);
  out = put_number(put(out, "\",\"proto\":"), transport.protocol);
  out = put_number(put(out, ",\"sport\":"), transport.source_port);
  out = put_number(put(out, ",\"dport\":"), transport.destination_port);
  out = put_number(put(out, ",\"packets\":"), record.packets);
  out = put_number(put(out, ",\"octets\":"), record.octets);
  out = put_number(put(out, ",\"l2_octets\":"), record.l2_octets);
  out = put_number(put(out, ",\"tcp_flags\":"), record.tcp_flags);
  out = put_number(put(out, ",\"tos\":"), record.tos);
  out = put_number(put(out, ",\"vlan\":"), key.vlan());
  out = put_hex16(put(out, ",\"ethertype\":\""), ethertype_of(key));
  out = put_number(put(out, "\",\"ingress\":"), record.ingress_ifindex);
  if (record.egress_ifindex != 0) {
    out = put_number(put(out, ",\"egress\":"), record.egress_ifindex);
  }
  out = put_number(put(out, ",\"end_reason\":"), static_cast<std::uint64_t>(record.end_reason));
  out = put(put(put(out, ",\"level\":\""), label(key.level())), "\"");
  return out;
}

}  // namespace wiretally
