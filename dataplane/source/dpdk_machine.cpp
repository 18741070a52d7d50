// SPDX-License-Identifier: Apache-2.0
// Facts about the machine from /proc and /sys. Thread: control, at start.
#include "dataplane/source/dpdk_machine.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

namespace wiretally {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::uint64_t number_in(const fs::path& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  file >> value;
  return value;
}

// Empty when the directory is missing or may not be read.
std::vector<fs::path> entries_of(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (auto it = fs::directory_iterator(directory, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    entries.push_back(it->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

// Interfaces of the default routes, IPv4 and IPv6 (destination and prefix all zero).
std::vector<std::string> default_route_interfaces(const std::string& root) {
  std::vector<std::string> names;
  std::ifstream v4(fs::path(root) / "proc/net/route");
  std::string line;
  while (std::getline(v4, line)) {
    std::istringstream fields(line);
    std::string name, destination;
    if (fields >> name >> destination && destination == "00000000") names.push_back(name);
  }
  std::ifstream v6(fs::path(root) / "proc/net/ipv6_route");
  while (std::getline(v6, line)) {
    const std::string_view text = line;
    if (!text.starts_with("00000000000000000000000000000000 00 ")) continue;
    const std::string name(text.substr(text.find_last_of(' ') + 1));
    if (name != "lo") names.push_back(name);
  }
  return names;
}

PciNetworkDevice describe_pci(const fs::path& path, const std::vector<std::string>& routed) {
  PciNetworkDevice device;
  device.address = path.filename();
  std::error_code error;
  const fs::path driver = fs::read_symlink(path / "driver", error);
  if (!error) device.driver = driver.filename();
  device.has_iommu_group = fs::exists(path / "iommu_group", error);
  std::vector<fs::path> found = entries_of(path / "net");
  for (const fs::path& child : entries_of(path)) {  // virtio: the interface hangs on a child device
    if (!child.filename().string().starts_with("virtio")) continue;
    const std::vector<fs::path> more = entries_of(child / "net");
    found.insert(found.end(), more.begin(), more.end());
  }
  for (const fs::path& interface : found) device.interfaces.push_back(interface.filename());
  device.carries_default_route =
      std::any_of(device.interfaces.begin(), device.interfaces.end(), [&](const std::string& name) {
        return std::find(routed.begin(), routed.end(), name) != routed.end();
      });
  return device;
}

}  // namespace

bool PciNetworkDevice::ready() const {
  static constexpr std::array<std::string_view, 6> kUsable = {
      "vfio-pci", "uio_pci_generic", "igb_uio", "mlx4_core", "mlx5_core", "mana"};
  return std::find(kUsable.begin(), kUsable.end(), driver) != kUsable.end();
}

std::vector<HugePages> huge_pages(const std::string& root) {
  std::vector<HugePages> pages;
  for (const fs::path& path : entries_of(fs::path(root) / "sys/kernel/mm/hugepages")) {
    std::uint64_t kib = 0;  // hugepages-2048kB
    const std::string name = path.filename();
    if (std::sscanf(name.c_str(), "hugepages-%lukB", &kib) != 1) continue;
    pages.push_back(
        {kib << 10, number_in(path / "nr_hugepages"), number_in(path / "free_hugepages")});
  }
  return pages;
}

std::uint64_t free_huge_page_octets(const std::vector<HugePages>& pages) {
  std::uint64_t octets = 0;
  for (const HugePages& size : pages) octets += size.free * size.page_octets;
  return octets;
}

std::uint64_t available_memory_octets(const std::string& root) {
  std::ifstream file(fs::path(root) / "proc/meminfo");
  std::string name;
  std::uint64_t kib = 0;
  std::string unit;
  while (file >> name >> kib) {
    if (name == "MemAvailable:") return kib << 10;
    std::getline(file, unit);
  }
  return 0;
}

std::vector<std::uint32_t> allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<std::uint32_t> cores;
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) return cores;
  for (std::uint32_t core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

bool has_capability(int capability) {
  std::ifstream file("/proc/thread-self/status");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("CapEff:")) continue;
    const std::uint64_t effective = std::stoull(line.substr(7), nullptr, 16);
    return (effective >> capability & 1) != 0;
  }
  return false;
}

std::vector<PciNetworkDevice> pci_network_devices(const std::string& root) {
  std::vector<PciNetworkDevice> devices;
  const std::vector<std::string> routed = default_route_interfaces(root);
  for (const fs::path& path : entries_of(fs::path(root) / "sys/bus/pci/devices")) {
    if (!first_line(path / "class").starts_with("0x02")) continue;  // network controller
    devices.push_back(describe_pci(path, routed));
  }
  return devices;
}

std::string size_text(std::uint64_t octets) {
  if (octets >= (1ull << 30) && octets % (1ull << 30) == 0)
    return fmt::format("{} GiB", octets >> 30);
  return fmt::format("{} MiB", octets >> 20);
}

}  // namespace wiretally
