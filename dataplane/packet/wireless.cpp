// SPDX-License-Identifier: Apache-2.0
// 802.11 data frames and the headers captures put before them (radiotap, PPI, Prism, AVS).
// Thread: worker.
#include <utility>

#include "dataplane/packet/attribute_notes.hpp"
#include "dataplane/packet/limits.hpp"
#include "dataplane/packet/link_headers.hpp"
#include "dataplane/packet/link_layer.hpp"

namespace wiretally {
namespace {

constexpr unsigned kFcsOctets = 4;

// radiotap: where the flags octet stands, behind the words of present bits and the optional clock.
// 0 if there is none.
std::size_t radiotap_flags_offset(const Cursor& cursor, std::size_t header_octets) {
  constexpr std::uint32_t kClock = 1;
  constexpr std::uint32_t kFlags = 2;
  constexpr std::uint32_t kMoreWords = 0x80000000;
  std::size_t offset = offsetof(RadiotapHeader, present);
  const auto* first = cursor.peek<Le32>(offset);
  if (first == nullptr || (first->value() & kFlags) == 0) return 0;
  for (unsigned words = 0; words < kHeaderElementsMax; ++words) {
    const auto* present = cursor.peek<Le32>(offset);
    if (present == nullptr) return 0;
    offset += sizeof *present;
    if ((present->value() & kMoreWords) != 0) continue;
    if ((first->value() & kClock) != 0) offset = (offset + 7) / 8 * 8 + 8;
    return offset < header_octets ? offset : 0;
  }
  return 0;
}

// IEEE 802.11 table 9-30: which address is whose, by the two distribution system bits.
void note_wlan_macs(const Walk& walk, const WlanHeader& header, std::uint8_t flags) {
  switch (flags & 0x03) {
    case 0:
      return note_macs(walk, header.address1, header.address2);
    case 1:  // to the distribution system
      return note_macs(walk, header.address3, header.address2);
    case 2:  // from it
      return note_macs(walk, header.address1, header.address3);
    default:  // across it: the source stands behind this header
      const auto* fourth = walk.cursor.peek<std::array<std::uint8_t, 6>>(sizeof header);
      return note_macs(walk, header.address3, fourth == nullptr ? nullptr : fourth->data());
  }
}

// Octets of an 802.11 data frame's header, by its type and flags.
unsigned wlan_header_octets(std::uint8_t type, std::uint8_t flags) {
  constexpr std::uint8_t kQos = 0x80;
  constexpr std::uint8_t kBothDistribution = 0x03;
  constexpr std::uint8_t kOrder = 0x80;
  unsigned octets = sizeof(WlanHeader);
  if ((flags & kBothDistribution) == kBothDistribution) octets += 6;
  if ((type & kQos) != 0) octets += 2 + ((flags & kOrder) != 0 ? 4 : 0);
  return octets;
}

}  // namespace

Layer read_radiotap(Walk& walk) {
  constexpr std::uint8_t kFcsAtEnd = 0x10;
  constexpr std::uint8_t kHeaderPadded = 0x20;
  const auto* header = walk.cursor.peek<RadiotapHeader>();
  if (header == nullptr) return kTruncated;
  const std::size_t octets = header->octets.value();
  if (octets < sizeof *header) return kNotIp;
  const std::size_t at = radiotap_flags_offset(walk.cursor, octets);
  const std::uint8_t* flags = at == 0 ? nullptr : walk.cursor.peek<std::uint8_t>(at);
  const std::uint8_t value = flags == nullptr ? std::uint8_t{0} : *flags;
  if (!walk.cursor.skip(octets)) return kTruncated;
  if ((value & kFcsAtEnd) != 0) walk.cursor.drop_tail(kFcsOctets);
  walk.wlan_padded = (value & kHeaderPadded) != 0;
  return {LayerKind::kWlan};
}

Layer read_ppi(Walk& walk) {
  constexpr std::uint16_t kWlanCommon = 2;
  constexpr std::uint16_t kWlanCommonOctets = 20;  // any other length is malformed: no flags
  constexpr std::size_t kWlanFlagsOffset = sizeof(PpiField) + 8;
  const auto* header = walk.cursor.peek<PpiHeader>();
  if (header == nullptr) return kTruncated;
  const std::size_t octets = header->octets.value();
  if (octets < sizeof *header) return kNotIp;
  bool fcs_at_end = false;
  std::size_t at = sizeof *header;
  for (unsigned fields = 0; fields < kHeaderElementsMax && at < octets; ++fields) {
    const auto* field = walk.cursor.peek<PpiField>(at);
    if (field == nullptr) break;
    if (field->type.value() == kWlanCommon && field->octets.value() == kWlanCommonOctets) {
      const auto* flags = walk.cursor.peek<Le16>(at + kWlanFlagsOffset);
      fcs_at_end = flags != nullptr && (flags->value() & 1) != 0;
    }
    at += sizeof *field + field->octets.value();
    if (header->aligned()) at = (at + 3) / 4 * 4;
  }
  if (!walk.cursor.skip(octets)) return kTruncated;
  const std::uint32_t type = header->link_type.value();
  if (type == static_cast<std::uint32_t>(LinkType::kPpi) || type > 0xffff) return kNotIp;
  if (fcs_at_end) walk.cursor.drop_tail(kFcsOctets);
  return layer_of_link_type(walk, LinkType{static_cast<std::uint16_t>(type)});
}

// Prism cards wrote host byte order; the header's length is small in the right one.
Layer read_prism(Walk& walk) {
  constexpr std::size_t kLengthOffset = 4;
  constexpr std::uint32_t kOctetsMax = 0xffff;
  const auto* head = walk.cursor.peek<Be32>();
  const auto* length = walk.cursor.peek<Be32>(kLengthOffset);
  if (head == nullptr || length == nullptr) return kTruncated;
  if (head->value() >> 12 == 0x80211) return {LayerKind::kAvs};
  const std::uint32_t big = length->value();
  const std::uint32_t octets = big <= kOctetsMax ? big : load_le32(length->octets);
  return walk.cursor.skip(octets) ? Layer{LayerKind::kWlan} : kTruncated;
}

Layer read_avs(Walk& walk) {
  constexpr std::size_t kLengthOffset = 4;
  const auto* length = walk.cursor.peek<Be32>(kLengthOffset);
  if (length == nullptr || !walk.cursor.skip(length->value())) return kTruncated;
  return {LayerKind::kWlan};
}

Layer read_wlan(Walk& walk, bool swapped) {
  constexpr std::uint8_t kVersionAndType = 0x0f;
  constexpr std::uint8_t kDataFrame = 0x08;
  constexpr std::uint8_t kNoPayload = 0x40;
  constexpr std::uint8_t kQos = 0x80;
  constexpr std::uint8_t kProtected = 0x40;
  constexpr std::uint16_t kFragmentNumber = 0x000f;
  constexpr std::uint8_t kAggregate = 0x80;
  const auto* header = walk.cursor.peek<WlanHeader>();
  const auto* control = walk.cursor.peek<Be16>();
  if (control == nullptr) return kTruncated;
  const std::uint8_t type = control->octets[swapped ? 1 : 0];
  const std::uint8_t flags = control->octets[swapped ? 0 : 1];
  if ((type & kVersionAndType) != kDataFrame || (type & kNoPayload) != 0) return kNotIp;
  if ((flags & kProtected) != 0) return kEncrypted;
  if (header == nullptr) return kTruncated;
  if ((header->sequence.value() & kFragmentNumber) != 0) return kLinkFragment;
  note_wlan_macs(walk, *header, flags);
  unsigned octets = wlan_header_octets(type, flags);
  // Of the radiotap header before this one; a tunnel's 802.11 has none.
  if (std::exchange(walk.wlan_padded, false)) octets = (octets + 3) / 4 * 4;
  const bool qos = (type & kQos) != 0;
  const bool four_addresses = (flags & 0x03) == 0x03;
  const auto* qos_control =
      qos ? walk.cursor.peek<std::uint8_t>(sizeof *header + (four_addresses ? 6 : 0)) : nullptr;
  const bool aggregate = qos_control != nullptr && (*qos_control & kAggregate) != 0;
  if (!walk.cursor.skip(octets)) return kTruncated;
  if (!aggregate) return {LayerKind::kLlc};
  // A-MSDU: the first subframe's packet is the frame's first; its header looks like Ethernet's.
  const auto* subframe = walk.cursor.take<EthernetHeader>();
  if (subframe == nullptr) return kTruncated;
  walk.cursor.limit(subframe->type.value());
  return {LayerKind::kLlc};
}

}  // namespace wiretally
