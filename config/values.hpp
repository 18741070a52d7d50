// SPDX-License-Identifier: Apache-2.0
// Text to value and back, for the kinds of value a configuration has. What is refused is refused
// with a ValueError whose text names the value and the cure. Thread: any.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace wiretally {

class ValueError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// `1h30m`, `90s`, `500ms`; units y (365 d), d, h, m, s, ms, us or µs, ns, large before small. A
// number without a unit is refused. The text that comes back reads as people write it: 60s, 2d,
// 1h30m.
[[nodiscard]] std::chrono::nanoseconds parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds duration);

// Octets: `64k`, `1M`, `2G`, `1T`, powers of 1024; a bare number is octets.
[[nodiscard]] std::uint64_t parse_size(std::string_view text);
[[nodiscard]] std::string format_size(std::uint64_t octets);

[[nodiscard]] std::uint64_t parse_integer(std::string_view text);

// `host:port`, `[v6]:port`, checked for form only; the host comes back without brackets.
// "02:00:5e:10:00:ff", in either case, or with dashes.
[[nodiscard]] std::array<std::uint8_t, 6> parse_mac(std::string_view text);

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  bool v6_literal = false;
  bool v4_literal = false;
};
[[nodiscard]] Endpoint parse_endpoint(std::string_view text);

[[nodiscard]] bool is_ipv4(const std::string& text);
[[nodiscard]] bool is_ipv6(const std::string& text);

// The value in backquotes for a message: control characters made visible, long ones cut.
[[nodiscard]] std::string quoted(std::string_view value);

}  // namespace wiretally
