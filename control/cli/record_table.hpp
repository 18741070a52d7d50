// SPDX-License-Identifier: Apache-2.0
// `read --output table`: the largest flows of the recording and its totals, for people.
// Thread: control. From: ordered records. To: standard output.
#pragma once

#include "control/sink/ordered_sink.hpp"

namespace wiretally {

void format_table(const OrderedRecords& records, FileWriter& writer);

}  // namespace wiretally
