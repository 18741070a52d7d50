// SPDX-License-Identifier: Apache-2.0
// The protocol numbers the parser knows, one type a registry, so that an ethertype is never taken
// for an IP protocol. Values outside the named ones arrive from the wire and are just not followed.
// Thread: any.
#pragma once

#include <cstdint>

namespace wiretally {

// IEEE 802 numbers; values below 0x0600 are lengths, not types.
enum class Ethertype : std::uint16_t {
  kIpv4 = 0x0800,
  kArp = 0x0806,
  kTrill = 0x22f3,
  kBatman = 0x4305,
  kTransparentEthernet = 0x6558,
  kRawFrameRelay = 0x6559,
  kVlan = 0x8100,
  kMikrotikEoip = 0x6400,
  kIpv6 = 0x86dd,
  kPpp = 0x880b,
  kMpls = 0x8847,
  kMplsUpstream = 0x8848,
  kPppoeDiscovery = 0x8863,
  kPppoeSession = 0x8864,
  kJumboLlc = 0x8870,
  kProviderVlan = 0x88a8,
  kErspan = 0x88be,
  kErspan3 = 0x22eb,
  kMacsec = 0x88e5,
  kBackboneService = 0x88e7,
  kFabricPath = 0x8903,
  kCiscoMetadata = 0x8909,
  kVnTag = 0x8926,
  kHsr = 0x892f,
  kExtensionTag = 0x893f,
  kNsh = 0x894f,
  kOldQinq = 0x9100,
  kWccp = 0x883e,
  kAristaTimestamp = 0xd28b,
  kRedundancyTag = 0xf1c1,
};
// A VLAN tag: two octets of priority and id, then the next type.
constexpr bool is_tag(Ethertype type) {
  return type == Ethertype::kVlan || type == Ethertype::kProviderVlan ||
         type == Ethertype::kOldQinq;
}

inline constexpr std::uint16_t kLengthMax = 1500;       // an 802.3 length field
inline constexpr std::uint16_t kEthertypeMin = 0x0600;  // an Ethernet II type field

// IANA protocol numbers (IPv4 protocol, IPv6 Next Header).
enum class IpProtocol : std::uint8_t {
  kHopByHop = 0,
  kIcmp = 1,
  kIpv4 = 4,
  kTcp = 6,
  kUdp = 17,
  kDccp = 33,
  kIpv6 = 41,
  kRouting = 43,
  kFragment = 44,
  kGre = 47,
  kEsp = 50,
  kAh = 51,
  kIcmpv6 = 58,
  kNoNextHeader = 59,
  kDestinationOptions = 60,
  kEtherIp = 97,
  kL2tpV3 = 115,
  kSctp = 132,
  kUdpLite = 136,
  kMplsInIp = 137,
  kEthernet = 143,
};

// Source and destination port are the first four octets behind the IP header.
constexpr bool has_ports(IpProtocol protocol) {
  switch (protocol) {
    case IpProtocol::kTcp:
    case IpProtocol::kUdp:
    case IpProtocol::kUdpLite:
    case IpProtocol::kSctp:
    case IpProtocol::kDccp:
      return true;
    default:
      return false;
  }
}

// IANA service names: the UDP ports that announce a tunnel.
enum class UdpPort : std::uint16_t {
  kL2tp = 1701,
  kGtpControl = 2123,
  kGtpUser = 2152,
  kTeredo = 3544,
  kLispData = 4341,
  kGre = 4754,
  kVxlan = 4789,
  kVxlanGpe = 4790,
  kAyiya = 5072,
  kCapwapData = 5247,
  kGeneve = 6081,
  kMpls = 6635,
  kTzsp = 37008,
};

// IANA PPP numbers.
enum class PppProtocol : std::uint16_t {
  kIpv4 = 0x0021,
  kBridging = 0x0031,
  kMultilink = 0x003d,
  kIpv6 = 0x0057,
  kLlc = 0x00cf,
  kMpls = 0x0281,
  kMplsUpstream = 0x0283,
};

// ISO/IEC TR 9577 network layer protocol identifiers.
enum class Nlpid : std::uint8_t { kSnap = 0x80, kIpv6 = 0x8e, kIpv4 = 0xcc, kPpp = 0xcf };

}  // namespace wiretally
