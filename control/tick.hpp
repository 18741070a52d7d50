// SPDX-License-Identifier: Apache-2.0
// One tick of control, its six steps on one screen (tick.cpp): ask for the flip, drain, merge, end
// what is due, hand the records on, publish the state. The merge itself is control/merge. Thread:
// control.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/accounts.hpp"
#include "control/dump/dump_book.hpp"
#include "control/history/history_tap.hpp"
#include "control/merge/merger.hpp"
#include "control/monitor/monitor_book.hpp"
#include "control/monitor/quota_keeper.hpp"
#include "control/sink/record_sink.hpp"
#include "control/status.hpp"
#include "dataplane/clock.hpp"
#include "dataplane/worker.hpp"

namespace wiretally {

class Tick {
 public:
  struct Parts {
    Merger* merger = nullptr;
    StatusBoard* board = nullptr;
    const MeterClock* clock = nullptr;
    std::vector<WorkerEpochs*> workers;
    std::vector<int> cores;  // of the workers
    std::vector<CapturePort*> ports;
    DumpBook* dumps = nullptr;        // null: nobody asks for any
    MonitorBook* monitors = nullptr;  // null: nobody asks for any
    QuotaKeeper* quotas = nullptr;    // null: none are kept
    HistoryTap* history = nullptr;    // null: none is kept
    std::string driver;
    std::string driver_note;
    TimeBase time_base = TimeBase::kMachine;
    bool recording_walks = false;  // on a recording, time goes on when no packet comes
    TimeNs interval = kNsPerSecond;
    std::uint64_t flows_max = 0;
  };

  explicit Tick(Parts parts);

  // Live: asks every worker for a flip and waits for it, `wait` at the longest. A worker that does
  // not answer (held up by the machine) keeps its epoch; it will be in a later tick.
  void request_flips(TimeNs wait);
  // Drains what has been handed over and does the rest of the tick. `end`: every flow ends now.
  void run(bool end);

  // True when each worker has handed over its last epoch and that has been drained.
  [[nodiscard]] bool all_finished() const;
  // Any worker has an epoch waiting.
  [[nodiscard]] bool anything_published() const;
  // Between two ticks: flows leave by order.
  SweepOutput sweep(const Sweep& order);
  // Between two ticks: `taking` get the records from now on; of `removed`, which get none, only the
  // account goes on. Who is in neither is forgotten.
  void set_sinks(const std::vector<RecordSink*>& taking, const std::vector<RecordSink*>& removed);
  void set_interval(TimeNs interval) { parts_.interval = interval; }
  void set_paused(bool paused) { paused_ = paused; }
  // Builds the state again without a tick: after the sinks were finished.
  void republish();

 private:
  struct Taken {
    std::size_t worker;
    const CountTable* table;
  };
  // How many records a sink was to take: while it took them, in all its times together.
  struct SinkBooks {
    RecordSink* sink = nullptr;
    bool takes = false;
    std::uint64_t joined_at = 0;  // records made until then
    std::uint64_t before = 0;     // taken in earlier times
  };
  std::vector<Taken> take_published();
  TimeNs time_of_tick(const std::vector<Taken>& taken);
  void give_back(const std::vector<Taken>& taken, const TickOutput& output);
  void offer(const std::vector<RecordBatchPtr>& batches);
  [[nodiscard]] std::uint64_t records_made() const;
  [[nodiscard]] SinkBooks books_of(RecordSink* sink, bool takes) const;
  void read_ports();
  void count_tick(double seconds_spent);
  void count_step(TickStep step, TimeNs spent) {
    tick_status_.step_ns[static_cast<std::size_t>(step)] += spent;
  }

  Parts parts_;
  std::vector<WorkerBooks> books_;
  std::vector<SinkBooks> sinks_;
  bool paused_ = false;
  std::vector<bool> finished_;
  std::vector<PortReading> ports_;
  std::uint32_t ticks_ = 0;
  bool ended_ = false;
  TimeNs started_;
  TimeNs published_ = 0;
  TimeNs recording_time_ = 0;  // packets' clock: the latest stamp drained ...
  TimeNs recording_seen_ = 0;  // ... and when, by the machine's
  TickStatus tick_status_;
};

}  // namespace wiretally
