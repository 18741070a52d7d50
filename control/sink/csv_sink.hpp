// SPDX-License-Identifier: Apache-2.0
// `read --output csv`: the contract's header and one row a Flow Record, sorted by first, then key.
// Thread: control. From: ordered records. To: standard output.
#pragma once

#include "control/sink/ordered_sink.hpp"

namespace wiretally {

void format_csv(const OrderedRecords& records, FileWriter& writer);

class CsvSink : public OrderedSink {
 public:
  explicit CsvSink(int fd) : OrderedSink("csv", fd, format_csv) {}
};

}  // namespace wiretally
