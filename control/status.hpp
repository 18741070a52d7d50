// SPDX-License-Identifier: Apache-2.0
// Everything the live views, the metrics and `read`'s closing lines show, as plain values of one
// moment: the last tick. Control builds one Status a tick and publishes it; readers hold a
// shared_ptr to it. Thread: built by control, read by any; immutable once published.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "control/dump/dump_status.hpp"
#include "control/history/history_status.hpp"
#include "control/ledger/ledger.hpp"
#include "control/merge/flow_record.hpp"
#include "control/monitor/monitor_status.hpp"
#include "control/sink/record_sink.hpp"
#include "control/volume.hpp"
#include "dataplane/packet/parse_error.hpp"
#include "dataplane/worker_counters.hpp"

namespace wiretally {

struct MissedTotal {
  std::string reason;
  std::uint64_t packets = 0;
};

struct PortStatus {
  std::string name;
  std::uint32_t ifindex = 0;
  std::string mode;  // how its driver takes packets ("zero-copy", ...); empty: one way only
  Volume received;   // octets: 0
  std::vector<MissedTotal> missed;
  std::array<Volume, kIpVersions> metered{};  // by IpVersion: none, v4, v6
  std::array<Volume, kParseErrors>
      parse_results{};  // not metered, by reason; notes on metered ones too
  std::array<std::uint64_t, kCoarseLevels> coarse_packets{};  // [0] unused
  std::uint64_t fragments_joined = 0;                         // flows.fragment_ports: first
  std::uint64_t fragments_evicted = 0;  // first fragments forgotten before their time
};

struct WorkerStatus {
  unsigned id = 0;
  int core = -1;                     // -1: not pinned
  std::uint64_t table_entries = 0;   // in the epoch drained last
  std::uint64_t table_capacity = 0;  // exact flows an epoch can hold
  std::uint64_t epochs = 0;          // flips so far
  double busy_ratio = 0;             // share of polls that found packets, last tick
  std::array<std::int64_t, kWorkerPhases> phase_ns{};  // since start; all 0: not measured
};

inline constexpr std::array<double, 8> kTickBuckets = {0.001, 0.005, 0.01, 0.025,
                                                       0.05,  0.1,   0.25, 1.0};
// Drain and merge are one walk over the tables.
enum class TickStep : std::uint8_t { kFlip, kDrainMerge, kLifecycle, kHandOver, kPublish };
inline constexpr std::size_t kTickSteps = 5;

struct TickStatus {
  std::uint64_t count = 0;
  double sum_s = 0;
  double last_s = 0;
  std::array<std::uint64_t, kTickBuckets.size() + 1> buckets{};  // not cumulative; last is +Inf
  std::uint64_t drained_entries = 0;                             // table entries since start
  std::array<std::int64_t, kTickSteps> step_ns{};                // since start
};

// Flow records so far: least, mean and most of each.
struct Spread {
  double least = 0;
  double mean = 0;
  double most = 0;
};
struct ProtocolStatus {
  std::string protocol;  // "tcp", a number, "non_ip"
  std::uint64_t records = 0;
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;
  double mean_seconds = 0;
  double most_seconds = 0;
};
struct RecordsStatus {
  std::uint64_t records = 0;
  Spread packets;
  Spread octets;
  Spread seconds;
  std::vector<ProtocolStatus> protocols;  // those that were seen
};

struct FlowsStatus {
  std::uint64_t active = 0;
  std::uint64_t max = 0;
  std::uint64_t created = 0;
  std::uint64_t deleted = 0;                           // by order, without a record
  std::array<std::uint64_t, kFlowEndReasons> ended{};  // by FlowEndReason
  std::array<std::uint64_t, kEndCauses> ended_by{};    // the same records, by EndCause
  RecordsStatus records;
};

struct Status {
  std::string version;
  std::string driver;       // dpdk, pcap, ...
  std::string driver_note;  // why this one, its mode
  TimeNs time = 0;          // UTC, of the tick
  double uptime_s = 0;
  double tick_interval_s = 1;
  bool paused = false;  // packets are received and counted as not metered
  std::vector<PortStatus> ports;
  std::vector<WorkerStatus> workers;
  TickStatus tick;
  FlowsStatus flows;
  std::vector<SinkAccount> sinks;
  std::vector<MonitorStatus> monitors;
  HistoryStatus history;
  DumpStatus dumps;
  Ledger ledger;
};
using StatusPtr = std::shared_ptr<const Status>;

// Where control puts the Status of a tick and everybody else finds the latest. Null before the
// first.
class StatusBoard {
 public:
  void publish(StatusPtr status) {
    const std::lock_guard lock(mutex_);
    latest_ = std::move(status);
  }
  [[nodiscard]] StatusPtr latest() const {
    const std::lock_guard lock(mutex_);
    return latest_;
  }

 private:
  mutable std::mutex mutex_;
  StatusPtr latest_;
};

}  // namespace wiretally
