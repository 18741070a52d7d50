// SPDX-License-Identifier: Apache-2.0
// The meter as a whole: starts sources, workers, control, sinks, metrics and the control socket in
// that order and stops them in reverse. Two ways to run it: a service (`run`) and a recording
// (`read`). Thread: main.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "control/sink/record_sink.hpp"
#include "control/status.hpp"

namespace wiretally {

struct ReadProgress {
  std::uint64_t octets_done = 0;
  std::uint64_t octets_total = 0;  // 0: unknown (a pipe)
  std::uint64_t packets = 0;
};

struct ReadResult {
  StatusPtr status;  // closing state, ledger included
  std::vector<std::string>
      damages;  // captures that ended in the middle of a packet, one sentence each
  std::vector<MonitorSnapshot> monitors;
  std::vector<std::string> unreadable;  // captures of link types that are not known
};

// Where the configuration came from, and comes from again at a reload.
struct ConfigFile {
  std::string path;
  std::vector<std::string> overrides;  // --set
};

// Runs until SIGTERM, SIGINT or `stop` over the control socket; then flushes everything. SIGHUP and
// `reload` read `file` again. Returns the closing status. Throws StartupError before the first
// packet, never after.
StatusPtr run_appliance(const Config& config, const ConfigFile& file);

// Reads config.capture.files to the end, in packet time, and flushes all flows into `sinks` and the
// configured collectors. Deterministic. `progress` is called about five times a second.
ReadResult read_captures(const Config& config, const std::vector<RecordSink*>& sinks,
                         const std::function<void(const ReadProgress&)>& progress);

}  // namespace wiretally
