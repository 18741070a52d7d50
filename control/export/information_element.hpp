// SPDX-License-Identifier: Apache-2.0
// The IANA IPFIX Information Elements that the meter can fill: number, name, abstract data type,
// length and whether RFC 5103 allows a reverse element. NetFlow v9 calls the same numbers Field
// Types (RFC 3954 section 8 up to 127; every collector we know takes IANA's numbers above as well).
// Thread: any (constant tables).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace wiretally {

enum class Element : std::uint16_t {
  kOctetDeltaCount = 1,
  kPacketDeltaCount = 2,
  kProtocolIdentifier = 4,
  kIpClassOfService = 5,
  kTcpControlBits = 6,
  kSourceTransportPort = 7,
  kSourceIpv4Address = 8,
  kIngressInterface = 10,
  kDestinationTransportPort = 11,
  kDestinationIpv4Address = 12,
  kEgressInterface = 14,
  kFlowEndSysUpTime = 21,
  kFlowStartSysUpTime = 22,
  kMinimumIpTotalLength = 25,
  kMaximumIpTotalLength = 26,
  kSourceIpv6Address = 27,
  kDestinationIpv6Address = 28,
  kFlowLabelIpv6 = 31,
  kIcmpTypeCodeIpv4 = 32,
  kSamplingInterval = 34,
  kExportedOctetTotalCount = 40,
  kExportedMessageTotalCount = 41,
  kExportedFlowRecordTotalCount = 42,
  kMinimumTtl = 52,
  kMaximumTtl = 53,
  kSourceMacAddress = 56,
  kVlanId = 58,
  kIpVersion = 60,
  kFlowDirection = 61,
  kMplsTopLabelStackSection = 70,
  kMplsLabelStackSection2 = 71,
  kMplsLabelStackSection3 = 72,
  kMplsLabelStackSection4 = 73,
  kMplsLabelStackSection5 = 74,
  kMplsLabelStackSection6 = 75,
  kMplsLabelStackSection7 = 76,
  kMplsLabelStackSection8 = 77,
  kMplsLabelStackSection9 = 78,
  kMplsLabelStackSection10 = 79,
  kDestinationMacAddress = 80,
  kInterfaceName = 82,
  kInterfaceDescription = 83,
  kFlowEndReason = 136,
  kIcmpTypeCodeIpv6 = 139,
  kObservationDomainId = 149,
  kFlowStartSeconds = 150,
  kFlowEndSeconds = 151,
  kFlowStartMilliseconds = 152,
  kFlowEndMilliseconds = 153,
  kFlowStartMicroseconds = 154,
  kFlowEndMicroseconds = 155,
  kFlowStartNanoseconds = 156,
  kFlowEndNanoseconds = 157,
  kSystemInitTimeMilliseconds = 160,
  kFlowDurationMilliseconds = 161,
  kFlowDurationMicroseconds = 162,
  kObservedFlowTotalCount = 163,
  kIgnoredPacketTotalCount = 164,
  kIgnoredOctetTotalCount = 165,
  kNotSentFlowTotalCount = 166,
  kNotSentPacketTotalCount = 167,
  kNotSentOctetTotalCount = 168,
  kFlowKeyIndicator = 173,
  kIcmpTypeIpv4 = 176,
  kIcmpCodeIpv4 = 177,
  kIcmpTypeIpv6 = 178,
  kIcmpCodeIpv6 = 179,
  kUdpSourcePort = 180,
  kUdpDestinationPort = 181,
  kTcpSourcePort = 182,
  kTcpDestinationPort = 183,
  kIpDiffServCodePoint = 195,
  kIpPrecedence = 196,
  kFragmentFlags = 197,
  kMplsLabelStackDepth = 202,
  kMplsTopLabelExp = 203,
  kBiflowDirection = 239,
  kDot1qVlanId = 243,
  kDot1qPriority = 244,
  kDot1qCustomerVlanId = 245,
  kDot1qCustomerPriority = 246,
  kIngressPhysicalInterface = 252,
  kEthernetType = 256,
  kObservationDomainName = 300,
  kLayer2SegmentId = 351,
  kLayer2OctetDeltaCount = 352,
  kDot1qDei = 388,
  kDot1qCustomerDei = 389,
};

// RFC 7012 section 3.1.
enum class ElementType : std::uint8_t {
  kUnsigned8,
  kUnsigned16,
  kUnsigned32,
  kUnsigned64,
  kString,
  kIpv4Address,
  kIpv6Address,
  kMacAddress,
  kBoolean,
  kOctetArray,
  kDateTimeSeconds,
  kDateTimeMilliseconds,
  kDateTimeMicroseconds,  // RFC 7011 section 6.1.9: as NTP, seconds since 1900 and a fraction
  kDateTimeNanoseconds,
};

struct InformationElement {
  Element number;
  std::string_view name;  // as IANA spells it
  ElementType type;
  std::uint16_t length;  // octets at full size; 65535: variable (strings)
  bool reversible;       // RFC 5103 section 6.1: may stand in the reverse direction (PEN 29305)
};

// Sorted by number.
std::span<const InformationElement> information_elements();

// The element of this number or this IANA name; nullptr if the meter cannot fill it.
const InformationElement* find_element(std::uint16_t number);
const InformationElement* find_element(std::string_view name);

}  // namespace wiretally
