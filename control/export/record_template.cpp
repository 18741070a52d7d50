// SPDX-License-Identifier: Apache-2.0
// See record_template.hpp. Cost: about 1 ns per field and record (the inner loops have no branches
// and the records of one datagram stay in the first-level cache).
// Thread: one link thread.
#include "control/export/record_template.hpp"

#include <cassert>
#include <cstddef>

namespace wiretally {
namespace {

constexpr std::size_t kKey = offsetof(FlowRecord, key);
constexpr std::size_t kIpv4Tail =
    12;  // an IPv4 address stands in the last four octets of its field
constexpr std::int64_t kNsPerMillisecond = 1'000'000;
constexpr std::uint16_t kEnterpriseBit = 0x8000;  // RFC 7011 section 3.2

template <typename T>
T load(const FlowRecord& record, std::size_t offset) {
  T value;
  std::memcpy(&value, reinterpret_cast<const std::uint8_t*>(&record) + offset, sizeof value);
  return value;
}

// Does a key coarsened to `level` still hold this element?
bool is_key(Element element, CoarseLevel level, const KeyConfig& key) {
  const bool exact = level == CoarseLevel::kExact;
  const bool addresses = exact || level == CoarseLevel::kNoPorts;
  switch (element) {
    case Element::kSourceIpv4Address:
    case Element::kSourceIpv6Address:
      return key.addresses && (addresses || level == CoarseLevel::kSourceHost);
    case Element::kDestinationIpv4Address:
    case Element::kDestinationIpv6Address:
      return key.addresses && (addresses || level == CoarseLevel::kDestinationHost);
    case Element::kProtocolIdentifier:
      return key.protocol && (addresses || level == CoarseLevel::kProtocol);
    case Element::kSourceTransportPort:
    case Element::kDestinationTransportPort:
      return exact && key.ports;
    case Element::kEthernetType:
      return exact;
    case Element::kVlanId:
      return exact && key.vlan;
    case Element::kSourceMacAddress:
    case Element::kDestinationMacAddress:
      return exact && key.macs;
    case Element::kIngressInterface:
    case Element::kEgressInterface:
    case Element::kFlowDirection:
      return level == CoarseLevel::kProtocol || (exact && key.ingress);
    case Element::kIpVersion:
      return true;
    default:
      return false;
  }
}

std::uint8_t ip_version_number(const FlowKey& key) {
  constexpr std::array<std::uint8_t, kIpVersions> kNumber = {0, 4, 6};
  return kNumber[static_cast<std::size_t>(key.ip_version())];
}

}  // namespace

RecordTemplate::RecordTemplate(std::uint16_t id, std::span<const FieldSpecifier> fields,
                               const KeyConfig& key)
    : id_(id), fields_(fields.begin(), fields.end()) {
  for (const FieldSpecifier& field : fields_) {
    FieldWriter writer = compile(field);
    writer.wire_offset = static_cast<std::uint16_t>(record_octets_);
    for (std::size_t level = 0; level < kCoarseLevels; ++level) {
      const bool own = !field.other_end && !field.reverse;
      if (own && is_key(field.element, static_cast<CoarseLevel>(level), key)) {
        key_indicators_[level] |= 1ull << writers_.size();  // bit n: the n-th element (IANA 173)
      }
    }
    writer.reverse = field.reverse;
    writers_.push_back(writer);
    record_octets_ += field.length;
    template_octets_ += field.reverse ? 8 : 4;
  }
}

// long: one line an element.
RecordTemplate::FieldWriter RecordTemplate::compile(const FieldSpecifier& field) {
  const auto from = [&](Copy copy, std::size_t offset, std::uint16_t length) {
    assert(field.length == length);
    (void)length;
    return FieldWriter{copy, static_cast<std::uint16_t>(offset), 0};
  };
  if (const AttributeStore store = attribute_store(field.element, field.other_end)) {
    return {Copy::kAttribute, 0, 0, store};
  }
  if (const ComputedStore store = computed_store(field.element)) {
    return {Copy::kComputed, 0, 0, nullptr, store};
  }
  constexpr std::size_t kSource = kKey + offsetof(FlowKey, source);
  constexpr std::size_t kDestination = kKey + offsetof(FlowKey, destination);
  constexpr std::size_t kDestinationPort = kKey + offsetof(FlowKey, destination_port);
  switch (field.element) {
    case Element::kOctetDeltaCount:
      return from(Copy::kUnsigned64, offsetof(FlowRecord, octets), 8);
    case Element::kPacketDeltaCount:
      return from(Copy::kUnsigned64, offsetof(FlowRecord, packets), 8);
    case Element::kLayer2OctetDeltaCount:
      return from(Copy::kUnsigned64, offsetof(FlowRecord, l2_octets), 8);
    case Element::kProtocolIdentifier:
      return from(Copy::kUnsigned8, kKey + offsetof(FlowKey, protocol), 1);
    case Element::kIpClassOfService:
      return from(Copy::kUnsigned8, offsetof(FlowRecord, tos), 1);
    case Element::kFlowEndReason:
      return from(Copy::kUnsigned8, offsetof(FlowRecord, end_reason), 1);
    case Element::kTcpControlBits:
      // One octet: the low one, which is the first in memory on this (little-endian) machine.
      if (field.length == 1) return from(Copy::kUnsigned8, offsetof(FlowRecord, tcp_flags), 1);
      return from(Copy::kUnsigned16, offsetof(FlowRecord, tcp_flags), 2);
    case Element::kSourceTransportPort:
      return from(Copy::kUnsigned16, kKey + offsetof(FlowKey, source_port), 2);
    case Element::kDestinationTransportPort:
    case Element::kIcmpTypeCodeIpv4:
    case Element::kIcmpTypeCodeIpv6:
    case Element::kEthernetType:
      return from(Copy::kUnsigned16, kDestinationPort, 2);
    case Element::kIcmpTypeIpv4:
    case Element::kIcmpTypeIpv6:  // the high octet, second in memory
      return from(Copy::kUnsigned8, kDestinationPort + 1, 1);
    case Element::kIcmpCodeIpv4:
    case Element::kIcmpCodeIpv6:
      return from(Copy::kUnsigned8, kDestinationPort, 1);
    case Element::kSourceIpv4Address:
      return from(Copy::kOctets4, kSource + kIpv4Tail, 4);
    case Element::kDestinationIpv4Address:
      return from(Copy::kOctets4, kDestination + kIpv4Tail, 4);
    case Element::kSourceIpv6Address:
      return from(Copy::kOctets16, kSource, 16);
    case Element::kDestinationIpv6Address:
      return from(Copy::kOctets16, kDestination, 16);
    case Element::kIngressInterface:
    case Element::kIngressPhysicalInterface:
      return from(Copy::kUnsigned32, offsetof(FlowRecord, ingress_ifindex), 4);
    case Element::kEgressInterface:
      return from(Copy::kUnsigned32, offsetof(FlowRecord, egress_ifindex), 4);
    case Element::kFlowDirection:
      return from(Copy::kUnsigned8, offsetof(FlowRecord, direction), 1);
    case Element::kVlanId:
      return from(Copy::kVlan, 0, 2);
    case Element::kIpVersion:
      return from(Copy::kIpVersion, 0, 1);
    case Element::kFlowStartMilliseconds:
      return from(Copy::kMilliseconds, offsetof(FlowRecord, first), 8);
    case Element::kFlowEndMilliseconds:
      return from(Copy::kMilliseconds, offsetof(FlowRecord, last), 8);
    case Element::kFlowKeyIndicator:
      return from(Copy::kKeyIndicator, 0, 8);
    default:
      break;
  }
  assert(false && "element is in no Flow Record");
  return from(Copy::kUnsigned8, 0, field.length);
}

void RecordTemplate::write_template(MessageWriter& out) const {
  out.write16(id_);
  out.write16(static_cast<std::uint16_t>(fields_.size()));
  for (const FieldSpecifier& field : fields_) {
    const auto number = static_cast<std::uint16_t>(field.element);
    out.write16(static_cast<std::uint16_t>(field.reverse ? number | kEnterpriseBit : number));
    out.write16(field.length);
    if (field.reverse) out.write32(kReversePen);
  }
}

void RecordTemplate::write_records(Records records, std::uint8_t* out,
                                   const ComputedContext& context) const {
  for (const FieldWriter& field : writers_) {
    write_field(field, records, context, out + field.wire_offset);
  }
}

void RecordTemplate::write_field(const FieldWriter& field, Records records,
                                 const ComputedContext& context, std::uint8_t* out) const {
  const std::size_t from = field.record_offset;
  const auto each = [&](auto store) {
    for (const FlowRecord* record : records) {
      store(record[field.reverse ? 1 : 0], out);
      out += record_octets_;
    }
  };
  using Octets4 = std::array<std::uint8_t, 4>;
  using Octets16 = std::array<std::uint8_t, 16>;
  switch (field.copy) {
    case Copy::kOctets4:
      return each([from](const FlowRecord& r, std::uint8_t* p) {
        const auto octets = load<Octets4>(r, from);
        std::memcpy(p, octets.data(), octets.size());
      });
    case Copy::kOctets16:
      return each([from](const FlowRecord& r, std::uint8_t* p) {
        const auto octets = load<Octets16>(r, from);
        std::memcpy(p, octets.data(), octets.size());
      });
    case Copy::kUnsigned8:
      return each(
          [from](const FlowRecord& r, std::uint8_t* p) { *p = load<std::uint8_t>(r, from); });
    case Copy::kUnsigned16:
      return each([from](const FlowRecord& r, std::uint8_t* p) {
        store_be16(p, load<std::uint16_t>(r, from));
      });
    case Copy::kUnsigned32:
      return each([from](const FlowRecord& r, std::uint8_t* p) {
        store_be32(p, load<std::uint32_t>(r, from));
      });
    case Copy::kUnsigned64:
      return each([from](const FlowRecord& r, std::uint8_t* p) {
        store_be64(p, load<std::uint64_t>(r, from));
      });
    case Copy::kMilliseconds:
      return each([from](const FlowRecord& r, std::uint8_t* p) {
        store_be64(p, static_cast<std::uint64_t>(load<TimeNs>(r, from) / kNsPerMillisecond));
      });
    case Copy::kVlan:
      return each([](const FlowRecord& r, std::uint8_t* p) { store_be16(p, r.key.vlan()); });
    case Copy::kIpVersion:
      return each([](const FlowRecord& r, std::uint8_t* p) { *p = ip_version_number(r.key); });
    case Copy::kKeyIndicator:
      return each([this](const FlowRecord& r, std::uint8_t* p) {
        store_be64(p, key_indicators_[static_cast<std::size_t>(r.key.level())]);
      });
    case Copy::kAttribute: {
      static const FlowAttributes kUnknown;
      return each([&field](const FlowRecord& r, std::uint8_t* p) {
        field.attribute(r, r.attributes == nullptr ? kUnknown : *r.attributes, p);
      });
    }
    case Copy::kComputed:
      return each([&field, &context](const FlowRecord& r, std::uint8_t* p) {
        field.computed(r, context, p);
      });
  }
}

}  // namespace wiretally
