// SPDX-License-Identifier: Apache-2.0
// See decoder.hpp. Thread: the test's.
#include "tests/control/export/decoder.hpp"

#include <algorithm>

namespace wiretally::test {

// Octets left to read; reading past the end is remembered, not done.
class Decoder::Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> octets) : octets_(octets) {}
  [[nodiscard]] std::size_t left() const { return octets_.size(); }
  [[nodiscard]] bool ran_out() const { return ran_out_; }
  std::uint64_t number(std::size_t length) {
    std::uint64_t value = 0;
    for (const std::uint8_t octet : take(length)) value = value << 8 | octet;
    return value;
  }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::span<const std::uint8_t> take(std::size_t length) {
    if (length > octets_.size()) {
      ran_out_ = true;
      octets_ = {};
      return {};
    }
    const auto part = octets_.first(length);
    octets_ = octets_.subspan(length);
    return part;
  }

 private:
  std::span<const std::uint8_t> octets_;
  bool ran_out_ = false;
};

std::uint64_t DecodedRecord::number(std::uint16_t element) const {
  std::uint64_t value = 0;
  const auto at = fields.find(element);
  if (at == fields.end()) return 0;
  for (const std::uint8_t octet : at->second) value = value << 8 | octet;
  return value;
}

std::vector<DecodedRecord> DecodedMessage::flows() const {
  std::vector<DecodedRecord> result;
  std::copy_if(records.begin(), records.end(), std::back_inserter(result),
               [](const auto& record) { return !record.is_options; });
  return result;
}

std::vector<DecodedRecord> DecodedMessage::options() const {
  std::vector<DecodedRecord> result;
  std::copy_if(records.begin(), records.end(), std::back_inserter(result),
               [](const auto& record) { return record.is_options; });
  return result;
}

void Decoder::fail(const std::string& text) {
  errors_.push_back(text);
}

DecodedMessage Decoder::decode(std::span<const std::uint8_t> octets) {
  DecodedMessage out;
  Reader in(octets);
  out.version = in.u16();
  if (out.version == 1) {
    decode_v1(in, out);
  } else if (out.version == 5) {
    decode_v5(in, out);
  } else if (out.version == 9) {
    decode_v9(in, out);
  } else if (out.version == 10) {
    decode_ipfix(in, octets.size(), out);
  } else {
    fail("version " + std::to_string(out.version));
  }
  if (in.ran_out()) fail("message shorter than its contents");
  return out;
}

void Decoder::expect_sequence(const DecodedMessage& message, std::uint32_t next) {
  if (has_sequence_ && message.sequence != next_sequence_) {
    fail("sequence " + std::to_string(message.sequence) + ", expected " +
         std::to_string(next_sequence_));
  }
  has_sequence_ = true;
  next_sequence_ = next;
}

void Decoder::decode_v5(Reader& in, DecodedMessage& out) {
  const std::uint16_t count = in.u16();
  out.uptime_ms = in.u32();
  out.unix_s = in.u32();
  const std::uint32_t nanoseconds = in.u32();
  out.sequence = in.u32();
  out.domain = in.u16();
  out.sampling = in.u16();
  if (nanoseconds >= 1'000'000'000) fail("v5: nanoseconds of more than a second");
  if (count == 0 || count > 30) fail("v5: count " + std::to_string(count));
  if (in.left() != count * 48u) fail("v5: length does not fit count");
  expect_sequence(out, out.sequence + count);
  // Input and output interface are 10 and 14.
  constexpr std::pair<std::uint16_t, std::size_t> kFields[] = {
      {8, 4},  {12, 4}, {15, 4}, {10, 2}, {14, 2}, {2, 4},  {1, 4},  {22, 4}, {21, 4}, {7, 2},
      {11, 2}, {0, 1},  {6, 1},  {4, 1},  {5, 1},  {16, 2}, {17, 2}, {9, 1},  {13, 1}, {0, 2}};
  decode_fixed(in, kFields, nanoseconds, out);
}

// As v5, without what stands behind the nanoseconds in the header, and with other tails.
void Decoder::decode_v1(Reader& in, DecodedMessage& out) {
  const std::uint16_t count = in.u16();
  out.uptime_ms = in.u32();
  out.unix_s = in.u32();
  const std::uint32_t nanoseconds = in.u32();
  if (nanoseconds >= 1'000'000'000) fail("v1: nanoseconds of more than a second");
  if (count == 0 || count > 24) fail("v1: count " + std::to_string(count));
  if (in.left() != count * 48u) fail("v1: length does not fit count");
  constexpr std::pair<std::uint16_t, std::size_t> kFields[] = {
      {8, 4},  {12, 4}, {15, 4}, {10, 2}, {14, 2}, {2, 4}, {1, 4}, {22, 4},
      {21, 4}, {7, 2},  {11, 2}, {0, 2},  {4, 1},  {5, 1}, {6, 1}, {0, 7}};
  decode_fixed(in, kFields, nanoseconds, out);
}

void Decoder::decode_fixed(Reader& in, Layout layout, std::uint32_t nanoseconds,
                           DecodedMessage& out) {
  while (in.left() >= 48) {
    DecodedRecord record;
    for (const auto& [element, length] : layout) {
      const auto octets = in.take(length);
      if (element != 0) {
        record.fields[element] = Octets(octets.begin(), octets.end());
      } else if (std::any_of(octets.begin(), octets.end(), [](auto o) { return o != 0; })) {
        fail("padding of a record is not zero");
      }
    }
    // Absolute times as IE 152, 153, by the header's own clock.
    const std::int64_t boot_ms =
        std::int64_t{out.unix_s} * 1000 + nanoseconds / 1'000'000 - std::int64_t{out.uptime_ms};
    for (const auto& [relative, absolute] : {std::pair{22, 152}, std::pair{21, 153}}) {
      std::uint64_t ms = static_cast<std::uint64_t>(
          boot_ms + static_cast<std::int64_t>(record.number(static_cast<std::uint16_t>(relative))));
      Octets octets(8);
      for (std::size_t i = 8; i-- > 0; ms >>= 8) octets[i] = static_cast<std::uint8_t>(ms);
      record.fields[static_cast<std::uint16_t>(absolute)] = octets;
    }
    out.records.push_back(record);
  }
}

void Decoder::decode_v9(Reader& in, DecodedMessage& out) {
  const std::uint16_t count = in.u16();
  out.uptime_ms = in.u32();
  out.unix_s = in.u32();
  out.sequence = in.u32();
  out.domain = in.u32();
  expect_sequence(out, out.sequence + 1);
  std::size_t records = 0;
  while (in.left() > 0) {
    const std::uint16_t id = in.u16();
    const std::uint16_t length = in.u16();
    if (length < 4 || length % 4 != 0) fail("v9: FlowSet length " + std::to_string(length));
    if (length < 4) return;
    records += decode_set(id, Reader(in.take(length - 4u)), out);
    if (in.ran_out()) return;
  }
  if (records != count) {
    fail("v9: count " + std::to_string(count) + ", records " + std::to_string(records));
  }
}

void Decoder::decode_ipfix(Reader& in, std::size_t length, DecodedMessage& out) {
  if (in.u16() != length) fail("ipfix: length field is not the datagram's");
  out.unix_s = in.u32();
  out.sequence = in.u32();
  out.domain = in.u32();
  while (in.left() > 0) {
    const std::uint16_t id = in.u16();
    const std::uint16_t set_length = in.u16();
    if (set_length < 4) return fail("ipfix: set length " + std::to_string(set_length));
    decode_set(id, Reader(in.take(set_length - 4u)), out);
    if (in.ran_out()) return;
  }
  expect_sequence(out, out.sequence + static_cast<std::uint32_t>(out.records.size()));
}

// Returns the records in it, Templates counted as records (RFC 3954 section 5.1).
std::size_t Decoder::decode_set(std::uint16_t id, Reader set, DecodedMessage& out) {
  const bool v9 = out.version == 9;
  if (id == (v9 ? 0 : 2)) return decode_templates(set, out);
  if (id == (v9 ? 1 : 3)) {
    return v9 ? decode_options_templates_v9(set, out) : decode_options_templates_ipfix(set, out);
  }
  if (id < 256) {
    fail("set id " + std::to_string(id));
    return 0;
  }
  return decode_records(id, set, out);
}

// RFC 7011 section 3.2; the only enterprise is that of reverse elements.
Decoder::Field Decoder::read_field(Reader& set) {
  Field field{set.u16(), set.u16()};
  if ((field.element & 0x8000) == 0) return field;
  const std::uint32_t enterprise = set.u32();
  if (enterprise != 29305) fail("enterprise " + std::to_string(enterprise));
  field.element = static_cast<std::uint16_t>((field.element & 0x7fff) | DecodedRecord::kReverse);
  return field;
}

std::size_t Decoder::decode_templates(Reader set, DecodedMessage& out) {
  std::size_t count = 0;
  while (set.left() >= 8) {
    const std::uint16_t id = set.u16();
    const std::uint16_t fields = set.u16();
    Template description;
    for (std::size_t i = 0; i < fields; ++i) {
      description.fields.push_back(read_field(set));
      description.record_length += description.fields.back().length;
    }
    if (id < 256 || fields == 0 || set.ran_out()) fail("broken template " + std::to_string(id));
    templates_[id] = description;
    out.templates.push_back(id);
    ++count;
  }
  check_padding(set, 4);
  return count;
}

std::size_t Decoder::decode_options_templates_v9(Reader set, DecodedMessage& out) {
  std::size_t count = 0;
  while (set.left() >= 10) {
    const std::uint16_t id = set.u16();
    const std::uint16_t scope_octets = set.u16();
    const std::uint16_t option_octets = set.u16();
    if (scope_octets == 0 || scope_octets % 4 != 0 || option_octets % 4 != 0) {
      fail("v9: options template lengths");
    }
    Template description{true, {}, 0};
    for (int left = scope_octets + option_octets, at = 0; left > 0; left -= 4, at += 4) {
      Field field{set.u16(), set.u16()};
      if (at < scope_octets) {  // scope types 1 (System) and 2 (Interface) as their IPFIX elements
        if (field.element != 1 && field.element != 2) fail("v9: scope type");
        field.element = field.element == 2 ? 10 : 149;
      }
      description.fields.push_back(field);
      description.record_length += field.length;
    }
    if (id < 256 || set.ran_out()) fail("v9: broken options template");
    templates_[id] = description;
    out.templates.push_back(id);
    ++count;
  }
  check_padding(set, 4);
  return count;
}

std::size_t Decoder::decode_options_templates_ipfix(Reader set, DecodedMessage& out) {
  std::size_t count = 0;
  while (set.left() >= 10) {
    const std::uint16_t id = set.u16();
    const std::uint16_t fields = set.u16();
    const std::uint16_t scopes = set.u16();
    if (scopes == 0 || scopes > fields) fail("ipfix: scope field count");
    Template description{true, {}, 0};
    for (std::size_t i = 0; i < fields; ++i) {
      description.fields.push_back(read_field(set));
      description.record_length += description.fields.back().length;
    }
    if (id < 256 || set.ran_out()) fail("ipfix: broken options template");
    templates_[id] = description;
    out.templates.push_back(id);
    ++count;
  }
  check_padding(set, 4);
  return count;
}

std::size_t Decoder::decode_records(std::uint16_t id, Reader set, DecodedMessage& out) {
  const auto found = templates_.find(id);
  if (found == templates_.end()) {
    fail("data of template " + std::to_string(id) + " before the template");
    return 0;
  }
  const Template& description = found->second;
  if (description.record_length == 0) {
    fail("data of template " + std::to_string(id) + ", whose records have no octets");
    return 0;
  }
  std::size_t count = 0;
  while (set.left() >= description.record_length) {
    DecodedRecord record;
    record.template_id = id;
    record.is_options = description.is_options;
    for (const Field& field : description.fields) {
      const auto octets = set.take(field.length);
      const bool second = record.has(field.element);
      record.fields[second ? field.element | DecodedRecord::kSecond : field.element] =
          Octets(octets.begin(), octets.end());
    }
    out.records.push_back(record);
    ++count;
  }
  if (count == 0) fail("empty data set");
  check_padding(set, std::min<std::size_t>(4, description.record_length));
  return count;
}

void Decoder::check_padding(Reader& set, std::size_t shorter_than) {
  if (set.left() >= shorter_than) fail("padding of " + std::to_string(set.left()) + " octets");
  for (const std::uint8_t octet : set.take(set.left())) {
    if (octet != 0) fail("padding is not zero");
  }
}

}  // namespace wiretally::test
