// SPDX-License-Identifier: Apache-2.0
// From the configuration to running sources: which driver, which ports, which worker polls what.
// The one place that knows all drivers; past it, a source is a closure that runs a worker. Thread:
// main.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "dataplane/source/packet_source.hpp"
#include "dataplane/worker.hpp"

namespace wiretally {

struct Feed {
  int core = -1;  // to pin the worker to; -1: anywhere
  // Runs the worker's loop on this feed's source; the driver is chosen here once, not per packet.
  std::function<void(Worker&, const std::atomic<bool>&)> run;
};

struct Capture {
  std::string driver;
  std::string note;  // why this driver, in which mode
  TimeBase time_base = TimeBase::kMachine;
  bool ends = false;                    // the sources come to an end (files)
  std::vector<CapturePort*> ports;      // by PortIndex
  std::vector<Feed> feeds;              // one per worker
  std::function<void()> start = [] {};  // lets packets come, once the workers poll
  std::function<void()> stop = [] {};   // after the last poll
  // Files only: octets read, octets in all (0: unknown), and what was wrong with them,
  // and which of them hold no packet that can be read.
  std::function<std::pair<std::uint64_t, std::uint64_t>()> progress = [] {
    return std::pair<std::uint64_t, std::uint64_t>(0, 0);
  };
  std::function<std::vector<std::string>()> damages = [] { return std::vector<std::string>(); };
  std::function<std::vector<std::string>()> unreadable = [] { return std::vector<std::string>(); };
  std::shared_ptr<void> owner;  // keeps sources and ports alive
};

// Opens what the configuration names, by the driver it names or the best there is. `attributes`:
// the workers want to see every packet for its attributes. Throws StartupError.
Capture open_capture(const Config& config, bool attributes);

// One driver each; open_capture() chooses.
Capture open_pcap_files(const CaptureConfig& config);
Capture open_pcap_interfaces(const CaptureConfig& config);
Capture open_dpdk(const CaptureConfig& config);
Capture open_af_xdp(const CaptureConfig& config);
Capture open_ebpf(const Config& config, bool attributes);

}  // namespace wiretally
