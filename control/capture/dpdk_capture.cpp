// SPDX-License-Identifier: Apache-2.0
// The dpdk driver: ports and queues as configured, a pinned worker for each listed core. Thread:
// main.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "control/capture/capture.hpp"
#include "dataplane/source/dpdk_capture.hpp"
#include "dataplane/source/dpdk_source.hpp"

namespace wiretally {

Capture open_dpdk(const CaptureConfig& config) {
  auto dpdk = std::make_shared<DpdkCapture>(config);
  Capture capture;
  capture.driver = "dpdk";
  capture.note = fmt::format("{} port(s) on {} worker(s), {}", dpdk->ports().size(),
                             dpdk->workers(), config.dpdk.no_huge ? "no huge pages" : "huge pages");
  for (const std::string& remark : dpdk->remarks()) spdlog::warn("{}", remark);
  capture.time_base = dpdk->time_base();
  for (const auto& port : dpdk->ports()) capture.ports.push_back(port.get());
  for (std::size_t i = 0; i < dpdk->workers(); ++i) {
    const auto core = dpdk->core(i);
    capture.feeds.push_back(
        {static_cast<int>(core), [dpdk, i, core](Worker& worker, const std::atomic<bool>& stop) {
           pin_current_thread(core);
           const DpdkThread known;  // registered with EAL: the mempool caches are this thread's own
           const auto source = dpdk->make_source(i);
           worker.run(*source, stop);
         }});
  }
  capture.start = [dpdk] {
    dpdk->start([](const std::string& line) { spdlog::warn("{}", line); });
  };
  capture.stop = [dpdk] { dpdk->stop(); };
  capture.owner = dpdk;
  return capture;
}

}  // namespace wiretally
