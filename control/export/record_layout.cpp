// SPDX-License-Identifier: Apache-2.0
// See record_layout.hpp. The basic layout holds what nfdump, nfacctd and tshark all decode alike in
// NetFlow v9 and IPFIX: times as IE 152/153 (nfdump ignores finer ones), tcpControlBits in one
// octet (nfacctd reads two as 0), 64-bit counters. The others have all 12 TCP flags. Thread: any.
#include "control/export/record_layout.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <span>
#include <utility>

namespace wiretally {
namespace {

using Fields = std::vector<FieldSpecifier>;
using Elements = std::span<const Element>;

constexpr std::uint16_t kFirstNamedId = 256;
constexpr std::uint16_t kFirstListedId = 1024;
constexpr std::uint16_t kIdsOfLayout = 16;
static_assert(kRecordKinds + kBiflowKinds <= kIdsOfLayout);

// ---- layouts by name: elements in order, for every kind; each kind takes those that it has

constexpr Element kBasic[] = {
    Element::kSourceIpv4Address,
    Element::kDestinationIpv4Address,
    Element::kSourceIpv6Address,
    Element::kDestinationIpv6Address,
    Element::kSourceTransportPort,
    Element::kDestinationTransportPort,
    Element::kProtocolIdentifier,
    Element::kTcpControlBits,
    Element::kIpClassOfService,
    Element::kEthernetType,
    Element::kOctetDeltaCount,
    Element::kPacketDeltaCount,
    Element::kLayer2OctetDeltaCount,
    Element::kFlowStartMilliseconds,
    Element::kFlowEndMilliseconds,
    Element::kIngressInterface,
    Element::kVlanId,
    Element::kFlowEndReason,
    Element::kIpVersion,
    Element::kIcmpTypeCodeIpv4,
    Element::kIcmpTypeCodeIpv6,
    Element::kIcmpTypeIpv6,
    Element::kIcmpCodeIpv6,
};

constexpr Element kMacs[] = {Element::kSourceMacAddress, Element::kDestinationMacAddress};
constexpr Element kDirections[] = {Element::kEgressInterface, Element::kFlowDirection};

constexpr Element kLink[] = {
    Element::kSourceMacAddress, Element::kDestinationMacAddress, Element::kDot1qVlanId,
    Element::kDot1qPriority,    Element::kDot1qCustomerVlanId,   Element::kDot1qCustomerPriority,
};

constexpr Element kRanges[] = {
    Element::kMinimumTtl,           Element::kMaximumTtl,    Element::kMinimumIpTotalLength,
    Element::kMaximumIpTotalLength, Element::kFlowLabelIpv6, Element::kFragmentFlags,
};

constexpr Element kLabels[] = {
    Element::kMplsTopLabelStackSection,
    Element::kMplsLabelStackSection2,
    Element::kMplsLabelStackSection3,
    Element::kMplsLabelStackDepth,
};

// The addresses once more: of the tunnel's other end.
constexpr Element kTunnel[] = {
    Element::kSourceIpv4Address,      Element::kDestinationIpv4Address, Element::kSourceIpv6Address,
    Element::kDestinationIpv6Address, Element::kLayer2SegmentId,
};

void append(std::vector<Element>& to, Elements more) {
  to.insert(to.end(), more.begin(), more.end());
}

std::vector<Element> elements_of(RecordLayout layout, bool directions) {
  std::vector<Element> elements;
  append(elements, kBasic);
  if (directions) append(elements, kDirections);
  const bool full = layout == RecordLayout::kFull;
  if (full || layout == RecordLayout::kL2) append(elements, kLink);
  if (full) append(elements, kRanges);
  if (full) append(elements, kLabels);
  // Not in full: a collector that keeps the last of two addresses would show the other end's.
  if (layout == RecordLayout::kTunnel) append(elements, kTunnel);
  if (full) elements.push_back(Element::kLayer2SegmentId);
  return elements;
}

void set_times(std::vector<Element>& elements, const LayoutChoice& choice) {
  constexpr std::pair<Element, Element> kTimes[] = {
      {Element::kFlowStartMilliseconds, Element::kFlowEndMilliseconds},
      {Element::kFlowStartMicroseconds, Element::kFlowEndMicroseconds},
      {Element::kFlowStartNanoseconds, Element::kFlowEndNanoseconds},
      {Element::kFlowStartSysUpTime, Element::kFlowEndSysUpTime}};
  const auto& [start, end] = kTimes[static_cast<std::size_t>(choice.times)];
  std::ranges::replace(elements, Element::kFlowStartMilliseconds, start);
  std::ranges::replace(elements, Element::kFlowEndMilliseconds, end);
  if (choice.times == RecordTimes::kUptime && choice.system_init_time) {
    elements.insert(std::ranges::find(elements, start), Element::kSystemInitTimeMilliseconds);
  }
}

std::vector<Element> elements_of(const LayoutChoice& choice) {
  if (choice.fields.empty()) {
    std::vector<Element> elements = elements_of(choice.layout, choice.directions);
    const bool has_macs = std::ranges::count(elements, Element::kSourceMacAddress) != 0;
    if (choice.identity.macs && !has_macs) append(elements, kMacs);  // what is key is sent
    set_times(elements, choice);
    return elements;
  }
  std::vector<Element> elements;
  for (const std::string& name : choice.fields) {
    const InformationElement* element = find_element(name);
    assert(element != nullptr && "config let an unknown element pass");
    if (element != nullptr) elements.push_back(element->number);
  }
  return elements;
}

// ---- which kind has which element

bool is_icmp(std::uint8_t protocol) {
  constexpr std::uint8_t kIcmp = 1;
  constexpr std::uint8_t kIcmpv6 = 58;
  return protocol == kIcmp || protocol == kIcmpv6;
}

bool is_biflow(RecordKind kind) {
  return kind >= RecordKind::kBiflowIpv4;
}

// The kind of each direction.
RecordKind uniflow_kind(RecordKind kind) {
  if (!is_biflow(kind)) return kind;
  return static_cast<RecordKind>(static_cast<unsigned>(kind) -
                                 static_cast<unsigned>(RecordKind::kBiflowIpv4));
}

bool is_ipv4(RecordKind kind) {
  return kind == RecordKind::kIpv4 || kind == RecordKind::kIcmpIpv4 ||
         kind == RecordKind::kCoarseIpv4;
}

bool is_ipv6(RecordKind kind) {
  return kind == RecordKind::kIpv6 || kind == RecordKind::kIcmpIpv6 ||
         kind == RecordKind::kCoarseIpv6;
}

bool is_coarse(RecordKind kind) {
  return kind >= RecordKind::kCoarseIpv4 && !is_biflow(kind);
}

bool is_address(Element element) {
  return element == Element::kSourceIpv4Address || element == Element::kDestinationIpv4Address ||
         element == Element::kSourceIpv6Address || element == Element::kDestinationIpv6Address;
}

// Key addresses, ICMP and what only frames without IP are told apart by. `named`: a layout by name
// sends the ethertype and layer-2 octets of IP records nowhere but in l2 and full.
bool has_element(RecordKind any_kind, Element element, RecordLayout layout, bool listed) {
  const RecordKind kind = uniflow_kind(any_kind);
  const bool ip = is_ipv4(kind) || is_ipv6(kind);
  switch (element) {
    case Element::kSourceIpv4Address:
    case Element::kDestinationIpv4Address:
      return is_ipv4(kind);
    case Element::kSourceIpv6Address:
    case Element::kDestinationIpv6Address:
      return is_ipv6(kind);
    case Element::kFlowLabelIpv6:
      return is_ipv6(kind);
    case Element::kIcmpTypeCodeIpv4:
    case Element::kIcmpTypeIpv4:
    case Element::kIcmpCodeIpv4:
      return kind == RecordKind::kIcmpIpv4;
    case Element::kIcmpTypeCodeIpv6:
    case Element::kIcmpTypeIpv6:
    case Element::kIcmpCodeIpv6:
      return kind == RecordKind::kIcmpIpv6;
    case Element::kEthernetType:
      return !ip;  // an IP record's is in ipVersion
    case Element::kLayer2OctetDeltaCount:
      return !ip || listed || layout == RecordLayout::kFull || layout == RecordLayout::kL2;
    case Element::kSourceTransportPort:
    case Element::kDestinationTransportPort:
    case Element::kProtocolIdentifier:
    case Element::kTcpControlBits:
    case Element::kIpClassOfService:
    case Element::kIpDiffServCodePoint:
    case Element::kIpPrecedence:
    case Element::kUdpSourcePort:
    case Element::kUdpDestinationPort:
    case Element::kTcpSourcePort:
    case Element::kTcpDestinationPort:
    case Element::kOctetDeltaCount:
    case Element::kIpVersion:
    case Element::kMinimumTtl:
    case Element::kMaximumTtl:
    case Element::kMinimumIpTotalLength:
    case Element::kMaximumIpTotalLength:
    case Element::kFragmentFlags:
      return ip;
    case Element::kFlowKeyIndicator:
      return false;  // appended where a record is coarse
    default:
      return true;
  }
}

std::uint16_t length_of(Element element, const LayoutChoice& choice) {
  const bool basic = choice.fields.empty() && choice.layout == RecordLayout::kBasic;
  if (element == Element::kTcpControlBits && basic) return 1;
  return find_element(static_cast<std::uint16_t>(element))->length;
}

// Both directions have it in common: the reverse one's is the forward one's, exchanged.
bool is_shared(Element element) {
  switch (element) {
    case Element::kSourceTransportPort:
    case Element::kDestinationTransportPort:
    case Element::kUdpSourcePort:
    case Element::kUdpDestinationPort:
    case Element::kTcpSourcePort:
    case Element::kTcpDestinationPort:
    case Element::kProtocolIdentifier:
    case Element::kIpVersion:
    case Element::kEthernetType:
      return true;
    default:
      return is_address(element);
  }
}

void append_reverse(Fields& fields) {
  const std::size_t forward = fields.size();
  for (std::size_t i = 0; i < forward; ++i) {
    FieldSpecifier field = fields[i];
    const auto* element = find_element(static_cast<std::uint16_t>(field.element));
    if (!element->reversible || is_shared(field.element)) continue;
    field.reverse = true;
    fields.push_back(field);
  }
  fields.push_back({Element::kBiflowDirection, 1});
}

// The usual key is the one that no flowKeyIndicator has to explain.
bool is_usual(const KeyConfig& key) {
  return key.addresses && key.protocol && key.ports && !key.vlan && !key.ingress && !key.macs;
}

// RFC 7011 section 8: of an address that stands twice, the first is the outer header's.
Fields fields_of(RecordKind any_kind, const LayoutChoice& choice) {
  const RecordKind kind = uniflow_kind(any_kind);
  const std::vector<Element> elements = elements_of(choice);
  const bool listed = !choice.fields.empty();
  const bool ip = is_ipv4(kind) || is_ipv6(kind);
  Fields fields;
  for (auto at = elements.begin(); at != elements.end(); ++at) {
    const std::uint16_t length = length_of(*at, choice);
    const bool has = has_element(kind, *at, choice.layout, listed);
    const bool twice = std::count(elements.begin(), elements.end(), *at) > 1;
    if (!is_address(*at) || !twice) {
      if (has) fields.push_back({*at, length});
      continue;
    }
    if (!ip) continue;
    const bool first = std::find(elements.begin(), at, *at) == at;
    if (has) {
      fields.push_back({*at, length, first == (choice.key == TunnelKey::kInner)});
    } else if (!first && listed) {
      fields.push_back({*at, length, true});  // the other end may be of the other IP version
    }
  }
  if (is_biflow(any_kind)) append_reverse(fields);
  const bool reduced = ip && !is_usual(choice.identity);
  if (is_coarse(kind) || reduced) fields.push_back({Element::kFlowKeyIndicator, 8});
  return fields;
}

// FNV-1a over the names and the view: the same list has the same ids on every machine.
std::uint32_t hash_of(const LayoutChoice& choice) {
  const KeyConfig& key = choice.identity;
  const unsigned identity = key.addresses << 0 | key.protocol << 1 | key.ports << 2 |
                            key.vlan << 3 | key.ingress << 4 | key.macs << 5;
  const unsigned setting =
      static_cast<unsigned>(choice.key) | static_cast<unsigned>(choice.times) << 1 |
      unsigned{choice.system_init_time} << 3 | static_cast<unsigned>(choice.layout) << 4 |
      unsigned{choice.directions} << 6 | (is_usual(key) ? 0 : identity << 8);
  std::uint32_t hash = 2166136261u ^ setting;
  for (const std::string& name : choice.fields) {
    for (const char c : name + ",") hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  }
  return hash;
}

std::uint16_t first_id(const LayoutChoice& choice) {
  const bool plain = choice.times == RecordTimes::kMilliseconds && is_usual(choice.identity);
  if (choice.fields.empty() && plain) {
    // The inner view of a layout that tells the ends apart has another meaning: other ids.
    const auto view = choice.key == TunnelKey::kInner && wants_attributes(choice) ? 4u : 0u;
    const auto way = choice.directions ? 8u : 0u;
    return static_cast<std::uint16_t>(
        kFirstNamedId + kIdsOfLayout * (static_cast<unsigned>(choice.layout) + view + way));
  }
  constexpr std::uint32_t kRanges = (65536 - kFirstListedId) / kIdsOfLayout;
  return static_cast<std::uint16_t>(kFirstListedId + kIdsOfLayout * (hash_of(choice) % kRanges));
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

LayoutChoice layout_choice(const CollectorConfig& collector, TunnelKey key,
                           const KeyConfig& identity, bool directions) {
  LayoutChoice choice;
  choice.layout = collector.layout;
  choice.fields = collector.fields;
  choice.key = key;
  choice.times = collector.times;
  choice.system_init_time = collector.version == NetflowVersion::kIpfix;
  choice.biflow = collector.biflow;
  choice.identity = identity;
  choice.directions = directions;
  return choice;
}

std::uint16_t template_id(const LayoutChoice& choice, RecordKind kind) {
  return static_cast<std::uint16_t>(first_id(choice) + static_cast<unsigned>(kind));
}

RecordKind biflow_kind(RecordKind kind) {
  return static_cast<RecordKind>(static_cast<unsigned>(kind) +
                                 static_cast<unsigned>(RecordKind::kBiflowIpv4));
}

std::vector<RecordTemplate> make_layout(const LayoutChoice& choice) {
  std::vector<RecordTemplate> templates;
  const std::size_t kinds = kRecordKinds + (choice.biflow ? kBiflowKinds : 0);
  for (std::size_t i = 0; i < kinds; ++i) {
    const auto kind = static_cast<RecordKind>(i);
    templates.emplace_back(template_id(choice, kind), fields_of(kind, choice), choice.identity);
  }
  return templates;
}

bool wants_attributes(const LayoutChoice& choice) {
  for (std::size_t i = 0; i < kRecordKinds; ++i) {
    for (const FieldSpecifier& field : fields_of(static_cast<RecordKind>(i), choice)) {
      if (attribute_store(field.element, field.other_end) != nullptr) return true;
    }
  }
  return false;
}

}  // namespace wiretally
