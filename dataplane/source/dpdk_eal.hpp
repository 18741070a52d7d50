// SPDX-License-Identifier: Apache-2.0
// DPDK's environment layer (EAL), from the YAML: its arguments, its one start in this process, and
// its refusals turned into one sentence with the cure. Nothing is left behind: memory is anonymous
// huge pages
// (--in-memory) or ordinary memory (capture.dpdk.no_huge), no files, no sockets, no telemetry.
// Workers are our own threads: pinned with pin_current_thread, known to DPDK through DpdkThread.
// Thread: control, at start and end; DpdkThread and pin_current_thread: worker.
// Errors: StartupError (kMachine, kUsage) naming the configuration key.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "dataplane/source/dpdk_device.hpp"

namespace wiretally {

// The command line the EAL gets; a pure function of the configuration.
[[nodiscard]] std::vector<std::string> eal_arguments(const DpdkConfig& config,
                                                     const std::vector<DpdkDevice>& devices);

// Refuses what this machine cannot give: cores, memory, huge pages, PCI devices.
void check_machine_for_dpdk(const DpdkConfig& config, const std::vector<DpdkDevice>& devices);

// One in the life of a process: the EAL cannot be started a second time. The calling thread keeps
// its core affinity (EAL pins its caller; oneTBB and others read the affinity later).
class DpdkEal {
 public:
  DpdkEal(const DpdkConfig& config, const std::vector<DpdkDevice>& devices);
  ~DpdkEal();
  DpdkEal(const DpdkEal&) = delete;
  DpdkEal& operator=(const DpdkEal&) = delete;
};

// Binds the calling thread to one core. Errors: StartupError(kMachine).
void pin_current_thread(std::uint32_t core);

// Makes the calling thread known to DPDK while it lives: buffers then come from a cache of its own
// instead of the pool's shared ring. Without it everything works, slower.
class DpdkThread {
 public:
  DpdkThread();
  ~DpdkThread();
  DpdkThread(const DpdkThread&) = delete;
  DpdkThread& operator=(const DpdkThread&) = delete;
  [[nodiscard]] bool registered() const { return registered_; }

 private:
  bool registered_;
};

}  // namespace wiretally
