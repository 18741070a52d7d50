// SPDX-License-Identifier: Apache-2.0
// Amounts from text. Start-up only, on control.
#include "config/quota_values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "config/values.hpp"

namespace wiretally {
namespace {

struct Unit {
  const char* name;
  double octets;
};
constexpr Unit kUnits[] = {{"", 1},
                           {"B", 1},
                           {"kB", 1e3},
                           {"KB", 1e3},
                           {"MB", 1e6},
                           {"GB", 1e9},
                           {"TB", 1e12},
                           {"KiB", 1024.0},
                           {"MiB", 1048576.0},
                           {"GiB", 1073741824.0},
                           {"TiB", 1099511627776.0}};
constexpr double kOctetsMax = 9e18;

}  // namespace

std::uint64_t parse_traffic(const std::string& text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string unit = text.substr(digits);
  unit.erase(0, unit.find_first_not_of(' '));
  const auto known =
      std::ranges::find_if(kUnits, [&](const Unit& each) { return unit == each.name; });
  const std::string number = text.substr(0, digits);
  const bool good = !number.empty() && std::ranges::count(number, '.') <= 1 && number != "." &&
                    known != std::end(kUnits);
  const double octets = good ? std::round(std::atof(number.c_str()) * known->octets) : 0;
  if (!good || octets < 1 || octets > kOctetsMax) {
    throw ValueError(
        fmt::format("{} is no amount of traffic; write 3GB, 500MB, 1.5TB or 3GiB", quoted(text)));
  }
  return static_cast<std::uint64_t>(octets);
}

unsigned parse_percent(const std::string& text) {
  std::string number = text;
  if (!number.empty() && number.back() == '%') number.pop_back();
  try {
    const std::uint64_t percent = parse_integer(number);
    if (percent >= 1 && percent <= 100) return static_cast<unsigned>(percent);
  } catch (const ValueError&) {  // said below, with the cure
  }
  throw ValueError(fmt::format("{} is no share; write 1% to 100%, for example 80%", quoted(text)));
}

}  // namespace wiretally
