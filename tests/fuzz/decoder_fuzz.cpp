// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any octets as export messages (each with its length in two octets before it) to
// the decoder that the tests read NetFlow v5, v9 and IPFIX with. A test can only be as good as its
// decoder: it must not fall over what an encoder's mistake could send it, nor make fields up.
#include "tests/control/export/decoder.hpp"
#include "tests/fuzz/support.hpp"

namespace {

using wiretally::fuzz::require;

// Every octet of a record was in the message, and no message holds more records than octets.
void check(const wiretally::test::DecodedMessage& message, std::size_t octets) {
  constexpr std::uint16_t kDerivedFirst = 152;  // v5: absolute times, made from the header's clock
  constexpr std::uint16_t kDerivedLast = 153;
  std::size_t decoded = 0;
  for (const auto& record : message.records) {
    for (const auto& [element, value] : record.fields) {
      const bool derived =
          record.template_id == 0 && (element == kDerivedFirst || element == kDerivedLast);
      if (!derived) decoded += value.size();
    }
  }
  require(decoded <= octets, "no field has more octets than the message");
  require(message.records.size() <= octets, "no record without octets");
  require(message.flows().size() + message.options().size() == message.records.size(),
          "a record is a flow or an option");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wiretally::test::Decoder decoder;
  std::span<const std::uint8_t> rest(data, size);
  while (rest.size() >= 2) {
    const std::size_t claimed = static_cast<std::size_t>(rest[0]) << 8 | rest[1];
    rest = rest.subspan(2);
    const std::size_t octets = std::min(claimed, rest.size());
    // A copy of exactly that size: the message ends where its buffer ends.
    const std::vector<std::uint8_t> message(rest.begin(),
                                            rest.begin() + static_cast<std::ptrdiff_t>(octets));
    check(decoder.decode(message), octets);
    rest = rest.subspan(octets);
  }
  return 0;
}
