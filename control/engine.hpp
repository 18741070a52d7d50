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
#include "control/collector_set.hpp"
#include "control/dump/dump_book.hpp"
#include "control/merge/merger.hpp"
#include "control/monitor/monitor_book.hpp"
#include "control/reload.hpp"
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
  [[nodiscard]] const Config& config() const { return config_; }

  // -- orders, between two ticks (Thread: main) --
  // What the workers have counted so far is drained first, so that an order is about all that came
  // before it.
  SweepOutput sweep(const Sweep& order);
  // Paused: every packet is received and counted as not metered, reason "paused".
  void set_paused(bool paused);
  std::size_t send_templates() { return collectors_.send_templates(); }  // to how many
  // At the end flows go without a record.
  void discard_at_end() { last_leave_ = Leave::kDelete; }
  [[nodiscard]] bool discards() const { return last_leave_ == Leave::kDelete; }
  // Takes a new configuration. Throws StartupError: nothing has changed.
  ReloadResult reload(const Config& next);
  // Parts beyond the engine's own that a reload asks too; borrowed.
  void add_reloadable(Reloadable& part) { reloadables_.push_back(&part); }

  [[nodiscard]] const StatusBoard& board() const { return board_; }
  Merger& merger() { return merger_; }
  MonitorBook& monitors() { return monitors_; }
  // When a tick is wanted for the next dump, in meter time.
  [[nodiscard]] TimeNs next_dump() const;
  // Of what has been counted so far.
  void dump_now();
  [[nodiscard]] const Capture& capture() const { return capture_; }
  [[nodiscard]] bool recording() const { return recording_; }
  // `read`: blocks until the worker hands an epoch over.
  void wait_published();

 private:
  struct WorkerSlot;

  class OwnParts;

  std::unique_ptr<RecordSink> make_link(const Config& config, std::size_t number);
  void make_tick(const std::vector<RecordSink*>& sinks);
  void take_in_all();
  void request_stop() { stop_.store(true, std::memory_order_relaxed); }
  void join();
  void stop_workers();

  Config config_;  // what runs
  const bool service_;
  MeterClock clock_;
  StatusBoard board_;
  const bool attributes_;        // kept all the way from packet to record
  const bool table_attributes_;  // kept from packet to merge
  Capture capture_;
  const bool recording_;
  FlowHash hash_;
  Merger merger_;
  MonitorBook monitors_;
  DumpBook dumps_;
  std::vector<RecordSink*> sinks_;  // borrowed
  CollectorSet collectors_;
  std::unique_ptr<Reloadable> own_parts_;
  std::vector<Reloadable*> reloadables_;
  Leave last_leave_ = Leave::kExport;
  std::unique_ptr<QuotaKeeper> quotas_;  // `run` only
  std::unique_ptr<HistoryTap> history_;  // null: none is kept
  std::vector<std::unique_ptr<WorkerSlot>> slots_;
  std::atomic<bool> stop_{false};
  std::unique_ptr<Tick> tick_;
};

}  // namespace wiretally
