// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them. Units are decimal (1 kB = 1000 octets), as links are sold.
// Thread: any.
#pragma once

#include <cstdint>
#include <string>

#include "control/merge/flow_record.hpp"

namespace wiretally {

std::string grouped(std::uint64_t value);          // 1,234,567
std::string octets_text(double octets);            // 1.23 GB
std::string bit_rate_text(double bits_per_s);      // 9.41 Gbit/s
std::string packet_rate_text(double per_s);        // 1.49 Mpkt/s
std::string seconds_text(double seconds);          // 850 us, 2.10 ms, 42.0 s, 3m12s, 2d03h
std::string utc_text(TimeNs time);                 // 2026-01-31 12:00:00.123 UTC
std::string share_bar(double share, int columns);  // share: 0 to 1; eighths of a block

}  // namespace wiretally
