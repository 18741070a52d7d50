// SPDX-License-Identifier: Apache-2.0
// See information_element.hpp. Source: IANA "IP Flow Information Export (IPFIX) Entities".
// Thread: any.
#include "control/export/information_element.hpp"

#include <algorithm>
#include <array>

namespace wiretally {
namespace {

constexpr std::uint16_t kVariable = 65535;

// Not reversible: what describes the exporter or its configuration, not a direction (RFC 5103 6.1).
constexpr std::array kElements = {
    InformationElement{Element::kOctetDeltaCount, "octetDeltaCount", ElementType::kUnsigned64, 8,
                       true},
    InformationElement{Element::kPacketDeltaCount, "packetDeltaCount", ElementType::kUnsigned64, 8,
                       true},
    InformationElement{Element::kProtocolIdentifier, "protocolIdentifier", ElementType::kUnsigned8,
                       1, true},
    InformationElement{Element::kIpClassOfService, "ipClassOfService", ElementType::kUnsigned8, 1,
                       true},
    InformationElement{Element::kTcpControlBits, "tcpControlBits", ElementType::kUnsigned16, 2,
                       true},
    InformationElement{Element::kSourceTransportPort, "sourceTransportPort",
                       ElementType::kUnsigned16, 2, true},
    InformationElement{Element::kSourceIpv4Address, "sourceIPv4Address", ElementType::kIpv4Address,
                       4, true},
    InformationElement{Element::kIngressInterface, "ingressInterface", ElementType::kUnsigned32, 4,
                       true},
    InformationElement{Element::kDestinationTransportPort, "destinationTransportPort",
                       ElementType::kUnsigned16, 2, true},
    InformationElement{Element::kDestinationIpv4Address, "destinationIPv4Address",
                       ElementType::kIpv4Address, 4, true},
    InformationElement{Element::kEgressInterface, "egressInterface", ElementType::kUnsigned32, 4,
                       true},
    InformationElement{Element::kFlowEndSysUpTime, "flowEndSysUpTime", ElementType::kUnsigned32, 4,
                       true},
    InformationElement{Element::kFlowStartSysUpTime, "flowStartSysUpTime", ElementType::kUnsigned32,
                       4, true},
    InformationElement{Element::kMinimumIpTotalLength, "minimumIpTotalLength",
                       ElementType::kUnsigned64, 8, true},
    InformationElement{Element::kMaximumIpTotalLength, "maximumIpTotalLength",
                       ElementType::kUnsigned64, 8, true},
    InformationElement{Element::kSourceIpv6Address, "sourceIPv6Address", ElementType::kIpv6Address,
                       16, true},
    InformationElement{Element::kDestinationIpv6Address, "destinationIPv6Address",
                       ElementType::kIpv6Address, 16, true},
    InformationElement{Element::kFlowLabelIpv6, "flowLabelIPv6", ElementType::kUnsigned32, 4, true},
    InformationElement{Element::kIcmpTypeCodeIpv4, "icmpTypeCodeIPv4", ElementType::kUnsigned16, 2,
                       true},
    InformationElement{Element::kSamplingInterval, "samplingInterval", ElementType::kUnsigned32, 4,
                       false},
    InformationElement{Element::kExportedOctetTotalCount, "exportedOctetTotalCount",
                       ElementType::kUnsigned64, 8, false},
    InformationElement{Element::kExportedMessageTotalCount, "exportedMessageTotalCount",
                       ElementType::kUnsigned64, 8, false},
    InformationElement{Element::kExportedFlowRecordTotalCount, "exportedFlowRecordTotalCount",
                       ElementType::kUnsigned64, 8, false},
    InformationElement{Element::kMinimumTtl, "minimumTTL", ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kMaximumTtl, "maximumTTL", ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kSourceMacAddress, "sourceMacAddress", ElementType::kMacAddress, 6,
                       true},
    InformationElement{Element::kVlanId, "vlanId", ElementType::kUnsigned16, 2, true},
    InformationElement{Element::kIpVersion, "ipVersion", ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kFlowDirection, "flowDirection", ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kMplsTopLabelStackSection, "mplsTopLabelStackSection",
                       ElementType::kOctetArray, 3, true},
    InformationElement{Element::kMplsLabelStackSection2, "mplsLabelStackSection2",
                       ElementType::kOctetArray, 3, true},
    InformationElement{Element::kMplsLabelStackSection3, "mplsLabelStackSection3",
                       ElementType::kOctetArray, 3, true},
    InformationElement{Element::kMplsLabelStackSection4, "mplsLabelStackSection4",
                       ElementType::kOctetArray, 3, true},
    InformationElement{Element::kMplsLabelStackSection5, "mplsLabelStackSection5",
                       ElementType::kOctetArray, 3, true},
    InformationElement{Element::kMplsLabelStackSection6, "mplsLabelStackSection6",
                       ElementType::kOctetArray, 3, true},
    InformationElement{Element::kMplsLabelStackSection7, "mplsLabelStackSection7",
                       ElementType::kOctetArray, 3, true},
    InformationElement{Element::kMplsLabelStackSection8, "mplsLabelStackSection8",
                       ElementType::kOctetArray, 3, true},
    InformationElement{Element::kMplsLabelStackSection9, "mplsLabelStackSection9",
                       ElementType::kOctetArray, 3, true},
    InformationElement{Element::kMplsLabelStackSection10, "mplsLabelStackSection10",
                       ElementType::kOctetArray, 3, true},
    InformationElement{Element::kDestinationMacAddress, "destinationMacAddress",
                       ElementType::kMacAddress, 6, true},
    InformationElement{Element::kInterfaceName, "interfaceName", ElementType::kString, kVariable,
                       true},
    InformationElement{Element::kInterfaceDescription, "interfaceDescription", ElementType::kString,
                       kVariable, true},
    InformationElement{Element::kFlowEndReason, "flowEndReason", ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kIcmpTypeCodeIpv6, "icmpTypeCodeIPv6", ElementType::kUnsigned16, 2,
                       true},
    InformationElement{Element::kObservationDomainId, "observationDomainId",
                       ElementType::kUnsigned32, 4, false},
    InformationElement{Element::kFlowStartSeconds, "flowStartSeconds",
                       ElementType::kDateTimeSeconds, 4, true},
    InformationElement{Element::kFlowEndSeconds, "flowEndSeconds", ElementType::kDateTimeSeconds, 4,
                       true},
    InformationElement{Element::kFlowStartMilliseconds, "flowStartMilliseconds",
                       ElementType::kDateTimeMilliseconds, 8, true},
    InformationElement{Element::kFlowEndMilliseconds, "flowEndMilliseconds",
                       ElementType::kDateTimeMilliseconds, 8, true},
    InformationElement{Element::kFlowStartMicroseconds, "flowStartMicroseconds",
                       ElementType::kDateTimeMicroseconds, 8, true},
    InformationElement{Element::kFlowEndMicroseconds, "flowEndMicroseconds",
                       ElementType::kDateTimeMicroseconds, 8, true},
    InformationElement{Element::kFlowStartNanoseconds, "flowStartNanoseconds",
                       ElementType::kDateTimeNanoseconds, 8, true},
    InformationElement{Element::kFlowEndNanoseconds, "flowEndNanoseconds",
                       ElementType::kDateTimeNanoseconds, 8, true},
    InformationElement{Element::kSystemInitTimeMilliseconds, "systemInitTimeMilliseconds",
                       ElementType::kDateTimeMilliseconds, 8, false},
    InformationElement{Element::kFlowDurationMilliseconds, "flowDurationMilliseconds",
                       ElementType::kUnsigned32, 4, true},
    InformationElement{Element::kFlowDurationMicroseconds, "flowDurationMicroseconds",
                       ElementType::kUnsigned32, 4, true},
    InformationElement{Element::kObservedFlowTotalCount, "observedFlowTotalCount",
                       ElementType::kUnsigned64, 8, false},
    InformationElement{Element::kIgnoredPacketTotalCount, "ignoredPacketTotalCount",
                       ElementType::kUnsigned64, 8, false},
    InformationElement{Element::kIgnoredOctetTotalCount, "ignoredOctetTotalCount",
                       ElementType::kUnsigned64, 8, false},
    InformationElement{Element::kNotSentFlowTotalCount, "notSentFlowTotalCount",
                       ElementType::kUnsigned64, 8, false},
    InformationElement{Element::kNotSentPacketTotalCount, "notSentPacketTotalCount",
                       ElementType::kUnsigned64, 8, false},
    InformationElement{Element::kNotSentOctetTotalCount, "notSentOctetTotalCount",
                       ElementType::kUnsigned64, 8, false},
    InformationElement{Element::kFlowKeyIndicator, "flowKeyIndicator", ElementType::kUnsigned64, 8,
                       false},
    InformationElement{Element::kIcmpTypeIpv4, "icmpTypeIPv4", ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kIcmpCodeIpv4, "icmpCodeIPv4", ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kIcmpTypeIpv6, "icmpTypeIPv6", ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kIcmpCodeIpv6, "icmpCodeIPv6", ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kUdpSourcePort, "udpSourcePort", ElementType::kUnsigned16, 2, true},
    InformationElement{Element::kUdpDestinationPort, "udpDestinationPort", ElementType::kUnsigned16,
                       2, true},
    InformationElement{Element::kTcpSourcePort, "tcpSourcePort", ElementType::kUnsigned16, 2, true},
    InformationElement{Element::kTcpDestinationPort, "tcpDestinationPort", ElementType::kUnsigned16,
                       2, true},
    InformationElement{Element::kIpDiffServCodePoint, "ipDiffServCodePoint",
                       ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kIpPrecedence, "ipPrecedence", ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kFragmentFlags, "fragmentFlags", ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kMplsLabelStackDepth, "mplsLabelStackDepth",
                       ElementType::kUnsigned32, 4, true},
    InformationElement{Element::kMplsTopLabelExp, "mplsTopLabelExp", ElementType::kUnsigned8, 1,
                       true},
    InformationElement{Element::kBiflowDirection, "biflowDirection", ElementType::kUnsigned8, 1,
                       false},
    InformationElement{Element::kDot1qVlanId, "dot1qVlanId", ElementType::kUnsigned16, 2, true},
    InformationElement{Element::kDot1qPriority, "dot1qPriority", ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kDot1qCustomerVlanId, "dot1qCustomerVlanId",
                       ElementType::kUnsigned16, 2, true},
    InformationElement{Element::kDot1qCustomerPriority, "dot1qCustomerPriority",
                       ElementType::kUnsigned8, 1, true},
    InformationElement{Element::kIngressPhysicalInterface, "ingressPhysicalInterface",
                       ElementType::kUnsigned32, 4, true},
    InformationElement{Element::kEthernetType, "ethernetType", ElementType::kUnsigned16, 2, true},
    InformationElement{Element::kObservationDomainName, "observationDomainName",
                       ElementType::kString, kVariable, false},
    InformationElement{Element::kLayer2SegmentId, "layer2SegmentId", ElementType::kUnsigned64, 8,
                       true},
    InformationElement{Element::kLayer2OctetDeltaCount, "layer2OctetDeltaCount",
                       ElementType::kUnsigned64, 8, true},
    InformationElement{Element::kDot1qDei, "dot1qDEI", ElementType::kBoolean, 1, true},
    InformationElement{Element::kDot1qCustomerDei, "dot1qCustomerDEI", ElementType::kBoolean, 1,
                       true},
};

constexpr bool by_number(const InformationElement& a, const InformationElement& b) {
  return a.number < b.number;
}
static_assert(std::is_sorted(kElements.begin(), kElements.end(), by_number));

}  // namespace

std::span<const InformationElement> information_elements() {
  return kElements;
}

const InformationElement* find_element(std::uint16_t number) {
  const auto at = std::find_if(kElements.begin(), kElements.end(), [&](const auto& element) {
    return static_cast<std::uint16_t>(element.number) == number;
  });
  return at == kElements.end() ? nullptr : &*at;
}

const InformationElement* find_element(std::string_view name) {
  const auto at = std::find_if(kElements.begin(), kElements.end(),
                               [&](const auto& element) { return element.name == name; });
  return at == kElements.end() ? nullptr : &*at;
}

}  // namespace wiretally
