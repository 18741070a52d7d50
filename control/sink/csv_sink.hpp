// SPDX-License-Identifier: Apache-2.0
// `read --output csv`: a header and one row a Flow Record, sorted by first, then key: the
// contract's columns, or those of --fields. Thread: control. From: ordered records. To: standard
// output.
#pragma once

#include "control/sink/ordered_sink.hpp"
#include "control/sink/record_fields.hpp"

namespace wiretally {

void format_csv(const OrderedRecords& records, FileWriter& writer);
void format_csv_fields(const RecordFields& fields, const OrderedRecords& records,
                       FileWriter& writer);

class CsvSink : public OrderedSink {
 public:
  explicit CsvSink(int fd) : OrderedSink("csv", fd, format_csv) {}
  CsvSink(int fd, const RecordFields& fields)
      : OrderedSink("csv", fd,
                    [fields](const OrderedRecords& records, FileWriter& writer) {
                      format_csv_fields(fields, records, writer);
                    }),
        wants_attributes_(any_attribute(fields)) {}
  [[nodiscard]] bool wants_attributes() const override { return wants_attributes_; }

 private:
  const bool wants_attributes_ = false;
};

}  // namespace wiretally
