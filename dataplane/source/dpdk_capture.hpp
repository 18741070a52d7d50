// SPDX-License-Identifier: Apache-2.0
// The whole DPDK driver from the configuration: EAL, ports, and who polls what. Control makes one,
// starts it, gives each worker thread a source of its own, and takes it down after the workers have
// ended:
//
//   DpdkCapture capture(config.capture);
//   auto source = capture.make_source(i);        // one per worker, in any thread
//   in the worker: pin_current_thread(capture.core(i)); DpdkThread known; worker.run(*source,
//   stop); capture.start();  ...  join workers, destroy the sources;  capture.stop();
//
// Thread: control. Errors: StartupError.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "config/config.hpp"
#include "dataplane/source/dpdk_eal.hpp"
#include "dataplane/source/dpdk_port.hpp"
#include "dataplane/source/dpdk_queue.hpp"
#include "dataplane/source/packet_source.hpp"

namespace wiretally {

class DpdkSource;

class DpdkCapture {
 public:
  explicit DpdkCapture(const CaptureConfig& config);
  ~DpdkCapture();
  DpdkCapture(const DpdkCapture&) = delete;
  DpdkCapture& operator=(const DpdkCapture&) = delete;

  // `log` has a line when a kernel interface goes or comes back.
  void start(DpdkPort::Log log = [](const std::string&) {});
  void stop();

  // In configuration order; valid while this object lives.
  [[nodiscard]] const std::vector<std::unique_ptr<DpdkPort>>& ports() const { return ports_; }
  [[nodiscard]] std::size_t workers() const { return assigned_.size(); }
  [[nodiscard]] std::uint32_t core(std::size_t worker) const { return cores_[worker]; }
  [[nodiscard]] const std::vector<DpdkQueue>& queues(std::size_t worker) const {
    return assigned_[worker];
  }
  [[nodiscard]] std::unique_ptr<DpdkSource> make_source(std::size_t worker) const;
  // kPackets when all ports are recordings.
  [[nodiscard]] TimeBase time_base() const { return time_base_; }
  // Of all ports, each with the port's name.
  [[nodiscard]] std::vector<std::string> remarks() const;

 private:
  DpdkCapture(const CaptureConfig& config, std::vector<DpdkDevice> devices);

  void watch(const DpdkPort::Log& log);
  void end_watch();

  DpdkEal eal_;
  std::vector<std::uint32_t> cores_;
  std::vector<std::unique_ptr<DpdkPort>> ports_;
  std::vector<std::vector<DpdkQueue>> assigned_;
  TimeBase time_base_ = TimeBase::kMachine;
  std::thread watch_;  // looks for interfaces that go and come back
  std::mutex mutex_;
  std::condition_variable ended_;
  bool ending_ = false;
};

}  // namespace wiretally
