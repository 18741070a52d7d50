// SPDX-License-Identifier: Apache-2.0
// The amounts of a quota. Units are those of reports: KB, MB, GB, TB are powers of 1000, KiB, MiB,
// GiB, TiB of 1024. Thread: any. Errors: ValueError (values.hpp), with the cure.
#pragma once

#include <cstdint>
#include <string>

namespace wiretally {

[[nodiscard]] std::uint64_t parse_traffic(const std::string& text);  // "3GB", octets
[[nodiscard]] unsigned parse_percent(const std::string& text);       // "80%", 1 to 100

}  // namespace wiretally
