// SPDX-License-Identifier: Apache-2.0
// `read --output json`: JSON lines, one object a Flow Record, in the order of the CSV.
// Thread: control. From: ordered records. To: standard output.
#pragma once

#include "control/sink/ordered_sink.hpp"

namespace wiretally {

void format_json(const OrderedRecords& records, FileWriter& writer);

class JsonSink : public OrderedSink {
 public:
  explicit JsonSink(int fd) : OrderedSink("json", fd, format_json) {}
};

}  // namespace wiretally
