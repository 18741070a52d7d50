// SPDX-License-Identifier: Apache-2.0
// CSV rows of Flow Records.
// Thread: control.
#include "control/sink/csv_sink.hpp"

#include <algorithm>

#include "control/sink/record_text.hpp"

namespace wiretally {

void format_csv(const OrderedRecords& records, FileWriter& writer) {
  writer.put(kCsvHeader);
  for (const FlowRecord* record : records) {
    writer.commit(put_csv_row(writer.reserve(kRecordTextMax), *record));
  }
}

void format_csv_fields(const RecordFields& fields, const OrderedRecords& records,
                       FileWriter& writer) {
  const auto each = [&](auto put) {
    for (const RecordField* field : fields) {
      char* out = writer.reserve(kFieldTextMax + 1);
      out = put(*field, out);
      *out++ = field == fields.back() ? '\n' : ',';
      writer.commit(out);
    }
  };
  each([](const RecordField& field, char* out) {
    return std::copy(field.name.begin(), field.name.end(), out);
  });
  for (const FlowRecord* record : records) {
    each([record](const RecordField& field, char* out) { return field.put(out, *record); });
  }
}

}  // namespace wiretally
