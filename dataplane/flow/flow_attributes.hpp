// SPDX-License-Identifier: Apache-2.0
// What is known of a flow beyond its key and counters, for those who ask for it (`read --fields`,
// `fields` of a collector): link addresses, tags, labels, ranges of TTL and length, the other end
// of a tunnel. A packet's attributes are those of a flow of one packet, so one merge() serves
// packet into count table and count table into flow cache. Kept in a line of their own beside the
// 64-octet count entry, and only when somebody asked: a meter whose outputs name no attribute pays
// nothing. Thread: values.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "dataplane/flow/flow_key.hpp"

namespace wiretally {

using MacAddress = std::array<std::uint8_t, 6>;

// How the other IP header was wrapped, or wraps.
enum class TunnelKind : std::uint8_t {
  kNone,
  kIpInIp,
  kGre,
  kErspan,
  kEtherIp,
  kMpls,
  kVxlan,
  kVxlanGpe,
  kGeneve,
  kGtp,
  kL2tp,
  kTeredo,
  kAyiya,
  kLisp,
  kCapwap,
  kTzsp,
  kOther,  // Ethernet or another link straight over IP
};

// IANA fragmentFlags (IE 197), as the bits stand there.
enum FragmentFlag : std::uint8_t {
  kDontFragment = 0x40,
  kMoreFragments = 0x20,
};

// 802.1Q tag control: priority 3, DEI 1, id 12.
constexpr std::uint16_t tag_id(std::uint16_t control) {
  return control & 0x0fff;
}
constexpr std::uint8_t tag_priority(std::uint16_t control) {
  return static_cast<std::uint8_t>(control >> 13);
}
constexpr bool tag_dei(std::uint16_t control) {
  return (control & 0x1000) != 0;
}

struct alignas(64) FlowAttributes {
  static constexpr std::size_t kLabelsMax = 10;    // IANA has elements for the ten upper ones
  using LabelEntry = std::array<std::uint8_t, 3>;  // RFC 3032: label 20, traffic class 3, bottom 1

  // -- first line: what every packet may change
  std::uint32_t length_min = UINT32_MAX;  // octets of the IP packet; min above max: none was IP
  std::uint32_t length_max = 0;
  std::uint8_t ttl_min = UINT8_MAX;  // of the header that is the key's
  std::uint8_t ttl_max = 0;
  std::uint8_t tos_or = 0;
  std::uint8_t fragment_flags = 0;  // OR of FragmentFlag
  // -- of the flow's first packet, as it came in: the link layers in front of the first IP header
  std::uint32_t flow_label = 0;  // IPv6, of the key's header
  MacAddress destination_mac{};
  MacAddress source_mac{};
  std::uint16_t outer_tag = 0;  // tag control
  std::uint16_t inner_tag = 0;
  std::uint8_t tags = 0;                             // how many there were
  std::uint8_t labels = 0;                           // depth of the MPLS stack
  std::array<LabelEntry, kLabelsMax> label_stack{};  // from the top
  // -- second line: the tunnel, of the first packet
  std::array<std::uint8_t, 16> other_source{};  // IPv4 in the last four octets, as in a FlowKey
  std::array<std::uint8_t, 16> other_destination{};
  std::uint32_t tunnel_id =
      0;  // VNI, TEID, GRE key, ERSPAN session, L2TP tunnel and session, label
  TunnelKind tunnel = TunnelKind::kNone;
  IpVersion other_version = IpVersion::kNone;
  bool has_macs = false;
  // -- of the first packet: the type or length fields of its Ethernet header and tags, outermost
  // first, and the IP header's own idea of what follows (IPv6: maybe an extension header)
  static constexpr std::size_t kLinkTypesMax = 3;
  std::uint8_t link_types = 0;
  std::array<std::uint16_t, kLinkTypesMax> link_type{};
  bool has_next_header = false;
  std::uint8_t next_header = 0;
  std::uint8_t reserved[16] = {};

  [[nodiscard]] bool has_ip() const { return length_min <= length_max; }

  // Adds what came later: ranges widen, flags join, the rest stays the first packet's.
  void merge(const FlowAttributes& later) {
    length_min = std::min(length_min, later.length_min);
    length_max = std::max(length_max, later.length_max);
    ttl_min = std::min(ttl_min, later.ttl_min);
    ttl_max = std::max(ttl_max, later.ttl_max);
    tos_or |= later.tos_or;
    fragment_flags |= later.fragment_flags;
  }

  // The same MAC addresses; null: none are known, which is as if all octets were 0.
  [[nodiscard]] bool same_link(const FlowAttributes* other) const {
    static constexpr std::array<std::uint8_t, 2 * sizeof(MacAddress)> kNone{};
    const void* macs = other == nullptr ? kNone.data() : other->destination_mac.data();
    return std::memcmp(destination_mac.data(), macs, kNone.size()) == 0;
  }
  [[nodiscard]] FlowAttributes link_only() const {
    FlowAttributes link;
    link.destination_mac = destination_mac;
    link.source_mac = source_mac;
    link.has_macs = has_macs;
    return link;
  }

  // What still holds for a row of many flows: no first packet speaks for the others.
  [[nodiscard]] FlowAttributes ranges_only() const {
    FlowAttributes ranges;
    ranges.merge(*this);
    return ranges;
  }
};
static_assert(sizeof(FlowAttributes) == 128, "two cache lines");
static_assert(offsetof(FlowAttributes, other_source) == 64,
              "a later packet touches the first only");
static_assert(offsetof(FlowAttributes, source_mac) ==
                  offsetof(FlowAttributes, destination_mac) + sizeof(MacAddress),
              "the two addresses are compared and hashed as one piece");
static_assert(std::is_trivially_copyable_v<FlowAttributes>);

}  // namespace wiretally
