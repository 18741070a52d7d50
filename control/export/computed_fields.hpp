// SPDX-License-Identifier: Apache-2.0
// Information Elements that are worked out from a record: times in other units, durations, ports by
// protocol, parts of the ToS octet, the direction of a biflow. Thread: any.
#pragma once

#include <cstdint>

#include "control/export/information_element.hpp"
#include "control/merge/flow_record.hpp"

namespace wiretally {

// What a record's elements may need beside the record. Milliseconds since the Unix epoch.
struct ComputedContext {
  std::int64_t boot_ms = 0;  // when sysUpTime was 0, as this message counts
};

// Writes the element at its full size.
using ComputedStore = void (*)(const FlowRecord& record, const ComputedContext& context,
                               std::uint8_t* out);

// nullptr: the element is not one of these. That of biflowDirection reads the record behind its
// own, too: the reverse direction.
ComputedStore computed_store(Element element);

}  // namespace wiretally
