// SPDX-License-Identifier: Apache-2.0
// A Template (RFC 7011 section 3.4): one list of Information Elements that writes both the Template
// Record and every Data Record, so the two cannot disagree. The list is compiled once into flat
// field writers; records are written field by field over many records (no branch per field and
// record). Thread: built by control, used by one link thread; immutable after construction.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "config/config.hpp"
#include "control/export/attribute_fields.hpp"
#include "control/export/computed_fields.hpp"
#include "control/export/information_element.hpp"
#include "control/export/message_writer.hpp"
#include "control/merge/flow_record.hpp"

namespace wiretally {

struct FieldSpecifier {
  Element element;
  std::uint16_t length;  // octets on the wire; less than the element's own: reduced-size encoding
  // An address of the header at the other end of the flow's tunnel, not of its key (RFC 7011
  // section 8: an element that stands twice is the outer header's first).
  bool other_end = false;
  // RFC 5103: of the reverse direction, the record behind the forward one.
  bool reverse = false;
};

// RFC 5103 section 6.1: the enterprise number of reverse elements.
inline constexpr std::uint32_t kReversePen = 29'305;

class RecordTemplate {
 public:
  // Broken list (an element no Flow Record has, a length it cannot have): assertion, these are
  // ours.
  // `key`: what a flow's identity is, for flowKeyIndicator.
  RecordTemplate(std::uint16_t id, std::span<const FieldSpecifier> fields,
                 const KeyConfig& key = {});

  [[nodiscard]] std::uint16_t id() const { return id_; }
  [[nodiscard]] std::span<const FieldSpecifier> fields() const { return fields_; }
  [[nodiscard]] std::size_t record_octets() const { return record_octets_; }
  [[nodiscard]] std::size_t template_octets() const { return template_octets_; }

  // Template Record: id, field count, then number and length of each (the same in v9 and IPFIX).
  void write_template(MessageWriter& out) const;
  // Data Records back to back. `out` has room for records.size() * record_octets(). If the list has
  // reverse elements each pointer is at a pair: the forward record, and the reverse one behind it.
  void write_records(std::span<const FlowRecord* const> records, std::uint8_t* out,
                     const ComputedContext& context = {}) const;

 private:
  enum class Copy : std::uint8_t {
    kOctets4,
    kOctets16,
    kUnsigned8,
    kUnsigned16,
    kUnsigned32,
    kUnsigned64,
    kMilliseconds,
    kVlan,
    kIpVersion,
    kKeyIndicator,
    kAttribute,
    kComputed,
  };
  struct FieldWriter {
    Copy copy;
    std::uint16_t record_offset;  // of the source in FlowRecord
    std::uint16_t wire_offset;    // in the Data Record
    AttributeStore attribute = nullptr;
    ComputedStore computed = nullptr;
    bool reverse = false;
  };
  using Records = std::span<const FlowRecord* const>;

  static FieldWriter compile(const FieldSpecifier& field);
  void write_field(const FieldWriter& field, Records records, const ComputedContext& context,
                   std::uint8_t* out) const;

  std::uint16_t id_;
  std::size_t record_octets_ = 0;
  std::size_t template_octets_ = 4;
  std::vector<FieldSpecifier> fields_;
  std::vector<FieldWriter> writers_;
  std::array<std::uint64_t, kCoarseLevels> key_indicators_{};  // IE 173 of a record of that level
};

}  // namespace wiretally
