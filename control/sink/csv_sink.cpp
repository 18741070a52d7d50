// SPDX-License-Identifier: Apache-2.0
// CSV rows of Flow Records.
// Thread: control.
#include "control/sink/csv_sink.hpp"

#include "control/sink/record_text.hpp"

namespace wiretally {

void format_csv(const OrderedRecords& records, FileWriter& writer) {
  writer.put(kCsvHeader);
  for (const FlowRecord* record : records) {
    writer.commit(put_csv_row(writer.reserve(kRecordTextMax), *record));
  }
}

}  // namespace wiretally
