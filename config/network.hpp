// SPDX-License-Identifier: Apache-2.0
// `192.0.2.0/24`, `2001:db8::/32`, or an address alone, as octets. Thread: any. Errors: ValueError
// (values.hpp), with the cure.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace wiretally {

struct Network {
  bool is_v6 = false;
  unsigned prefix = 0;                     // bits, of 32 or 128
  std::array<std::uint8_t, 16> address{};  // network order; IPv4 in the last four octets
  [[nodiscard]] std::array<std::uint8_t, 16> mask() const;  // likewise; before IPv4: zero
};
[[nodiscard]] Network parse_network(const std::string& text);

}  // namespace wiretally
