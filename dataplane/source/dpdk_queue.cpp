// SPDX-License-Identifier: Apache-2.0
// Deals queues out to workers. Thread: control, at start.
#include "dataplane/source/dpdk_queue.hpp"

#include <fmt/format.h>

#include "config/startup_error.hpp"

namespace wiretally {

std::vector<std::vector<DpdkQueue>> assign_queues(const std::vector<DpdkQueue>& queues,
                                                  std::size_t workers) {
  if (queues.empty()) {
    throw StartupError(ExitCode::kUsage, "capture.dpdk.ports: no port: name at least one device");
  }
  if (workers == 0) {
    throw StartupError(ExitCode::kUsage,
                       "capture.dpdk.workers: no cores: name at least one, for example [1]");
  }
  if (workers > queues.size()) {
    throw StartupError(
        ExitCode::kUsage,
        fmt::format(
            "capture.dpdk.workers: {} cores, but the ports have {} queue{} in all: a worker "
            "would poll nothing; name fewer cores or give a port more queues "
            "(capture.dpdk.ports[].queues)",
            workers, queues.size(), queues.size() == 1 ? "" : "s"));
  }
  std::vector<std::vector<DpdkQueue>> assigned(workers);
  for (std::size_t i = 0; i < queues.size(); ++i) assigned[i % workers].push_back(queues[i]);
  return assigned;
}

}  // namespace wiretally
