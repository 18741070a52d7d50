// SPDX-License-Identifier: Apache-2.0
// Octets as tests write and print them. Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace wiretally {

// "45 00 00:1c" to octets; anything that is no hexadecimal digit only separates.
inline std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> octets;
  int high = -1;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!digit && !letter) continue;
    const int value = digit ? c - '0' : (c | 0x20) - 'a' + 10;
    if (high < 0) {
      high = value;
    } else {
      octets.push_back(static_cast<std::uint8_t>(high << 4 | value));
      high = -1;
    }
  }
  return octets;
}

// Sixteen octets a line, with the offset in front: what a failing test prints.
inline std::string to_hex(std::span<const std::uint8_t> octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (i % 16 == 0) {
      text += i == 0 ? "" : "\n";
      for (int shift = 12; shift >= 0; shift -= 4) text += kDigits[i >> shift & 0xf];
      text += ' ';
    }
    text += ' ';
    text += kDigits[octets[i] >> 4];
    text += kDigits[octets[i] & 0xf];
  }
  return text;
}

}  // namespace wiretally
