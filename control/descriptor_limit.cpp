// SPDX-License-Identifier: Apache-2.0
// RLIMIT_NOFILE. Thread: main.
#include "control/descriptor_limit.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kOwn = 48;             // log, history, dumps, timers, libraries
constexpr std::size_t kControlClients = 64;  // ControlLimits::clients
constexpr std::size_t kMetricsClients = 96;  // threads of the server, and its queue
constexpr std::size_t kEachInterface = 32;   // ebpf: maps, programs, links, sockets
constexpr std::size_t kEachCollector = 8;    // socket, look-up of its name, spool
constexpr std::size_t kDescriptorsAdvised = 1024;

}  // namespace

std::size_t descriptors_wanted(const Config& config) {
  const std::size_t ports = config.capture.interfaces.size() + config.capture.dpdk.ports.size();
  return kOwn + kControlClients + (config.metrics.listen.empty() ? 0 : kMetricsClients) +
         kEachInterface * ports + kEachCollector * config.exporting.collectors.size();
}

void ensure_descriptors(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  if (limit.rlim_max >= wanted) {
    limit.rlim_cur = wanted;
    if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return;
  }
  throw StartupError(
      ExitCode::kMachine,
      fmt::format("too many open files: this run may need {} file descriptors, and its limit is "
                  "{}; raise it with `ulimit -n {}`, or LimitNOFILE={} in the service",
                  wanted, limit.rlim_max, std::max(wanted, kDescriptorsAdvised),
                  std::max(wanted, kDescriptorsAdvised)));
}

}  // namespace wiretally
