// SPDX-License-Identifier: Apache-2.0
// `read --output json`: JSON lines, one object a Flow Record, in the order of the CSV.
// Thread: control. From: ordered records. To: standard output.
#pragma once

#include "control/sink/ordered_sink.hpp"
#include "control/sink/record_fields.hpp"

namespace wiretally {

void format_json(const OrderedRecords& records, FileWriter& writer);
// The chosen fields only; null: not known of this record.
void format_json_fields(const RecordFields& fields, const OrderedRecords& records,
                        FileWriter& writer);

class JsonSink : public OrderedSink {
 public:
  explicit JsonSink(int fd) : OrderedSink("json", fd, format_json) {}
  JsonSink(int fd, const RecordFields& fields)
      : OrderedSink("json", fd,
                    [fields](const OrderedRecords& records, FileWriter& writer) {
                      format_json_fields(fields, records, writer);
                    }),
        wants_attributes_(any_attribute(fields)) {}
  [[nodiscard]] bool wants_attributes() const override { return wants_attributes_; }

 private:
  const bool wants_attributes_ = false;
};

}  // namespace wiretally
