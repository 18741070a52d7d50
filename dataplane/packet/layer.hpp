// SPDX-License-Identifier: Apache-2.0
// The vocabulary of the walk: which header stands at the cursor. Reading a header consumes it and
// answers with the Layer behind it; the walk (walk.hpp) repeats that until it stands at an IP
// header or at something that holds none. Thread: worker.
#pragma once

#include <cstdint>

#include "dataplane/flow/flow_attributes.hpp"
#include "dataplane/packet/cursor.hpp"
#include "dataplane/packet/numbers.hpp"
#include "dataplane/packet/parse_error.hpp"

namespace wiretally {

enum class LayerKind : std::uint8_t {
  // where a walk ends
  kIpv4,             // an IP header; the version field decides (an IPv4 ethertype may carry IPv6)
  kIpv6,             // an IPv6 header and nothing else
  kNotIp,            // known or unknown, but no IP header follows
  kTruncated,        // the next header is cut off
  kTooDeep,          // a bound of limits.hpp was passed
  kEncrypted,        // what follows is encrypted
  kLinkFragment,     // a piece of a frame follows
  kUnreadTunnel,     // a tunnel header of a version or kind that is not opened
  kUnknownLinkType,  // a capture's link type the meter has no reader for
  // framing of captures
  kNullLoopback,
  kLinuxSll,
  kLinuxSll2,
  kNflog,
  kJuniper,
  kIpnet,
  kArcnet,
  kPpi,
  kRadiotap,
  kPrism,
  kAvs,
  kRawIp,
  // local and wide area links
  kEthernet,
  kVlanTag,
  kServiceInstance,
  kMacsec,
  kVnTag,
  kExtensionTag,
  kRedundancyTag,
  kCiscoMetadata,
  kAristaTimestamp,
  kTrill,
  kFabricPath,
  kBatman,
  kIsl,
  kLlc,
  kSnap,
  kSnapFrameRelay,
  kNlpid,
  kFddi,
  kTokenRing,
  kWlan,
  kWlanSwapped,
  kMpls,
  kPseudowire,
  kAssociatedChannel,
  kPppoe,
  kPppHdlc,
  kPpp,
  kCiscoHdlc,
  kFrameRelay,
  kNsh,
  // carried by IP
  kIpProtocol,  // Layer::number is the protocol
  kGre,
  kErspan,
  kAh,
  kEtherIp,
  kUdp,
  kUdpLite,
  kVxlan,
  kVxlanGpe,
  kGeneve,
  kGtp,
  kL2tp,
  kL2tpV3,
  kTeredo,
  kAyiya,
  kLisp,
  kCapwap,
  kTzsp,
};

struct Layer {
  LayerKind kind = LayerKind::kNotIp;
  std::uint8_t number = 0;  // kIpProtocol only
};

constexpr bool ends_walk(LayerKind kind) {
  return kind <= LayerKind::kUnknownLinkType;
}

inline constexpr Layer kNotIp{LayerKind::kNotIp, 0};
inline constexpr Layer kTruncated{LayerKind::kTruncated, 0};
inline constexpr Layer kTooDeep{LayerKind::kTooDeep, 0};
inline constexpr Layer kEncrypted{LayerKind::kEncrypted, 0};
inline constexpr Layer kLinkFragment{LayerKind::kLinkFragment, 0};
inline constexpr Layer kUnreadTunnel{LayerKind::kUnreadTunnel, 0};

// What wraps the next IP header, as far as the headers since the last one have said.
struct TunnelHop {
  TunnelKind kind = TunnelKind::kNone;
  std::uint32_t id = 0;
};

class WalkObserver;

// Where the walk stands and what it has learnt on the way. One per packet, on the worker's stack.
struct Walk {
  Cursor cursor;
  std::uint32_t frame_octets = 0;  // on the wire
  std::uint16_t vlan = 0;          // id of the first tag before the first IP header
  // What a non-IP frame is counted under: the last ethertype, else the PPP protocol, the LLC
  // destination SAP (below 0x0100) or the ISO protocol identifier.
  std::uint16_t protocol_number = 0;
  std::uint8_t vlan_tags = 0;
  bool below_first_ip = true;  // false inside a tunnel: its tags and types are not the frame's
  bool wlan_padded = false;    // radiotap: the 802.11 header is filled up to four octets
  bool inside_ipv6 = false;    // of the last IP header, for UDP's length 0 (RFC 2675)
  TunnelHop hop{};             // since the last IP header
  TunnelHop first_hop{};       // out of the outermost one
  TunnelHop last_hop{};        // the deepest that was read
  FlowAttributes* attributes = nullptr;  // null: nobody asked for them
  WalkObserver* observer = nullptr;      // null: nobody looks on
};

}  // namespace wiretally
