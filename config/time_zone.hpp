// SPDX-License-Identifier: Apache-2.0
// A time zone by its IANA name, as this machine knows it. Thread: any.
#pragma once

#include <cctz/time_zone.h>

#include <string>

namespace wiretally {

// `local` is the machine's own. Throws ValueError with the names that would do.
[[nodiscard]] cctz::time_zone parse_time_zone(const std::string& name);

}  // namespace wiretally
