// SPDX-License-Identifier: Apache-2.0
// Where workers stand: on which NUMA node, beside whom on one physical core, how far from what they
// poll. Read from sysfs at start; a machine that does not say is taken for one node.
// Thread: main.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace wiretally {

class Placement {
 public:
  static constexpr int kUnknown = -1;

  explicit Placement(std::string sysfs = "/sys") : sysfs_(std::move(sysfs)) {}

  [[nodiscard]] int node_of_core(int core) const;
  // Of a kernel interface, a PCI address, or a vdev with iface=NAME; kUnknown for what has no
  // device behind it.
  [[nodiscard]] int node_of_device(const std::string& device) const;
  // The hardware threads of the core's physical core, itself among them.
  [[nodiscard]] std::vector<int> threads_beside(int core) const;

 private:
  std::string sysfs_;
};

// What is badly placed, a sentence each: a worker on another node than a device it polls, two
// workers on one physical core. `cores`: of each worker, -1: not pinned.
std::vector<std::string> placement_warnings(const Placement& placement, std::span<const int> cores,
                                            const CaptureConfig& capture);

// While it lives, this thread's new memory comes from `node` as long as there is some, so that a
// worker's tables are made where the worker runs. kUnknown: nothing.
class MemoryNear {
 public:
  explicit MemoryNear(int node);
  ~MemoryNear();
  MemoryNear(const MemoryNear&) = delete;
  MemoryNear& operator=(const MemoryNear&) = delete;

 private:
  bool set_ = false;
};

}  // namespace wiretally
