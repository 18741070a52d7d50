// SPDX-License-Identifier: Apache-2.0
// The sink of `read`: keeps every record until the end of the recording, then prints them in an
// order that depends on nothing but the records, so that two reads of one file are byte-identical.
// Costs 96 octets a record, 224 with attributes, held in the batches as they came. Thread: control;
// account() any. From: the tick's batches. To: one RecordFormat.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "control/sink/file_writer.hpp"
#include "control/sink/record_sink.hpp"

namespace wiretally {

// By first, then key (addresses as numeric octets, protocol, ports, VLAN, ingress), then every
// other field: a total order over what a record prints.
bool record_before(const FlowRecord& a, const FlowRecord& b);

using OrderedRecords = std::vector<const FlowRecord*>;
using RecordFormat = std::function<void(const OrderedRecords&, FileWriter&)>;

class OrderedSink : public RecordSink {
 public:
  // `fd` is borrowed. `name` is how account() calls the sink.
  OrderedSink(std::string name, int fd, RecordFormat format);

  void offer(const RecordBatchPtr& batch) override;
  [[nodiscard]] SinkAccount account() const override;
  // Sorts and prints; takes as long as it takes (a file is lossless). Records that could not be
  // written count as dropped under "write_error".
  void finish(double limit_s) override;

  // Why writing failed; "" if it did not. Thread: control, after finish().
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  const std::string name_;
  const int fd_;
  const RecordFormat format_;
  std::vector<RecordBatchPtr> batches_;
  std::string error_;

  mutable std::mutex mutex_;  // the counts below
  std::uint64_t offered_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace wiretally
