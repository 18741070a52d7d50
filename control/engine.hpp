// SPDX-License-Identifier: Apache-2.0
// Everything between sources and sinks, for both ways to run: the capture, a worker with its tables
// for each feed, the merger, the collector links and the tick that moves all on. Thread: main; the
// board any.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "config/config.hpp"
#include "control/capture/capture.hpp"
#include "control/merge/merger.hpp"
#include "control/sink/record_sink.hpp"
#include "control/status.hpp"
#include "control/tick.hpp"
#include "dataplane/clock.hpp"
#include "dataplane/flow/flow_hash.hpp"

namespace wiretally {

class Engine {
 public:
  // `sinks` are borrowed; collectors are the engine's own. `service`: `run`; else `read`. Throws
  // StartupError.
  Engine(const Config& config, const std::vector<RecordSink*>& sinks, bool service);
  // Also on the way out of an exception: stops the workers.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  void start_workers();
  // Takes the last epochs in, ends every flow and delivers what the sinks still hold.
  void finish(const std::vector<RecordSink*>& sinks);

  Tick& tick() { return *tick_; }
  [[nodiscard]] const StatusBoard& board() const { return board_; }
  Merger& merger() { return merger_; }
  [[nodiscard]] const Capture& capture() const { return capture_; }
  [[nodiscard]] bool recording() const { return recording_; }
  // `read`: blocks until the worker hands an epoch over.
  void wait_published();

 private:
  struct WorkerSlot;

  void make_tick(const std::vector<RecordSink*>& sinks);
  void request_stop() { stop_.store(true, std::memory_order_relaxed); }
  void join();
  void stop_workers();

  const Config& config_;
  const bool service_;
  MeterClock clock_;
  StatusBoard board_;
  const bool attributes_;  // kept all the way from packet to record
  Capture capture_;
  const bool recording_;
  FlowHash hash_;
  Merger merger_;
  std::vector<std::unique_ptr<RecordSink>> links_;
  std::vector<std::unique_ptr<WorkerSlot>> slots_;
  std::atomic<bool> stop_{false};
  std::unique_ptr<Tick> tick_;
};

}  // namespace wiretally
