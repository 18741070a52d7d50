// SPDX-License-Identifier: Apache-2.0
// http://LISTEN/metrics for Prometheus, served by prometheus-cpp's own threads. A scrape reads the
// last tick's Status and holds nothing of the meter. Thread: made and destroyed by main; `status`
// is called from any thread and may return null before the first tick. Errors: StartupError, kUsage
// for an address that is none, kMachine for one that cannot be listened on.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "control/status.hpp"

namespace wiretally {

// What is wrong with `listen` as an address, and the cure; empty: nothing. A name is looked up,
// which may ask a name server. Listens on nothing.
[[nodiscard]] std::string listen_problem(const std::string& listen);

class MetricsEndpoint {
 public:
  // `listen` is IPv4:port or name:port; of a name, its first IPv4 address. Port 0 lets the system
  // choose.
  MetricsEndpoint(const std::string& listen, std::function<StatusPtr()> status);
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;
  ~MetricsEndpoint();

  [[nodiscard]] int port() const;

 private:
  struct Server;
  std::uint32_t host_ = 0;  // network order
  std::unique_ptr<Server> server_;
};

}  // namespace wiretally
