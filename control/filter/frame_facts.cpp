// SPDX-License-Identifier: Apache-2.0
// The layout of frames, from the outside in, as far as a path has found it out. Thread: any.
#include "control/filter/frame_facts.hpp"

#include <optional>

#include "dataplane/packet/numbers.hpp"

namespace wiretally {
namespace {

constexpr OctetFact kKnown{OctetKind::kKnown, 0, ""};
constexpr OctetFact unknown(const char* what, std::uint8_t bits = 0xff) {
  return {OctetKind::kUnknown, bits, what};
}
constexpr unsigned kTypeAt = 12;
constexpr std::uint32_t kRarp = 0x8035;
constexpr unsigned kTagsMax = 2;  // as many as FlowAttributes keep
constexpr unsigned kLabelsMax = 10;

std::optional<std::uint32_t> value_at(const PathFacts& path, unsigned at, unsigned size,
                                      std::uint32_t mask = 0xffffffff) {
  const auto found = path.equal.find({at, size, mask, false});
  if (found == path.equal.end()) return std::nullopt;
  return found->second;
}

OctetFact fact_of_transport(std::optional<std::uint32_t> protocol, unsigned at) {
  if (!protocol) return unknown("an octet behind the IP header, whatever the protocol");
  if (has_ports(static_cast<IpProtocol>(*protocol)) && at < 4)
    return {OctetKind::kTransport, 0, ""};
  const bool icmp = static_cast<IpProtocol>(*protocol) == IpProtocol::kIcmp ||
                    static_cast<IpProtocol>(*protocol) == IpProtocol::kIcmpv6;
  if (icmp && at < 2) return {OctetKind::kTransport, 0, ""};
  if (icmp) return unknown("what an ICMP message says beyond type and code");
  if (static_cast<IpProtocol>(*protocol) == IpProtocol::kTcp) {
    if (at == 13) return unknown("TCP flags of single packets");
    if (at < 20) return unknown("TCP sequence numbers, window and such");
    return unknown("TCP options or payload");
  }
  if (static_cast<IpProtocol>(*protocol) == IpProtocol::kUdp && at < 8) {
    return unknown("the UDP length or checksum");
  }
  return unknown("payload");
}

OctetFact fact_of_ipv4(unsigned at) {
  static constexpr const char* kNames[] = {"the IPv4 header length",
                                           "the type of service",
                                           "the IP length",  // 2, 3
                                           "the IP length",
                                           "the IP identification",
                                           "the IP identification",
                                           "the IP fragment field",
                                           "the IP fragment field",
                                           "the TTL",
                                           "",
                                           "the IP header checksum",
                                           "the IP header checksum"};
  if (at == 0) return unknown(kNames[0], 0x0f);
  if (at == 6 || at == 7) return {OctetKind::kFragment, 0xff, kNames[at]};
  if (at == 9 || (at >= 12 && at < 20)) return kKnown;
  if (at < 12) return unknown(kNames[at]);
  return unknown("IP options");
}

OctetFact fact_of_ipv6(const PathFacts& path, unsigned header, unsigned at) {
  if (at == 0) return unknown("the traffic class or flow label", 0x0f);
  if (at < 4) return unknown("the traffic class or flow label");
  if (at < 6) return unknown("the IP length");
  if (at == 6) return kKnown;
  if (at == 7) return unknown("the hop limit");
  if (at < 40) return kKnown;
  const auto next = value_at(path, header + 6, 1);
  if (next && static_cast<IpProtocol>(*next) == IpProtocol::kFragment) {
    if (at == 40) return kKnown;
    if (at < 48) return unknown("the fragment header");
    return fact_of_transport(value_at(path, header + 40, 1), at - 48);
  }
  if (next && (static_cast<IpProtocol>(*next) == IpProtocol::kHopByHop ||
               static_cast<IpProtocol>(*next) == IpProtocol::kRouting ||
               static_cast<IpProtocol>(*next) == IpProtocol::kDestinationOptions)) {
    return unknown("IPv6 extension headers");
  }
  return fact_of_transport(next, at - 40);
}

OctetFact fact_of_ip(const PathFacts& path, unsigned header, unsigned at) {
  if (at == 0) return unknown("the IP header length or traffic class", 0x0f);
  const auto nibble = value_at(path, header, 1, 0xf0);
  if (nibble && *nibble == 0x40) return fact_of_ipv4(at);
  if (nibble && *nibble == 0x60) return fact_of_ipv6(path, header, at);
  return unknown("what an IP header of either version says there");
}

// Entries of four octets up to one with the bottom bit, then IP.
OctetFact fact_of_mpls(const PathFacts& path, unsigned start, unsigned at) {
  for (unsigned label = 0; label < kLabelsMax; ++label) {
    const unsigned entry = start + 4 * label;
    if (at < entry + 4) {
      if (at == entry + 2) return unknown("MPLS labels", 0xfe);  // but for the bottom bit
      return unknown("MPLS labels and TTL");
    }
    const auto bottom = value_at(path, entry + 2, 1, 0x01);
    if (!bottom) return unknown("what is behind an MPLS label");
    if (*bottom == 1) return fact_of_ip(path, entry + 4, at - entry - 4);
  }
  return unknown("more MPLS labels than are kept");
}

OctetFact fact_of_pppoe(const PathFacts& path, unsigned start, unsigned at) {
  const unsigned offset = at - start;
  if (offset < 6) return unknown("the PPPoE session or length");
  if (offset < 8) return kKnown;
  const auto protocol = value_at(path, start + 6, 2);
  if (protocol && *protocol == 0x0021) return fact_of_ipv4(offset - 8);
  if (protocol && *protocol == 0x0057) return fact_of_ipv6(path, start + 8, offset - 8);
  return unknown("payload of PPP");
}

OctetFact fact_of_arp(unsigned at) {
  const bool address = (at >= 14 && at < 18) || (at >= 24 && at < 28);
  if (address) return {OctetKind::kArpAddress, 0, "addresses in ARP"};
  return unknown("what is inside ARP");
}

}  // namespace

OctetFact fact_of_octet(const PathFacts& path, unsigned at) {
  if (at < kTypeAt) return unknown("MAC addresses");
  unsigned type_at = kTypeAt;
  for (unsigned tags = 0;; ++tags) {
    const unsigned start = type_at + 2;
    if (at < start) return kKnown;
    const auto length = path.is_length.find(type_at);
    if (length != path.is_length.end() && length->second) {
      return at == start ? kKnown : unknown("what is inside an 802.3 frame");
    }
    const auto type = value_at(path, type_at, 2);
    if (!type) return unknown("an octet of the payload, whatever the type of the frame");
    if (is_tag(static_cast<Ethertype>(*type)) && tags < kTagsMax) {
      if (at == start) return unknown("the priority in a VLAN tag", 0xf0);
      if (at == start + 1) return kKnown;
      type_at += 4;
      continue;
    }
    if (*type == kRarp) return fact_of_arp(at - start);
    switch (static_cast<Ethertype>(*type)) {
      case Ethertype::kIpv4:
        return fact_of_ipv4(at - start);
      case Ethertype::kIpv6:
        return fact_of_ipv6(path, start, at - start);
      case Ethertype::kArp:
        return fact_of_arp(at - start);
      case Ethertype::kMpls:
      case Ethertype::kMplsUpstream:
        return fact_of_mpls(path, start, at);
      case Ethertype::kPppoeSession:
        return fact_of_pppoe(path, start, at);
      default:
        return unknown("payload");
    }
  }
}

OctetFact fact_behind_ipv4(const PathFacts& path, unsigned header, unsigned at) {
  const OctetFact length = fact_of_octet(path, header + 9);  // is there an IPv4 header at all?
  if (length.kind != OctetKind::kKnown) return unknown("payload");
  return fact_of_transport(value_at(path, header + 9, 1), at);
}

}  // namespace wiretally
