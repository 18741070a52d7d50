// SPDX-License-Identifier: Apache-2.0
// JSON lines of Flow Records.
// Thread: control.
#include "control/sink/json_sink.hpp"

#include "control/sink/record_text.hpp"

namespace wiretally {

void format_json(const OrderedRecords& records, FileWriter& writer) {
  for (const FlowRecord* record : records) {
    char* out = writer.reserve(kRecordTextMax + 4);
    *out++ = '{';
    out = put_json_members(out, *record);
    *out++ = '}';
    *out++ = '\n';
    writer.commit(out);
  }
}

}  // namespace wiretally
