// SPDX-License-Identifier: Apache-2.0
// Record layouts: which elements a Flow Record is sent with. A layout has one Template for each
// kind of record, with ids that never change: 256 + 16 * layout + kind, so a restart, a second
// collector or another layout can never give one id two meanings. Thread: any (values).
#pragma once

#include <cstdint>
#include <vector>

#include "control/export/record_template.hpp"

namespace wiretally {

enum class Layout : std::uint8_t { kBasic = 0 };

enum class RecordKind : std::uint8_t {
  kIpv4 = 0,
  kIpv6 = 1,
  kIcmpIpv4 = 2,  // with IE 32: nfdump reads that in v9, nfacctd only the destination port
  kIcmpIpv6 = 3,  // with IE 139, and 178 and 179, which nfdump reads in v9 (it skips 139)
  kNonIp = 4,
  kCoarseIpv4 = 5,  // with IE 173: which elements the overloaded table still told apart
  kCoarseIpv6 = 6,
  kCoarseNonIp = 7,
};
inline constexpr std::size_t kRecordKinds = 8;

RecordKind record_kind(const FlowKey& key);

constexpr std::uint16_t template_id(Layout layout, RecordKind kind) {
  return static_cast<std::uint16_t>(256 + 16 * static_cast<unsigned>(layout) +
                                    static_cast<unsigned>(kind));
}

// One Template per RecordKind, in that order.
std::vector<RecordTemplate> make_layout(Layout layout);

}  // namespace wiretally
