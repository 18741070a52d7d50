// SPDX-License-Identifier: Apache-2.0
// The name of each layer; see layer_text.hpp. Thread: any.
#include "control/cli/layer_text.hpp"

namespace wiretally {

// long: one line a layer.
std::string_view name_of(LayerKind kind) {
  switch (kind) {
    case LayerKind::kIpv4:
    case LayerKind::kIpv6:
      return "IP";
    case LayerKind::kNotIp:
      return "nothing that holds an IP packet the meter could reach";
    case LayerKind::kTruncated:
      return "the next header is cut off";
    case LayerKind::kTooDeep:
      return "more headers than the parser follows";
    case LayerKind::kEncrypted:
      return "what follows is encrypted";
    case LayerKind::kLinkFragment:
      return "a piece of a frame, which is not put together";
    case LayerKind::kUnreadTunnel:
      return "a version or kind of tunnel that is not opened";
    case LayerKind::kUnknownLinkType:
      return "a link type that is not known";
    case LayerKind::kNullLoopback:
      return "BSD loopback";
    case LayerKind::kLinuxSll:
      return "Linux cooked";
    case LayerKind::kLinuxSll2:
      return "Linux cooked v2";
    case LayerKind::kNflog:
      return "NFLOG";
    case LayerKind::kJuniper:
      return "Juniper";
    case LayerKind::kIpnet:
      return "Solaris ipnet";
    case LayerKind::kArcnet:
      return "ARCNET";
    case LayerKind::kPpi:
      return "PPI";
    case LayerKind::kRadiotap:
      return "radiotap";
    case LayerKind::kPrism:
      return "Prism";
    case LayerKind::kAvs:
      return "AVS";
    case LayerKind::kRawIp:
      return "raw IP";
    case LayerKind::kEthernet:
      return "Ethernet";
    case LayerKind::kVlanTag:
      return "VLAN tag";
    case LayerKind::kServiceInstance:
      return "PBB I-TAG";
    case LayerKind::kMacsec:
      return "MACsec";
    case LayerKind::kVnTag:
      return "VN-Tag";
    case LayerKind::kExtensionTag:
      return "802.1BR E-TAG";
    case LayerKind::kRedundancyTag:
      return "redundancy tag";
    case LayerKind::kCiscoMetadata:
      return "Cisco metadata";
    case LayerKind::kAristaTimestamp:
      return "Arista timestamp";
    case LayerKind::kTrill:
      return "TRILL";
    case LayerKind::kFabricPath:
      return "FabricPath";
    case LayerKind::kBatman:
      return "B.A.T.M.A.N.";
    case LayerKind::kIsl:
      return "Cisco ISL";
    case LayerKind::kLlc:
      return "LLC";
    case LayerKind::kSnap:
    case LayerKind::kSnapFrameRelay:
      return "SNAP";
    case LayerKind::kNlpid:
      return "NLPID";
    case LayerKind::kFddi:
      return "FDDI";
    case LayerKind::kTokenRing:
      return "Token Ring";
    case LayerKind::kWlan:
    case LayerKind::kWlanSwapped:
      return "802.11";
    case LayerKind::kMpls:
      return "MPLS";
    case LayerKind::kPseudowire:
      return "pseudowire";
    case LayerKind::kAssociatedChannel:
      return "associated channel";
    case LayerKind::kPppoe:
      return "PPPoE";
    case LayerKind::kPppHdlc:
      return "HDLC framing";
    case LayerKind::kPpp:
      return "PPP";
    case LayerKind::kCiscoHdlc:
      return "Cisco HDLC";
    case LayerKind::kFrameRelay:
      return "Frame Relay";
    case LayerKind::kNsh:
      return "NSH";
    case LayerKind::kIpProtocol:
      return "extension header";
    case LayerKind::kGre:
      return "GRE";
    case LayerKind::kErspan:
      return "ERSPAN";
    case LayerKind::kAh:
      return "AH";
    case LayerKind::kEtherIp:
      return "EtherIP";
    case LayerKind::kUdp:
      return "UDP";
    case LayerKind::kUdpLite:
      return "UDP-Lite";
    case LayerKind::kVxlan:
      return "VXLAN";
    case LayerKind::kVxlanGpe:
      return "VXLAN-GPE";
    case LayerKind::kGeneve:
      return "GENEVE";
    case LayerKind::kGtp:
      return "GTP-U";
    case LayerKind::kL2tp:
      return "L2TP";
    case LayerKind::kL2tpV3:
      return "L2TPv3";
    case LayerKind::kTeredo:
      return "Teredo";
    case LayerKind::kAyiya:
      return "AYIYA";
    case LayerKind::kLisp:
      return "LISP";
    case LayerKind::kCapwap:
      return "CAPWAP";
    case LayerKind::kTzsp:
      return "TZSP";
  }
  return "";
}

}  // namespace wiretally
