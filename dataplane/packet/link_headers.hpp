// SPDX-License-Identifier: Apache-2.0
// Wire layouts below IP, each with the document that draws it. Only fields that are read have names
// of their own. Thread: any.
#pragma once

#include <cstdint>

#include "dataplane/packet/byte_order.hpp"

namespace wiretally {

// IEEE 802.3 clause 3.2; `type` is a length up to 1500.
struct EthernetHeader {
  std::uint8_t destination[6];
  std::uint8_t source[6];
  Be16 type;
};
static_assert(sizeof(EthernetHeader) == 14);

// IEEE 802.1Q clause 9.6: what follows the tag's own ethertype.
struct VlanTag {
  Be16 control;
  Be16 type;
  [[nodiscard]] std::uint16_t id() const { return control.value() & 0x0fff; }
};
static_assert(sizeof(VlanTag) == 4);

// Tags that are skipped: a few octets, then the next ethertype.
template <unsigned kOctets>
struct OpaqueTag {
  std::uint8_t content[kOctets];
  Be16 type;
};
using VnTag = OpaqueTag<4>;          // Cisco VN-Tag (802.1Qbh draft)
using RedundancyTag = OpaqueTag<4>;  // IEEE 802.1CB R-TAG
using HsrTag = OpaqueTag<4>;         // IEC 62439-3
using ExtensionTag = OpaqueTag<6>;   // IEEE 802.1BR E-TAG
using CiscoMetadata = OpaqueTag<6>;  // version, length, option, security group tag
static_assert(sizeof(VnTag) == 6 && sizeof(CiscoMetadata) == 8);

// IEEE 802.1ah: the I-TAG; an Ethernet frame follows.
struct ServiceInstanceTag {
  Be32 control;
};
static_assert(sizeof(ServiceInstanceTag) == 4);

// IEEE 802.1AE clause 9: SecTAG without its optional channel identifier.
struct MacsecTag {
  std::uint8_t control;  // V ES SC SCB E C AN
  std::uint8_t short_length;
  Be32 packet_number;
};
static_assert(sizeof(MacsecTag) == 6);

// Arista's vendor ethertype 0xd28b; a timestamp and the next ethertype follow subtype 1.
struct AristaHeader {
  Be16 subtype;
  Be16 version;
};
static_assert(sizeof(AristaHeader) == 4);

// RFC 6325 section 3: TRILL; `control` holds the options' length in words.
struct TrillHeader {
  Be16 control;
  Be16 egress;
  Be16 ingress;
};
static_assert(sizeof(TrillHeader) == 6);

// B.A.T.M.A.N. advanced, compatibility versions 14 and 15: the octets all packets begin with.
struct BatmanHeader {
  std::uint8_t packet_type;
  std::uint8_t version;
};
static_assert(sizeof(BatmanHeader) == 2);

// Cisco Inter-Switch Link; an Ethernet frame with its FCS follows.
struct IslHeader {
  std::uint8_t destination[5];
  std::uint8_t type_and_user;
  std::uint8_t source[6];
  Be16 length;
  std::uint8_t snap[3];
  std::uint8_t high_source[3];
  Be16 vlan;
  Be16 index;
  Be16 reserved;
};
static_assert(sizeof(IslHeader) == 26);

// IEEE 802.2 clause 3.2. Information and supervisory frames have a second control octet.
struct LlcHeader {
  std::uint8_t destination_sap;
  std::uint8_t source_sap;
  std::uint8_t control;
};
static_assert(sizeof(LlcHeader) == 3);

// IEEE 802 clause 9.5.
struct SnapHeader {
  std::uint8_t organization[3];
  Be16 protocol;
  [[nodiscard]] std::uint32_t organization_id() const {
    return std::uint32_t{organization[0]} << 16 | organization[1] << 8 | organization[2];
  }
};
static_assert(sizeof(SnapHeader) == 5);

// RFC 3032 section 2.1.
struct MplsLabel {
  Be32 entry;
  [[nodiscard]] std::uint32_t label() const { return entry.value() >> 12; }
  [[nodiscard]] bool bottom_of_stack() const { return (entry.value() & 0x100) != 0; }
};
static_assert(sizeof(MplsLabel) == 4);

// RFC 4385 section 5, RFC 5586 section 2: the associated channel's header.
struct AssociatedChannel {
  std::uint8_t nibble_and_version;
  std::uint8_t reserved;
  Be16 channel_type;
};
static_assert(sizeof(AssociatedChannel) == 4);

// RFC 2516 section 4.
struct PppoeHeader {
  std::uint8_t version_and_type;
  std::uint8_t code;
  Be16 session;
  Be16 payload_octets;
};
static_assert(sizeof(PppoeHeader) == 6);

// RFC 3518 section 4.1: bridged frame in PPP.
struct BridgingHeader {
  std::uint8_t flags;  // F I Z B, pad count
  std::uint8_t mac_type;
};
static_assert(sizeof(BridgingHeader) == 2);

// RFC 1990 section 3, long sequence numbers.
struct MultilinkHeader {
  std::uint8_t flags;  // B E
  std::uint8_t sequence[3];
};
static_assert(sizeof(MultilinkHeader) == 4);

// Cisco HDLC (documented in RFC 1547 section 4.3.1).
struct CiscoHdlcHeader {
  std::uint8_t address;
  std::uint8_t control;
  Be16 protocol;
};
static_assert(sizeof(CiscoHdlcHeader) == 4);

// tcpdump.org LINKTYPE_LINUX_SLL.
struct LinuxSllHeader {
  Be16 packet_type;
  Be16 hardware_type;
  Be16 address_octets;
  std::uint8_t address[8];
  Be16 protocol;
};
static_assert(sizeof(LinuxSllHeader) == 16);

// tcpdump.org LINKTYPE_LINUX_SLL2.
struct LinuxSll2Header {
  Be16 protocol;
  Be16 reserved;
  Be32 interface_index;
  Be16 hardware_type;
  std::uint8_t packet_type;
  std::uint8_t address_octets;
  std::uint8_t address[8];
};
static_assert(sizeof(LinuxSll2Header) == 20);

// tcpdump.org LINKTYPE_NFLOG: header, then attributes in the byte order of the capturing machine.
struct NflogHeader {
  std::uint8_t family;
  std::uint8_t version;
  Be16 resource;
};
static_assert(sizeof(NflogHeader) == 4);

// tcpdump.org LINKTYPE_JUNIPER_ETHER: magic "MGC", then flags.
struct JuniperHeader {
  std::uint8_t magic[3];
  std::uint8_t flags;
  static constexpr std::uint8_t kExtensions = 0x80;
  static constexpr std::uint8_t kNoLinkLayer = 0x02;
};
static_assert(sizeof(JuniperHeader) == 4);

// tcpdump.org LINKTYPE_IPNET (Solaris).
struct IpnetHeader {
  std::uint8_t version;
  std::uint8_t family;
  Be16 hook;
  Be32 packet_octets;
  Be32 interfaces[2];
  Be32 zones[2];
};
static_assert(sizeof(IpnetHeader) == 24);

// ANSI X3.139 (FDDI): frame control and addresses; LLC follows in asynchronous LLC frames.
struct FddiHeader {
  std::uint8_t frame_control;
  std::uint8_t destination[6];
  std::uint8_t source[6];
};
static_assert(sizeof(FddiHeader) == 13);

// IEEE 802.5: access and frame control, addresses; the source's top bit announces routing octets.
struct TokenRingHeader {
  std::uint8_t access_control;
  std::uint8_t frame_control;
  std::uint8_t destination[6];
  std::uint8_t source[6];
};
static_assert(sizeof(TokenRingHeader) == 14);

// IEEE 802.11 clause 9.3.2: what every data frame begins with.
struct WlanHeader {
  std::uint8_t type;   // version, type, subtype
  std::uint8_t flags;  // to DS, from DS, more fragments, ..., protected, order
  Le16 duration;
  std::uint8_t address1[6];
  std::uint8_t address2[6];
  std::uint8_t address3[6];
  Le16 sequence;
};
static_assert(sizeof(WlanHeader) == 24);

// radiotap.org: version, length of the whole header, first word of present fields.
struct RadiotapHeader {
  std::uint8_t version;
  std::uint8_t pad;
  Le16 octets;
  Le32 present;
};
static_assert(sizeof(RadiotapHeader) == 8);

// CACE PPI 1.0.7: header length and the link type that follows it.
struct PpiHeader {
  std::uint8_t version;
  std::uint8_t flags;
  Le16 octets;
  Le32 link_type;
  // Fields begin at multiples of four octets.
  [[nodiscard]] bool aligned() const { return (flags & 1) != 0; }
};
static_assert(sizeof(PpiHeader) == 8);

// PPI field header; the 802.11 common field (type 2) tells whether an FCS ends the frame.
struct PpiField {
  Le16 type;
  Le16 octets;
};
static_assert(sizeof(PpiField) == 4);

}  // namespace wiretally
