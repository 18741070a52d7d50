// SPDX-License-Identifier: Apache-2.0
// Wire layouts of tunnels, each with the document that draws it. Thread: any.
#pragma once

#include <cstdint>

#include "dataplane/packet/byte_order.hpp"

namespace wiretally {

// RFC 2784 section 2, RFC 2890 section 2, RFC 1701, RFC 2637 section 4.1 (version 1).
struct GreHeader {
  Be16 flags;
  Be16 protocol;

  static constexpr std::uint16_t kChecksum = 0x8000;
  static constexpr std::uint16_t kRouting = 0x4000;
  static constexpr std::uint16_t kKey = 0x2000;
  static constexpr std::uint16_t kSequence = 0x1000;
  static constexpr std::uint16_t kAcknowledgment = 0x0080;  // version 1
  static constexpr std::uint16_t kVersion = 0x0007;
};
static_assert(sizeof(GreHeader) == 4);

// RFC 1701: one source route entry; family 0 with length 0 ends the list.
struct GreRouteEntry {
  Be16 address_family;
  std::uint8_t offset;
  std::uint8_t octets;
};
static_assert(sizeof(GreRouteEntry) == 4);

// draft-foschiano-erspan section 4.2 (type II) and the head of type III.
struct ErspanHeader {
  Be16 version_and_vlan;
  Be16 session;
  Be32 index;  // type III: timestamp
  [[nodiscard]] unsigned version() const { return version_and_vlan.value() >> 12; }
  [[nodiscard]] unsigned session_id() const { return session.value() & 0x03ffU; }
};
static_assert(sizeof(ErspanHeader) == 8);

// draft-foschiano-erspan section 4.3: the rest of type III.
struct Erspan3Tail {
  Be16 security_group;
  Be16 control;  // P, frame type, hardware, direction, granularity, O
  [[nodiscard]] unsigned frame_type() const { return control.value() >> 10 & 0x1f; }
  [[nodiscard]] bool platform_subheader() const { return (control.value() & 1) != 0; }
};
static_assert(sizeof(Erspan3Tail) == 4);

// RFC 4302 section 2, up to the security parameters index.
struct AuthenticationHeader {
  std::uint8_t next_header;
  std::uint8_t payload_words;  // length in 4-octet words, minus 2
  Be16 reserved;
  Be32 parameters_index;
  [[nodiscard]] unsigned octets() const { return (payload_words + 2U) * 4; }
};
static_assert(sizeof(AuthenticationHeader) == 8);

// RFC 3378 section 3.
struct EtherIpHeader {
  Be16 version_and_reserved;
};
static_assert(sizeof(EtherIpHeader) == 2);

// RFC 7348 section 5; draft-ietf-nvo3-vxlan-gpe section 3 gives the third octet's place to a type.
struct VxlanHeader {
  std::uint8_t flags;
  std::uint8_t reserved[2];
  std::uint8_t next_protocol;  // GPE only
  Be32 network_and_reserved;
  [[nodiscard]] std::uint32_t network() const { return network_and_reserved.value() >> 8; }
};
static_assert(sizeof(VxlanHeader) == 8);

// RFC 8926 section 3.4.
struct GeneveHeader {
  std::uint8_t version_and_option_words;
  std::uint8_t flags;
  Be16 protocol;
  Be32 network_and_reserved;
  [[nodiscard]] unsigned option_octets() const { return (version_and_option_words & 0x3fU) * 4; }
  [[nodiscard]] std::uint32_t network() const { return network_and_reserved.value() >> 8; }
};
static_assert(sizeof(GeneveHeader) == 8);

// 3GPP TS 29.281 section 5.1.
struct GtpHeader {
  std::uint8_t flags;
  std::uint8_t message_type;
  Be16 octets;  // behind this header's first eight octets
  Be32 tunnel;

  static constexpr std::uint8_t kProtocolGtp = 0x10;  // 0 is GTP' (charging)
  static constexpr std::uint8_t kExtension = 0x04;
  static constexpr std::uint8_t kOptionalFields = 0x07;  // E, S, PN
  static constexpr std::uint8_t kTransportPdu = 255;
  [[nodiscard]] unsigned version() const { return flags >> 5; }
};
static_assert(sizeof(GtpHeader) == 8);

// 3GPP TS 29.281 section 5.1: present as a whole if any of E, S, PN is set.
struct GtpOptionalFields {
  Be16 sequence;
  std::uint8_t n_pdu;
  std::uint8_t next_extension;
};
static_assert(sizeof(GtpOptionalFields) == 4);

// RFC 2661 section 3.1: flags and version; the optional fields follow by flag.
struct L2tpFlags {
  Be16 bits;
  static constexpr std::uint16_t kControl = 0x8000;
  static constexpr std::uint16_t kLength = 0x4000;
  static constexpr std::uint16_t kSequence = 0x0800;
  static constexpr std::uint16_t kOffset = 0x0200;
  [[nodiscard]] bool has(std::uint16_t flag) const { return (bits.value() & flag) != 0; }
  [[nodiscard]] unsigned version() const { return bits.value() & 0x000fU; }
};
static_assert(sizeof(L2tpFlags) == 2);

// RFC 4380 section 5.1.1: indicator 1 authentication, 0 origin.
struct TeredoAuthentication {
  Be16 indicator;
  std::uint8_t client_octets;
  std::uint8_t value_octets;
};
static_assert(sizeof(TeredoAuthentication) == 4);
inline constexpr unsigned kTeredoOriginOctets = 8;
inline constexpr unsigned kTeredoNonceOctets = 9;  // nonce and confirmation

// RFC 8300 section 2.2.
struct NshHeader {
  Be16 version_ttl_words;
  std::uint8_t metadata_type;
  std::uint8_t next_protocol;
  Be32 path;
  [[nodiscard]] unsigned octets() const { return (version_ttl_words.value() & 0x3fU) * 4; }
};
static_assert(sizeof(NshHeader) == 8);

// draft-massar-v6ops-ayiya section 3.1.
struct AyiyaHeader {
  std::uint8_t identity;   // length (power of two) and type
  std::uint8_t signature;  // length in words and method
  std::uint8_t authentication_and_operation;
  std::uint8_t next_header;
  Be32 epoch;
  [[nodiscard]] unsigned octets() const {
    return 8U + (1U << (identity >> 4)) + (signature >> 4) * 4U;
  }
  [[nodiscard]] bool forward() const { return (authentication_and_operation & 0x0f) == 1; }
};
static_assert(sizeof(AyiyaHeader) == 8);

// RFC 6830 section 5.3.
struct LispHeader {
  std::uint8_t flags;
  std::uint8_t nonce[3];
  Be32 instance_or_locator;
  // The I bit: an instance id of 24 bits.
  [[nodiscard]] std::uint32_t instance() const {
    return (flags & 0x08) != 0 ? instance_or_locator.value() >> 8 : 0;
  }
};
static_assert(sizeof(LispHeader) == 8);

// RFC 5415 section 4.3, with the preamble of section 4.2.
struct CapwapHeader {
  std::uint8_t version_and_type;
  std::uint8_t lengths[3];  // HLEN 5, RID 5, WBID 5, T F L W M K, flags 3
  Be16 fragment;
  Be16 fragment_offset;
  [[nodiscard]] unsigned octets() const { return (lengths[0] >> 3) * 4U; }
  [[nodiscard]] unsigned binding() const { return (lengths[1] >> 1) & 0x1fU; }
  [[nodiscard]] bool native_frame() const { return (lengths[1] & 1) != 0; }
  [[nodiscard]] bool fragmented() const { return (lengths[2] & 0x80) != 0; }
  [[nodiscard]] bool keep_alive() const { return (lengths[2] & 0x08) != 0; }
};
static_assert(sizeof(CapwapHeader) == 8);

// TaZmen Sniffer Protocol: tags follow, ended by tag 1.
struct TzspHeader {
  std::uint8_t version;
  std::uint8_t type;
  Be16 encapsulation;
};
static_assert(sizeof(TzspHeader) == 4);

}  // namespace wiretally
