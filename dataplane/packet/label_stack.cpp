// SPDX-License-Identifier: Apache-2.0
// MPLS label stacks and what may stand behind them, and the Network Service Header. A label stack
// does not say what it carries: the first nibble does (BCP 128), and an Ethernet pseudowire with
// its zero nibble is told from one without control word by which reading is plausible. Thread:
// worker.
#include "dataplane/packet/attribute_notes.hpp"
#include "dataplane/packet/limits.hpp"
#include "dataplane/packet/link_headers.hpp"
#include "dataplane/packet/link_layer.hpp"
#include "dataplane/packet/tunnel_headers.hpp"

namespace wiretally {
namespace {

constexpr std::uint32_t kGenericAssociatedChannel = 13;  // RFC 5586
constexpr std::uint32_t kOamAlert = 14;                  // RFC 3429

// How much the octets at `offset` look like the type or length field of an Ethernet frame: a type
// that is in use is hardly there by chance, while many a 16-bit field is a number below the length.
enum class Likeness : std::uint8_t { kNone, kLength, kType };

Likeness type_likeness(const Cursor& cursor, std::size_t offset) {
  const Be16* field = cursor.peek<Be16>(offset);
  if (field == nullptr) return Likeness::kNone;
  const std::uint16_t value = field->value();
  if (value <= kLengthMax) {
    const bool fits = value != 0 && value <= cursor.on_wire() - offset;
    return fits ? Likeness::kLength : Likeness::kNone;
  }
  switch (Ethertype{value}) {
    case Ethertype::kIpv4:
    case Ethertype::kIpv6:
    case Ethertype::kArp:
    case Ethertype::kVlan:
    case Ethertype::kProviderVlan:
    case Ethertype::kMpls:
    case Ethertype::kPppoeDiscovery:
    case Ethertype::kPppoeSession:
      return Likeness::kType;
    default:  // where IEEE assigns now
      return value >= 0x8800 && value < 0x8a00 ? Likeness::kType : Likeness::kNone;
  }
}

}  // namespace

Layer read_mpls(Walk& walk) {
  std::uint32_t label = 0;
  for (unsigned depth = 0;; ++depth) {
    if (depth == kMplsLabelsMax) return kTooDeep;
    const auto* entry = walk.cursor.take<MplsLabel>();
    if (entry == nullptr) return kTruncated;
    label = entry->label();
    note_label(walk, *entry, depth == 0);
    if (entry->bottom_of_stack()) break;
  }
  if (label == kGenericAssociatedChannel) return {LayerKind::kAssociatedChannel};
  if (label == kOamAlert) return kNotIp;
  const auto* first = walk.cursor.peek<std::uint8_t>();
  if (first == nullptr) return kTruncated;
  switch (*first >> 4) {
    case 4:
      return {LayerKind::kIpv4};
    case 6:
      return {LayerKind::kIpv6};
    case 1:
      return {LayerKind::kAssociatedChannel};
    case 0:
      return {LayerKind::kPseudowire};
    default:
      return kNotIp;
  }
}

Layer read_pseudowire(Walk& walk) {
  constexpr std::size_t kControlWordOctets = 4;
  constexpr std::size_t kTypeOffset = 12;
  const Likeness with_word = type_likeness(walk.cursor, kControlWordOctets + kTypeOffset);
  const Likeness without = type_likeness(walk.cursor, kTypeOffset);
  if (without > with_word) return {LayerKind::kEthernet};
  return walk.cursor.skip(kControlWordOctets) ? Layer{LayerKind::kEthernet} : kTruncated;
}

Layer read_associated_channel(Walk& walk) {
  constexpr std::uint16_t kChannelIpv4 = 0x0021;
  constexpr std::uint16_t kChannelIpv6 = 0x0057;
  const auto* header = walk.cursor.take<AssociatedChannel>();
  if (header == nullptr) return kTruncated;
  switch (header->channel_type.value()) {
    case kChannelIpv4:
      return {LayerKind::kIpv4};
    case kChannelIpv6:
      return {LayerKind::kIpv6};
    default:
      return kNotIp;
  }
}

Layer read_nsh(Walk& walk) {
  const auto* header = walk.cursor.peek<NshHeader>();
  if (header == nullptr) return kTruncated;
  // RFC 8300 section 2.4: metadata type 1 is always six words; otherwise at least the two fixed
  // ones.
  const unsigned octets = header->metadata_type == 1 ? 24 : std::max(header->octets(), 8U);
  if (!walk.cursor.skip(octets)) return kTruncated;
  switch (header->next_protocol) {
    case 1:
      return {LayerKind::kIpv4};
    case 2:
      return {LayerKind::kIpv6};
    case 3:
      return {LayerKind::kEthernet};
    case 4:
      return {LayerKind::kNsh};
    case 5:
      return {LayerKind::kMpls};
    default:
      return kNotIp;
  }
}

}  // namespace wiretally
