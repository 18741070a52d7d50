// SPDX-License-Identifier: Apache-2.0
// UTF-8 as RFC 3629 section 4 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
// Start-up only.
#include "config/utf8.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>

namespace wiretally {
namespace {

// Octets of the character at the front; 0: not UTF-8.
std::size_t character_size(std::string_view text) {
  const auto octet = [&](std::size_t i) {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : std::uint8_t{0};
  };
  const auto tail = [&](std::size_t i) { return (octet(i) & 0xc0) == 0x80; };
  const std::uint8_t first = octet(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && octet(1) < 0xa0;
    const bool surrogate = first == 0xed && octet(1) > 0x9f;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool overlong = first == 0xf0 && octet(1) < 0x90;
    const bool too_large = first == 0xf4 && octet(1) > 0x8f;
    return tail(1) && tail(2) && tail(3) && !overlong && !too_large ? 4 : 0;
  }
  return 0;
}

bool is_control(char c) {
  const auto octet = static_cast<std::uint8_t>(c);
  return (octet < 0x20 && c != '\t' && c != '\n' && c != '\r') || octet == 0x7f;
}

}  // namespace

std::optional<BadText> find_bad_text(std::string_view text) {
  Position at;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = character_size(text.substr(i));
    if (size == 0) {
      return BadText{at, fmt::format("octet 0x{:02x} is not UTF-8; save the file as UTF-8 text",
                                     static_cast<std::uint8_t>(text[i]))};
    }
    if (is_control(text[i])) {
      return BadText{at, fmt::format("control character 0x{:02x}: this is not a text file",
                                     static_cast<std::uint8_t>(text[i]))};
    }
    const bool line_ends = text[i] == '\n';
    at.line += line_ends ? 1 : 0;
    at.column = line_ends ? 1 : at.column + static_cast<int>(size);
    i += size;
  }
  return std::nullopt;
}

}  // namespace wiretally
