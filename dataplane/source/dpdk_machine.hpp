// SPDX-License-Identifier: Apache-2.0
// What this machine can give DPDK, read from /proc and /sys before the EAL is asked, so that a
// refusal can name the cure: huge pages, memory, cores, capabilities, PCI network devices and who
// holds them. Thread: control, at start. Nothing here changes the machine or needs the EAL.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wiretally {

struct HugePages {
  std::uint64_t page_octets = 0;
  std::uint64_t total = 0;
  std::uint64_t free = 0;
};

struct PciNetworkDevice {
  std::string address;                  // 0000:3b:00.0
  std::string driver;                   // kernel driver it is bound to; empty: none
  std::vector<std::string> interfaces;  // kernel interfaces on it
  bool carries_default_route = false;
  bool has_iommu_group = false;

  // DPDK can take it as it is: bound to a user-space driver, or to one that shares (Mellanox,
  // MANA).
  [[nodiscard]] bool ready() const;
};

// One entry per page size. `root` is "/" but for tests.
[[nodiscard]] std::vector<HugePages> huge_pages(const std::string& root = "/");
[[nodiscard]] std::uint64_t free_huge_page_octets(const std::vector<HugePages>& pages);

// MemAvailable; 0 if it cannot be told.
[[nodiscard]] std::uint64_t available_memory_octets(const std::string& root = "/");

// Cores the calling thread may run on, ascending.
[[nodiscard]] std::vector<std::uint32_t> allowed_cores();

// Effective capability of the calling thread (CAP_NET_RAW, ...).
[[nodiscard]] bool has_capability(int capability);

[[nodiscard]] std::vector<PciNetworkDevice> pci_network_devices(const std::string& root = "/");

// "64 MiB", for messages.
[[nodiscard]] std::string size_text(std::uint64_t octets);

}  // namespace wiretally
