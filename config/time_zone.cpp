// SPDX-License-Identifier: Apache-2.0
// See time_zone.hpp.
#include "config/time_zone.hpp"

#include <fmt/format.h>

#include "config/values.hpp"

namespace wiretally {

cctz::time_zone parse_time_zone(const std::string& name) {
  if (name == "local") return cctz::local_time_zone();
  cctz::time_zone zone;
  if (cctz::load_time_zone(name, &zone)) return zone;
  throw ValueError(
      fmt::format("this machine knows no time zone {}; write local, UTC or a name such as "
                  "Europe/Prague (`timedatectl list-timezones`, package tzdata)",
                  quoted(name)));
}

}  // namespace wiretally
