// SPDX-License-Identifier: Apache-2.0
// See record_layout.hpp. The basic layout holds what nfdump, nfacctd and tshark all decode alike in
// NetFlow v9 and IPFIX: times as IE 152/153 (nfdump ignores finer ones), tcpControlBits in one
// octet (nfacctd reads two as 0), 64-bit counters. Thread: any.
#include "control/export/record_layout.hpp"

#include <array>

namespace wiretally {
namespace {

using Fields = std::vector<FieldSpecifier>;

// Either ICMP over either IP: nfdump shows type and code only from IE 32/139, whatever carries
// them.
bool is_icmp(std::uint8_t protocol) {
  constexpr std::uint8_t kIcmp = 1;
  constexpr std::uint8_t kIcmpv6 = 58;
  return protocol == kIcmp || protocol == kIcmpv6;
}

Fields operator+(Fields a, const Fields& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const Fields& ipv4_addresses() {
  static const Fields fields = {{Element::kSourceIpv4Address, 4},
                                {Element::kDestinationIpv4Address, 4}};
  return fields;
}

const Fields& ipv6_addresses() {
  static const Fields fields = {{Element::kSourceIpv6Address, 16},
                                {Element::kDestinationIpv6Address, 16}};
  return fields;
}

const Fields& times() {
  static const Fields fields = {{Element::kFlowStartMilliseconds, 8},
                                {Element::kFlowEndMilliseconds, 8}};
  return fields;
}

const Fields& place_and_end() {
  static const Fields fields = {
      {Element::kIngressInterface, 4}, {Element::kVlanId, 2}, {Element::kFlowEndReason, 1}};
  return fields;
}

Fields ip_fields(const Fields& addresses) {
  const Fields transport = {
      {Element::kSourceTransportPort, 2}, {Element::kDestinationTransportPort, 2},
      {Element::kProtocolIdentifier, 1},  {Element::kTcpControlBits, 1},
      {Element::kIpClassOfService, 1},    {Element::kOctetDeltaCount, 8},
      {Element::kPacketDeltaCount, 8}};
  return addresses + transport + times() + place_and_end() + Fields{{Element::kIpVersion, 1}};
}

Fields non_ip_fields() {
  return Fields{{Element::kEthernetType, 2},
                {Element::kPacketDeltaCount, 8},
                {Element::kLayer2OctetDeltaCount, 8}} +
         times() + place_and_end();
}

Fields fields_of(RecordKind kind) {
  const Fields indicator = {{Element::kFlowKeyIndicator, 8}};
  switch (kind) {
    case RecordKind::kIpv4:
      return ip_fields(ipv4_addresses());
    case RecordKind::kIpv6:
      return ip_fields(ipv6_addresses());
    case RecordKind::kIcmpIpv4:
      return ip_fields(ipv4_addresses()) + Fields{{Element::kIcmpTypeCodeIpv4, 2}};
    case RecordKind::kIcmpIpv6:
      return ip_fields(ipv6_addresses()) + Fields{{Element::kIcmpTypeCodeIpv6, 2},
                                                  {Element::kIcmpTypeIpv6, 1},
                                                  {Element::kIcmpCodeIpv6, 1}};
    case RecordKind::kNonIp:
      return non_ip_fields();
    case RecordKind::kCoarseIpv4:
      return ip_fields(ipv4_addresses()) + indicator;
    case RecordKind::kCoarseIpv6:
      return ip_fields(ipv6_addresses()) + indicator;
    case RecordKind::kCoarseNonIp:
      return non_ip_fields() + indicator;
  }
  return {};
}

}  // namespace

RecordKind record_kind(const FlowKey& key) {
  const bool coarse = key.level() != CoarseLevel::kExact;
  switch (key.ip_version()) {
    case IpVersion::kV4:
      if (coarse) return RecordKind::kCoarseIpv4;
      return is_icmp(key.protocol) ? RecordKind::kIcmpIpv4 : RecordKind::kIpv4;
    case IpVersion::kV6:
      if (coarse) return RecordKind::kCoarseIpv6;
      return is_icmp(key.protocol) ? RecordKind::kIcmpIpv6 : RecordKind::kIpv6;
    case IpVersion::kNone:
      break;
  }
  return coarse ? RecordKind::kCoarseNonIp : RecordKind::kNonIp;
}

std::vector<RecordTemplate> make_layout(Layout layout) {
  std::vector<RecordTemplate> templates;
  for (std::size_t i = 0; i < kRecordKinds; ++i) {
    const auto kind = static_cast<RecordKind>(i);
    templates.emplace_back(template_id(layout, kind), fields_of(kind));
  }
  return templates;
}

}  // namespace wiretally
