// SPDX-License-Identifier: Apache-2.0
// Information Elements whose values are attributes of a flow: how each is written. What is not
// known is written as zero, as IANA has no other way to say it; the address at a tunnel's other
// end, where there is none of that IP version, as the key's own, so that a collector that keeps the
// last of two (nfdump) is right. IANA has no element for the OR of the ToS octets, for a GRE key or
// a TEID: those are in CSV and JSON only. Thread: any.
#pragma once

#include <cstdint>

#include "control/export/information_element.hpp"
#include "control/merge/flow_record.hpp"

namespace wiretally {

using AttributeStore = void (*)(const FlowRecord& record, const FlowAttributes& attributes,
                                std::uint8_t* out);

// Writes the element at its full size. nullptr: its value is not an attribute. `other_end`: of an
// address, the tunnel's other header's.
AttributeStore attribute_store(Element element, bool other_end);

}  // namespace wiretally
