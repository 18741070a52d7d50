// SPDX-License-Identifier: Apache-2.0
// Numbers for people.
// Thread: any.
#include "control/cli/human_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

namespace wiretally {
namespace {

int decimals_for_three_figures(double value) {
  return value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
}

// Three figures and the prefix that suits them.
std::string scaled(double value, const char* unit) {
  constexpr std::array<const char*, 6> prefixes = {"", "k", "M", "G", "T", "P"};
  std::size_t step = 0;
  // 999.5 would be printed as 1000 of this prefix.
  while (value >= 999.5 && step + 1 < prefixes.size()) {
    value /= 1000;
    ++step;
  }
  const int decimals = step == 0 ? 0 : decimals_for_three_figures(value);
  return fmt::format("{:.{}f} {}{}", value, decimals, prefixes[step], unit);
}

}  // namespace

std::string grouped(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return digits;
}

std::string octets_text(double octets) {
  return scaled(octets, "B");
}

std::string bit_rate_text(double bits_per_s) {
  return scaled(bits_per_s, "bit/s");
}

std::string packet_rate_text(double per_s) {
  return scaled(per_s, "pkt/s");
}

std::string seconds_text(double seconds) {
  if (seconds < 0.001) return fmt::format("{:.0f} us", seconds * 1e6);
  if (seconds < 1) {
    return fmt::format("{:.{}f} ms", seconds * 1e3, decimals_for_three_figures(seconds * 1e3));
  }
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(seconds);
  const std::uint64_t minutes = whole / 60;
  const std::uint64_t hours = minutes / 60;
  if (hours == 0) return fmt::format("{}m{:02}s", minutes, whole % 60);
  if (hours < 24) return fmt::format("{}h{:02}m", hours, minutes % 60);
  return fmt::format("{}d{:02}h", hours / 24, hours % 24);
}

std::string utc_text(TimeNs time) {
  const TimeNs seconds = time / kNsPerSecond - (time % kNsPerSecond < 0 ? 1 : 0);
  const TimeNs milliseconds = (time - seconds * kNsPerSecond) / 1'000'000;
  const auto since_epoch = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&since_epoch, &parts);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03} UTC", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     milliseconds);
}

std::string share_bar(double share, int columns) {
  constexpr std::array<const char*, 8> parts = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double bounded = std::clamp(share, 0.0, 1.0);
  const auto eighths = static_cast<std::size_t>(std::lround(bounded * columns * 8));
  std::string bar;
  for (std::size_t i = 0; i < eighths / 8; ++i) bar += "█";
  return bar + parts[eighths % 8];
}

}  // namespace wiretally
