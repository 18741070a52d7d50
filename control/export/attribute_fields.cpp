// SPDX-License-Identifier: Apache-2.0
// See attribute_fields.hpp. Thread: any.
#include "control/export/attribute_fields.hpp"

#include <cstring>

#include "control/export/message_writer.hpp"

namespace wiretally {
namespace {

using A = FlowAttributes;
using Out = std::uint8_t*;

// RFC 7011 section 6.1.5.
constexpr std::uint8_t kFalseOrTrue[] = {2, 1};

// IANA's registry of IE 351: the encapsulation in the first octet, then a 24-bit identifier.
std::uint64_t segment_id(const A& a) {
  constexpr std::uint64_t kVxlan = 0x01;
  const bool vxlan = a.tunnel == TunnelKind::kVxlan || a.tunnel == TunnelKind::kVxlanGpe;
  return vxlan ? kVxlan << 56 | a.tunnel_id : 0;
}

template <std::size_t kDepth>
void store_label(const FlowRecord&, const A& a, Out out) {
  std::memcpy(out, a.label_stack[kDepth].data(), a.label_stack[kDepth].size());
}

// The labels' elements are numbered in a row from the top of the stack.
AttributeStore label_store(Element element) {
  constexpr AttributeStore kStores[FlowAttributes::kLabelsMax] = {
      store_label<0>, store_label<1>, store_label<2>, store_label<3>, store_label<4>,
      store_label<5>, store_label<6>, store_label<7>, store_label<8>, store_label<9>};
  const auto depth = static_cast<std::size_t>(element) -
                     static_cast<std::size_t>(Element::kMplsTopLabelStackSection);
  return depth < FlowAttributes::kLabelsMax ? kStores[depth] : nullptr;
}

// One end of the other header if it is of `version`, else of the key if that is, else zero.
template <std::size_t kOctets>
void store_address(IpVersion version, const FlowRecord& record, const A& a,
                   const std::array<std::uint8_t, 16>& other,
                   const std::array<std::uint8_t, 16>& own, Out out) {
  constexpr std::array<std::uint8_t, 16> kNone{};
  const bool has_other = a.other_version == version;
  const bool has_own = record.key.ip_version() == version;
  const auto& address = has_other ? other : has_own ? own : kNone;
  std::memcpy(out, address.data() + address.size() - kOctets, kOctets);
}

AttributeStore other_end_store(Element element) {
  switch (element) {
    case Element::kSourceIpv4Address:
      return [](const FlowRecord& r, const A& a, Out out) {
        store_address<4>(IpVersion::kV4, r, a, a.other_source, r.key.source, out);
      };
    case Element::kDestinationIpv4Address:
      return [](const FlowRecord& r, const A& a, Out out) {
        store_address<4>(IpVersion::kV4, r, a, a.other_destination, r.key.destination, out);
      };
    case Element::kSourceIpv6Address:
      return [](const FlowRecord& r, const A& a, Out out) {
        store_address<16>(IpVersion::kV6, r, a, a.other_source, r.key.source, out);
      };
    case Element::kDestinationIpv6Address:
      return [](const FlowRecord& r, const A& a, Out out) {
        store_address<16>(IpVersion::kV6, r, a, a.other_destination, r.key.destination, out);
      };
    default:
      return nullptr;
  }
}

}  // namespace

// long: one line an element.
AttributeStore attribute_store(Element element, bool other_end) {
  if (other_end) return other_end_store(element);
  switch (element) {
    case Element::kMinimumIpTotalLength:
      return [](const FlowRecord&, const A& a, Out out) {
        store_be64(out, a.has_ip() ? a.length_min : 0);
      };
    case Element::kMaximumIpTotalLength:
      return [](const FlowRecord&, const A& a, Out out) { store_be64(out, a.length_max); };
    case Element::kMinimumTtl:
      return [](const FlowRecord&, const A& a, Out out) { *out = a.has_ip() ? a.ttl_min : 0; };
    case Element::kMaximumTtl:
      return [](const FlowRecord&, const A& a, Out out) { *out = a.ttl_max; };
    case Element::kFlowLabelIpv6:
      return [](const FlowRecord&, const A& a, Out out) { store_be32(out, a.flow_label); };
    case Element::kFragmentFlags:
      return [](const FlowRecord&, const A& a, Out out) { *out = a.fragment_flags; };
    case Element::kSourceMacAddress:
      return
          [](const FlowRecord&, const A& a, Out out) { std::memcpy(out, a.source_mac.data(), 6); };
    case Element::kDestinationMacAddress:
      return [](const FlowRecord&, const A& a, Out out) {
        std::memcpy(out, a.destination_mac.data(), 6);
      };
    case Element::kDot1qVlanId:
      return [](const FlowRecord&, const A& a, Out out) { store_be16(out, tag_id(a.outer_tag)); };
    case Element::kDot1qPriority:
      return [](const FlowRecord&, const A& a, Out out) { *out = tag_priority(a.outer_tag); };
    case Element::kDot1qDei:
      return
          [](const FlowRecord&, const A& a, Out out) { *out = kFalseOrTrue[tag_dei(a.outer_tag)]; };
    case Element::kDot1qCustomerVlanId:
      return [](const FlowRecord&, const A& a, Out out) { store_be16(out, tag_id(a.inner_tag)); };
    case Element::kDot1qCustomerPriority:
      return [](const FlowRecord&, const A& a, Out out) { *out = tag_priority(a.inner_tag); };
    case Element::kDot1qCustomerDei:
      return
          [](const FlowRecord&, const A& a, Out out) { *out = kFalseOrTrue[tag_dei(a.inner_tag)]; };
    case Element::kMplsLabelStackDepth:
      return [](const FlowRecord&, const A& a, Out out) { store_be32(out, a.labels); };
    case Element::kMplsTopLabelExp:
      return [](const FlowRecord&, const A& a, Out out) { *out = a.label_stack[0][2] >> 1 & 0x07; };
    case Element::kLayer2SegmentId:
      return [](const FlowRecord&, const A& a, Out out) { store_be64(out, segment_id(a)); };
    default:
      return label_store(element);
  }
}

}  // namespace wiretally
