// SPDX-License-Identifier: Apache-2.0
// JSON lines of Flow Records.
// Thread: control.
#include "control/sink/json_sink.hpp"

#include <algorithm>
#include <utility>

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

namespace {

char* put_json_value(const RecordField& field, char* out, const FlowRecord& record) {
  char* const start = out;
  if (field.text) *out++ = '"';
  char* const value = out;
  out = field.put(out, record);
  if (out == value) return std::copy_n("null", 4, start);
  if (field.text) *out++ = '"';
  return out;
}

}  // namespace

void format_json_fields(const RecordFields& fields, const OrderedRecords& records,
                        FileWriter& writer) {
  for (const FlowRecord* record : records) {
    char mark = '{';
    for (const RecordField* chosen : fields) {
      const RecordField& field = json_field(*chosen);
      char* out = writer.reserve(2 * kFieldTextMax);
      *out++ = std::exchange(mark, ',');
      *out++ = '"';
      out = std::copy(field.name.begin(), field.name.end(), out);
      *out++ = '"';
      *out++ = ':';
      writer.commit(put_json_value(field, out, *record));
    }
    writer.put("}\n");
  }
}

}  // namespace wiretally
