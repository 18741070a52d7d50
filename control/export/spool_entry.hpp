// SPDX-License-Identifier: Apache-2.0
// What stands in a spool's segment: a header, then entries of one size (checksum, flags, record,
// and attributes if any are kept). Octets of this machine's memory: read by the meter that wrote
// them or by none. Thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <type_traits>

#include "control/merge/flow_record.hpp"

namespace wiretally {

namespace spool {

inline constexpr std::size_t kHeaderOctets = 64;
inline constexpr std::uint32_t kFormat = 1;  // of FlowRecord and FlowAttributes as they are now
static_assert(sizeof(FlowRecord) == 104 && sizeof(FlowAttributes) == 128, "another kFormat");
static_assert(std::is_trivially_copyable_v<FlowRecord>);

struct Header {
  std::array<char, 8> magic = {'w', 't', 's', 'p', 'o', 'o', 'l', '\n'};
  std::uint32_t format = kFormat;
  std::uint32_t entry_octets = 0;
};
static_assert(sizeof(Header) <= kHeaderOctets);

// Before each record.
struct Mark {
  std::uint32_t checksum = 0;  // of all that follows in the entry
  std::uint32_t has_attributes = 0;
};

inline constexpr std::size_t kPlainEntry = sizeof(Mark) + sizeof(FlowRecord);
inline constexpr std::size_t kFullEntry = kPlainEntry + sizeof(FlowAttributes);

// `entry` is of kPlainEntry octets (the record's attributes are left out) or kFullEntry.
void write_entry(const FlowRecord& record, std::span<std::uint8_t> entry);
[[nodiscard]] bool is_whole(std::span<const std::uint8_t> entry);
// What a whole entry holds, without the attributes.
[[nodiscard]] FlowRecord record_of(std::span<const std::uint8_t> entry);
// Appends the record of a whole entry.
void read_entry(std::span<const std::uint8_t> entry, RecordBatch& out);

}  // namespace spool
}  // namespace wiretally
