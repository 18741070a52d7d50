// SPDX-License-Identifier: Apache-2.0
// What DPDK could meter on this machine, for `wiretally devices` and `doctor`: PCI network devices
// with who holds them, kernel interfaces through virtual devices. The EAL is not started, nothing
// is changed. Thread: control.
#pragma once

#include <string>
#include <vector>

namespace wiretally {

struct DpdkDeviceListing {
  std::string device;   // as capture.dpdk.ports[].device takes it
  std::string kind;     // "pci", "interface" or "driver"
  std::string state;    // one sentence
  std::string command;  // what makes it usable; empty: nothing to do
  bool usable = false;
};

[[nodiscard]] std::vector<DpdkDeviceListing> list_dpdk_devices(const std::string& root = "/");

}  // namespace wiretally
