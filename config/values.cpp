// SPDX-License-Identifier: Apache-2.0
// Durations, sizes, numbers and addresses between text and value. Start-up only, on control.
#include "config/values.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <limits>

namespace wiretally {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kDayNs = 86'400 * kSecond;
constexpr std::array kDurationUnits = {
    Unit{"y", 365 * kDayNs}, Unit{"d", kDayNs},  Unit{"h", 3600 * kSecond},
    Unit{"m", 60 * kSecond}, Unit{"s", kSecond}, Unit{"ms", 1'000'000},
    Unit{"us", 1000},        Unit{"ns", 1},
};
constexpr std::array kSizeUnits = {Unit{"T", 1ull << 40}, Unit{"G", 1ull << 30},
                                   Unit{"M", 1ull << 20}, Unit{"k", 1ull << 10}};
constexpr std::uint64_t kDurationMax = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kQuotedMax = 60;
constexpr std::size_t kHostMax = 253;  // RFC 1035 section 2.3.4, as text

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

[[noreturn]] void not_a_duration(std::string_view text) {
  throw ValueError(fmt::format("{} is not a duration; write 1h30m, 90s, 500ms", quoted(text)));
}

// Takes the digits at the front; false when there are none. Saturates.
bool take_number(std::string_view& rest, std::uint64_t& number) {
  std::size_t digits = 0;
  while (digits < rest.size() && is_digit(rest[digits])) ++digits;
  if (digits == 0) return false;
  const auto result = std::from_chars(rest.data(), rest.data() + digits, number);
  if (result.ec != std::errc{}) number = std::numeric_limits<std::uint64_t>::max();
  rest.remove_prefix(digits);
  return true;
}

// Takes the letters at the front. Both signs Unicode has for micro stand for u.
std::string take_unit(std::string_view& rest) {
  std::size_t size = 0;
  while (size < rest.size() && !is_digit(rest[size])) ++size;
  std::string unit(rest.substr(0, size));
  rest.remove_prefix(size);
  for (const std::string_view micro : {"\u00b5", "\u03bc"}) {
    if (unit.starts_with(micro)) return fmt::format("u{}", unit.substr(micro.size()));
  }
  return unit;
}

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > kHostMax) return false;
  std::size_t label = 0;
  for (const char c : host) {
    if (c == '.') {
      if (label == 0) return false;
      label = 0;
    } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_') {
      if (++label > 63) return false;
    } else {
      return false;
    }
  }
  return true;
}

// Only digits and dots: it can be nothing but an IPv4 address.
bool looks_like_ipv4(std::string_view host) {
  return std::ranges::all_of(host, [](char c) { return is_digit(c) || c == '.'; });
}

[[noreturn]] void not_an_endpoint(std::string_view text, std::string_view why) {
  throw ValueError(fmt::format(
      "{} {}; write host:port or \"[v6]:port\", for example 127.0.0.1:2055", quoted(text), why));
}

void split_endpoint(std::string_view text, Endpoint& endpoint, std::string_view& port) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find("]:");
    if (close == std::string_view::npos) not_an_endpoint(text, "has no `]:port` at its end");
    endpoint.host = text.substr(1, close - 1);
    endpoint.v6_literal = true;
    port = text.substr(close + 2);
    return;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) not_an_endpoint(text, "has no port");
  if (text.find(':') != colon) not_an_endpoint(text, "has an IPv6 address without brackets");
  endpoint.host = text.substr(0, colon);
  port = text.substr(colon + 1);
}

void check_host(std::string_view text, Endpoint& endpoint) {
  if (endpoint.v6_literal) {
    const std::string address = endpoint.host.substr(0, endpoint.host.find('%'));
    if (!is_ipv6(address)) not_an_endpoint(text, "has no IPv6 address in its brackets");
    return;
  }
  if (endpoint.host.empty()) not_an_endpoint(text, "has no host");
  endpoint.v4_literal = is_ipv4(endpoint.host);
  if (endpoint.v4_literal) return;
  if (looks_like_ipv4(endpoint.host)) not_an_endpoint(text, "is not an IPv4 address");
  if (!is_host_name(endpoint.host)) not_an_endpoint(text, "is not a host name");
}

}  // namespace

std::chrono::nanoseconds parse_duration(std::string_view text) {
  if (all_digits(text)) {
    const std::string_view number = text.substr(0, kQuotedMax);
    throw ValueError(fmt::format("{} has no unit; write {}s or {}ms (units: y d h m s ms us ns)",
                                 quoted(text), number, number));
  }
  std::string_view rest = text;
  std::uint64_t total = 0;
  std::size_t unit_at_least = 0;  // units come large before small, each once
  if (rest.empty()) not_a_duration(text);
  while (!rest.empty()) {
    std::uint64_t number = 0;
    if (!take_number(rest, number)) not_a_duration(text);
    const std::string unit = take_unit(rest);
    const auto found = std::ranges::find(kDurationUnits, unit, &Unit::name);
    const auto index = static_cast<std::size_t>(found - kDurationUnits.begin());
    if (found == kDurationUnits.end() || index < unit_at_least) not_a_duration(text);
    unit_at_least = index + 1;
    if (number > (kDurationMax - total) / found->factor) {
      throw ValueError(fmt::format("{} is too long; 292y is the limit", quoted(text)));
    }
    total += number * found->factor;
  }
  return std::chrono::nanoseconds(static_cast<std::int64_t>(total));
}

std::string format_duration(std::chrono::nanoseconds duration) {
  auto rest = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
  if (rest == 0) return "0s";
  constexpr std::uint64_t kOneUnitBelow = 600 * kSecond;  // 90s and 1500ms read better than 1m30s
  if (rest < kOneUnitBelow) {
    const auto unit = std::find_if(kDurationUnits.begin() + 4, kDurationUnits.end(),
                                   [&](const Unit& u) { return rest % u.factor == 0; });
    return fmt::format("{}{}", rest / unit->factor, unit->name);
  }
  std::string text;
  for (const Unit& unit : kDurationUnits) {
    if (rest < unit.factor) continue;
    text += fmt::format("{}{}", rest / unit.factor, unit.name);
    rest %= unit.factor;
  }
  return text;
}

std::uint64_t parse_size(std::string_view text) {
  std::string_view rest = text;
  std::uint64_t number = 0;
  const bool has_number = take_number(rest, number);
  std::uint64_t factor = 1;
  if (has_number && !rest.empty()) {
    const char letter = rest == "K" ? 'k' : rest.front();
    const auto unit = std::ranges::find(kSizeUnits, std::string_view(&letter, 1), &Unit::name);
    factor = rest.size() == 1 && unit != kSizeUnits.end() ? unit->factor : 0;
  }
  if (!has_number || factor == 0) {
    throw ValueError(fmt::format("{} is not a size; write 64k, 1M, 2G", quoted(text)));
  }
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  return number > kMax / factor ? kMax : number * factor;
}

std::string format_size(std::uint64_t octets) {
  for (const Unit& unit : kSizeUnits) {
    if (octets >= unit.factor && octets % unit.factor == 0) {
      return fmt::format("{}{}", octets / unit.factor, unit.name);
    }
  }
  return fmt::format("{}", octets);
}

std::uint64_t parse_integer(std::string_view text) {
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  if (!all_digits(digits)) {
    throw ValueError(fmt::format("{} is not a whole number", quoted(text)));
  }
  std::uint64_t number = 0;
  take_number(digits, number);
  if (negative && number != 0) {
    throw ValueError(fmt::format("{} is negative", quoted(text)));
  }
  return number;
}

std::array<std::uint8_t, 6> parse_mac(std::string_view text) {
  std::array<std::uint8_t, 6> mac{};
  const std::string whole(text);
  const bool plain = text.find_first_not_of("0123456789abcdefABCDEF:-") == std::string_view::npos;
  for (const char* form :
       {"%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", "%2hhx-%2hhx-%2hhx-%2hhx-%2hhx-%2hhx%n"}) {
    int read = 0;
    const int parts = std::sscanf(whole.c_str(), form, &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
                                  &mac[5], &read);
    if (plain && parts == 6 && read == 17 && text.size() == 17) return mac;
  }
  throw ValueError(fmt::format("{} is not a MAC address, such as 02:00:5e:10:00:ff", quoted(text)));
}

Endpoint parse_endpoint(std::string_view text) {
  Endpoint endpoint;
  std::string_view port;
  split_endpoint(text, endpoint, port);
  check_host(text, endpoint);
  std::uint64_t number = 0;
  std::string_view digits = port;
  if (!all_digits(port) || !take_number(digits, number) || number == 0 || number > 65535) {
    throw ValueError(
        fmt::format("{} has no port from 1 to 65535 after its last colon", quoted(text)));
  }
  endpoint.port = static_cast<std::uint16_t>(number);
  return endpoint;
}

bool is_ipv4(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

std::string quoted(std::string_view value) {
  std::string text = "`";
  std::size_t end = std::min(value.size(), kQuotedMax);
  // Never cut inside a UTF-8 character.
  while (end < value.size() && end > 0 && (static_cast<unsigned char>(value[end]) & 0xc0) == 0x80) {
    --end;
  }
  for (const char c : value.substr(0, end)) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7f) {
      text += fmt::format("\\x{:02x}", octet);
    } else {
      text += c;
    }
  }
  if (end < value.size()) text += "...";
  return text + "`";
}

}  // namespace wiretally
