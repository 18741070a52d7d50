// SPDX-License-Identifier: Apache-2.0
// The Flow Key (RFC 7011 section 2): 40 octets without holes, so that one byte compare decides
// identity for IPv4, IPv6 and non-IP alike. Numbers are in host byte order, addresses in network
// order. An IPv4 address stands in the last four octets of its field, the rest is zero. A non-IP
// frame has its ethertype (or LLC/link protocol number) in dport and zero addresses. Thread: any
// (plain value).
#pragma once

#include <emmintrin.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "dataplane/packet/packet_view.hpp"

namespace wiretally {

enum class IpVersion : std::uint8_t { kNone = 0, kV4 = 1, kV6 = 2 };
inline constexpr std::size_t kIpVersions = 3;

// How much of the key an overloaded table kept (design: "coarsened, never refused").
enum class CoarseLevel : std::uint8_t {
  kExact = 0,
  kNoPorts = 1,          // addresses and protocol
  kDestinationHost = 2,  // destination address only
  kSourceHost = 3,       // source address only
  kProtocol = 4,         // ingress port, IP version and protocol only
};
inline constexpr std::size_t kCoarseLevels = 5;

struct FlowKey {
  std::array<std::uint8_t, 16> source{};
  std::array<std::uint8_t, 16> destination{};
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;  // ICMP: type * 256 + code; non-IP: ethertype
  std::uint8_t protocol = 0;
  PortIndex port{};
  std::uint16_t vlan_and_kind = 0;  // low 12 bits: outer VLAN id, 0 if untagged; high 4: kind

  [[nodiscard]] std::uint16_t vlan() const { return vlan_and_kind & 0x0fff; }
  [[nodiscard]] IpVersion ip_version() const {
    return static_cast<IpVersion>((vlan_and_kind >> 12) % kIpVersions);
  }
  [[nodiscard]] CoarseLevel level() const {
    return static_cast<CoarseLevel>((vlan_and_kind >> 12) / kIpVersions);
  }
  void set_kind(IpVersion version, CoarseLevel level) {
    const auto kind = static_cast<unsigned>(version) + kIpVersions * static_cast<unsigned>(level);
    vlan_and_kind = static_cast<std::uint16_t>((vlan_and_kind & 0x0fff) | kind << 12);
  }
  void set_vlan(std::uint16_t id) {
    vlan_and_kind = static_cast<std::uint16_t>((vlan_and_kind & 0xf000) | (id & 0x0fff));
  }

  // Two 16-octet compares and one of eight, without a branch between them: memcmp of 40 octets is a
  // call in g++ 12 and costs a packet about 2 ns.
  friend bool operator==(const FlowKey& a, const FlowKey& b) {
    const auto* p = reinterpret_cast<const __m128i*>(&a);
    const auto* q = reinterpret_cast<const __m128i*>(&b);
    const __m128i same =
        _mm_and_si128(_mm_cmpeq_epi8(_mm_loadu_si128(p), _mm_loadu_si128(q)),
                      _mm_cmpeq_epi8(_mm_loadu_si128(p + 1), _mm_loadu_si128(q + 1)));
    std::uint64_t rest_a;
    std::uint64_t rest_b;
    std::memcpy(&rest_a, reinterpret_cast<const char*>(&a) + 32, sizeof rest_a);
    std::memcpy(&rest_b, reinterpret_cast<const char*>(&b) + 32, sizeof rest_b);
    return (_mm_movemask_epi8(same) == 0xffff) & (rest_a == rest_b);
  }
};
static_assert(sizeof(FlowKey) == 40, "key and counters share one 64-octet line");
static_assert(std::is_trivially_copyable_v<FlowKey>);
static_assert(std::has_unique_object_representations_v<FlowKey>, "no padding: compared by octets");
static_assert(kIpVersions * kCoarseLevels <= 16, "kind fits four bits");

}  // namespace wiretally
