// SPDX-License-Identifier: Apache-2.0
// Reads sysfs; see placement.hpp. Thread: main.
#include "control/capture/placement.hpp"

#include <fmt/format.h>
#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

namespace wiretally {
namespace {

constexpr int kNodesMax = 64;  // of the mask below

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

int number_in(std::string_view text) {
  int number = Placement::kUnknown;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "0-1,4" as the kernel writes lists of CPUs.
std::vector<int> list_of(const std::string& text) {
  std::vector<int> list;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string range = text.substr(at, end - at);
    const std::size_t dash = range.find('-');
    const int first = number_in(range);
    const int last = dash == std::string::npos ? first : number_in(range.substr(dash + 1));
    for (int cpu = std::max(first, 0); cpu <= last; ++cpu) list.push_back(cpu);
    at = end + 1;
  }
  return list;
}

// What the workers poll, as the configuration names it.
std::vector<std::string> devices_of(const CaptureConfig& capture) {
  std::vector<std::string> devices;
  for (const DpdkPortConfig& port : capture.dpdk.ports) devices.push_back(port.device);
  for (const InterfaceConfig& interface : capture.interfaces) devices.push_back(interface.name);
  return devices;
}

}  // namespace

int Placement::node_of_core(int core) const {
  const std::string place = sysfs_ + "/devices/system/cpu/cpu" + std::to_string(core) + "/node";
  for (int node = 0; node < kNodesMax; ++node) {
    if (std::filesystem::exists(place + std::to_string(node))) return node;
  }
  return kUnknown;
}

int Placement::node_of_device(const std::string& device) const {
  const std::size_t iface = device.find("iface=");
  const std::string name = iface == std::string::npos
                               ? device
                               : device.substr(iface + 6, device.find(',', iface) - (iface + 6));
  for (const char* place : {"/class/net/", "/bus/pci/devices/"}) {
    const std::string link = std::string(place) == "/class/net/" ? "/device" : "";
    const std::string node = first_line(sysfs_ + place + name + link + "/numa_node");
    if (!node.empty()) return number_in(node);
  }
  return kUnknown;
}

std::vector<int> Placement::threads_beside(int core) const {
  return list_of(first_line(sysfs_ + "/devices/system/cpu/cpu" + std::to_string(core) +
                            "/topology/thread_siblings_list"));
}

std::vector<std::string> placement_warnings(const Placement& placement, std::span<const int> cores,
                                            const CaptureConfig& capture) {
  std::vector<std::string> warnings;
  for (std::size_t worker = 0; worker < cores.size(); ++worker) {
    const int core = cores[worker];
    if (core < 0) continue;
    const int node = placement.node_of_core(core);
    for (const std::string& device : devices_of(capture)) {
      const int there = placement.node_of_device(device);
      if (node < 0 || there < 0 || node == there) continue;
      warnings.push_back(fmt::format(
          "worker {} runs on core {} of NUMA node {}, but {} is at node {}: every packet crosses "
          "between them; give it a core of node {}",
          worker, core, node, device, there, there));
    }
    const std::vector<int> beside = placement.threads_beside(core);
    for (std::size_t other = worker + 1; other < cores.size(); ++other) {
      if (std::ranges::count(beside, cores[other]) == 0) continue;
      warnings.push_back(fmt::format(
          "workers {} and {} run on cores {} and {}, which are one physical core: they share its "
          "caches and execution units",
          worker, other, core, cores[other]));
    }
  }
  return warnings;
}

MemoryNear::MemoryNear(int node) {
  if (node < 0 || node >= kNodesMax) return;
  const unsigned long mask = 1UL << node;
  set_ = syscall(SYS_set_mempolicy, MPOL_PREFERRED, &mask, kNodesMax + 1) == 0;
}

MemoryNear::~MemoryNear() {
  if (set_) syscall(SYS_set_mempolicy, MPOL_DEFAULT, nullptr, 0);
}

}  // namespace wiretally
