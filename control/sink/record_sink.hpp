// SPDX-License-Identifier: Apache-2.0
// What takes Flow Records: a collector link, the CSV writer, ... A sink owns its thread and its
// bounded queue; offer() never blocks the tick. Every record offered is delivered, queued, or
// dropped under a named reason, and account() says so at any moment.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/merge/flow_record.hpp"

namespace wiretally {

struct DroppedCount {
  std::string_view reason;  // static storage; always the same reasons in the same order
  std::uint64_t records = 0;
};

// One consistent reading: offered = delivered + queued + sum(dropped).
struct SinkAccount {
  std::string name;           // "127.0.0.1:2055", "csv", ...
  std::uint64_t offered = 0;  // records
  std::uint64_t delivered = 0;
  std::uint64_t queued = 0;
  std::uint64_t spooled = 0;    // of the queued, those on disk
  std::uint64_t recovered = 0;  // of the offered, those that an earlier run left on disk
  std::vector<DroppedCount> dropped;
  std::uint64_t datagrams = 0;  // messages sent, where that means something
  std::uint64_t send_errors = 0;
  std::string state;  // "up", "refused since ...", for status
};

// What a live sink can change without a break.
struct SinkSettings {
  std::uint64_t rate = 0;                          // records a second; 0: no limit
  std::function<bool(const FlowRecord&)> accepts;  // the filter; empty: everything
};

class RecordSink {
 public:
  virtual ~RecordSink() = default;
  // Thread: control. Takes a shared, immutable batch; lossless sinks (files) may block, live ones
  // never.
  virtual void offer(const RecordBatchPtr& batch) = 0;
  // Thread: any.
  [[nodiscard]] virtual SinkAccount account() const = 0;
  // Whether records must come with their attributes. Thread: control, before the first offer().
  [[nodiscard]] virtual bool wants_attributes() const { return false; }
  // Thread: control. True: adjust() is taken, and the sequence of what goes out has no break.
  [[nodiscard]] virtual bool adjustable() const { return false; }
  virtual void adjust(const SinkSettings& settings) { (void)settings; }
  // Thread: control. Templates and options go out before the next records, where there are such.
  virtual void send_templates() {}
  // Thread: control. No more batches will come: deliver what is queued, within `limit_s` seconds at
  // most for live sinks; what is left is dropped under a reason. Returns when done.
  virtual void finish(double limit_s) = 0;
};

}  // namespace wiretally
