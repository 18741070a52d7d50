// SPDX-License-Identifier: Apache-2.0
// A decoder of NetFlow v1, v5, v9 (RFC 3954) and IPFIX (RFC 7011) messages, written from the
// documents and sharing nothing with the encoder: it checks what a strict collector would check,
// and remembers Templates and sequence numbers from message to message. Every violation is a line
// in errors(). Thread: the test's.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace wiretally::test {

using Octets = std::vector<std::uint8_t>;

struct DecodedRecord {
  std::uint16_t template_id = 0;           // 0: NetFlow v1 and v5
  bool is_options = false;                 // then scope elements are in `fields` as well
  std::map<std::uint16_t, Octets> fields;  // by element number (v5: the equivalent one)

  // Set in the number of a reverse element (RFC 5103).
  static constexpr std::uint16_t kReverse = 0x4000;
  // Set in the number of an element that the Template has for the second time.
  static constexpr std::uint16_t kSecond = 0x8000;

  [[nodiscard]] bool has(std::uint16_t element) const { return fields.count(element) != 0; }
  // Big-endian value of up to 8 octets; 0 if absent.
  [[nodiscard]] std::uint64_t number(std::uint16_t element) const;
};

struct DecodedMessage {
  unsigned version = 0;
  std::uint32_t sequence = 0;
  std::uint32_t domain = 0;
  std::uint32_t unix_s = 0;
  std::uint32_t uptime_ms = 0;
  std::uint16_t sampling = 0;            // v5
  std::vector<std::uint16_t> templates;  // ids announced in this message, options too
  std::vector<DecodedRecord> records;    // flows and options, in order

  [[nodiscard]] std::vector<DecodedRecord> flows() const;
  [[nodiscard]] std::vector<DecodedRecord> options() const;
};

class Decoder {
 public:
  DecodedMessage decode(std::span<const std::uint8_t> octets);
  [[nodiscard]] const std::vector<std::string>& errors() const { return errors_; }

 private:
  struct Field {
    std::uint16_t element;
    std::uint16_t length;
  };
  struct Template {
    bool is_options = false;
    std::vector<Field> fields;
    std::size_t record_length = 0;
  };
  class Reader;

  void decode_v1(Reader& in, DecodedMessage& out);
  void decode_v5(Reader& in, DecodedMessage& out);
  // Records of 48 octets; of each field its element number, 0 for padding, and its length.
  using Layout = std::span<const std::pair<std::uint16_t, std::size_t>>;
  void decode_fixed(Reader& in, Layout layout, std::uint32_t nanoseconds, DecodedMessage& out);
  Field read_field(Reader& set);
  void decode_v9(Reader& in, DecodedMessage& out);
  void decode_ipfix(Reader& in, std::size_t length, DecodedMessage& out);
  std::size_t decode_set(std::uint16_t id, Reader set, DecodedMessage& out);
  std::size_t decode_templates(Reader set, DecodedMessage& out);
  std::size_t decode_options_templates_v9(Reader set, DecodedMessage& out);
  std::size_t decode_options_templates_ipfix(Reader set, DecodedMessage& out);
  std::size_t decode_records(std::uint16_t id, Reader set, DecodedMessage& out);
  void check_padding(Reader& set, std::size_t shorter_than);
  void expect_sequence(const DecodedMessage& message, std::uint32_t next);
  void fail(const std::string& text);

  std::vector<std::string> errors_;
  std::map<std::uint16_t, Template> templates_;
  bool has_sequence_ = false;
  std::uint32_t next_sequence_ = 0;
};

}  // namespace wiretally::test
