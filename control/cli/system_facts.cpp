// SPDX-License-Identifier: Apache-2.0
// Reading /sys and /proc.
// Thread: main.
#include "control/cli/system_facts.hpp"

#include <net/if.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace wiretally {
namespace {

namespace fs = std::filesystem;

std::uint32_t count_prefix(const std::vector<std::string>& names, const std::string& prefix) {
  return static_cast<std::uint32_t>(std::count_if(
      names.begin(), names.end(), [&](const std::string& n) { return n.starts_with(prefix); }));
}

bool is_pci_address(const std::string& name) {
  return name.size() == 12 && name[4] == ':' && name[7] == ':' && name[10] == '.';
}

std::string without_0x(const std::string& text) {
  return text.starts_with("0x") ? text.substr(2) : text;
}

}  // namespace

std::string SystemFacts::read(const std::string& path) const {
  std::ifstream file(root_ + path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::uint64_t SystemFacts::read_number(const std::string& path) const {
  return std::strtoull(read(path).c_str(), nullptr, 0);
}

std::string SystemFacts::link_name(const std::string& path) const {
  std::error_code error;
  const fs::path target = fs::read_symlink(root_ + path, error);
  return error ? "" : target.filename().string();
}

std::vector<std::string> SystemFacts::names_in(const std::string& path) const {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(root_ + path, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

NetworkInterface SystemFacts::interface_named(const std::string& name) const {
  const std::string at = "/sys/class/net/" + name;
  NetworkInterface found;
  found.name = name;
  found.ifindex = static_cast<std::uint32_t>(read_number(at + "/ifindex"));
  found.address = read(at + "/address");
  found.mtu = static_cast<std::uint32_t>(read_number(at + "/mtu"));
  found.up = (read_number(at + "/flags") & IFF_UP) != 0;
  found.carrier = read_number(at + "/carrier") == 1;
  const std::string speed = read(at + "/speed");  // cannot be read while the link is down
  if (!speed.empty() && speed[0] != '-') found.speed_mbit = std::atoll(speed.c_str());
  const std::vector<std::string> queues = names_in(at + "/queues");
  found.rx_queues = count_prefix(queues, "rx-");
  found.tx_queues = count_prefix(queues, "tx-");
  found.driver = link_name(at + "/device/driver");
  const std::string device = link_name(at + "/device");
  if (is_pci_address(device)) found.pci = device;
  return found;
}

std::vector<NetworkInterface> SystemFacts::interfaces() const {
  std::vector<NetworkInterface> found;
  for (const std::string& name : names_in("/sys/class/net")) {
    NetworkInterface one = interface_named(name);
    if (one.ifindex != 0) found.push_back(std::move(one));  // bonding_masters is a plain file
  }
  std::sort(found.begin(), found.end(), [](const NetworkInterface& a, const NetworkInterface& b) {
    return a.ifindex < b.ifindex;
  });
  return found;
}

std::vector<PciNetworkDevice> SystemFacts::pci_devices() const {
  constexpr std::uint64_t kNetworkClass = 0x02;  // PCI base class
  std::vector<PciNetworkDevice> found;
  for (const std::string& address : names_in("/sys/bus/pci/devices")) {
    const std::string at = "/sys/bus/pci/devices/" + address;
    if (read_number(at + "/class") >> 16 != kNetworkClass) continue;
    std::error_code error;
    // virtio's interfaces hang one level below the PCI device.
    const bool kernels =
        fs::exists(root_ + at + "/net", error) || link_name(at + "/driver") == "virtio-pci";
    if (kernels) continue;
    found.push_back({address,
                     without_0x(read(at + "/vendor")) + ":" + without_0x(read(at + "/device")),
                     link_name(at + "/driver")});
  }
  return found;
}

std::vector<HugePages> SystemFacts::huge_pages() const {
  const std::string prefix = "hugepages-";
  std::vector<HugePages> found;
  for (const std::string& name : names_in("/sys/kernel/mm/hugepages")) {
    const std::string at = "/sys/kernel/mm/hugepages/" + name;
    found.push_back({std::strtoull(name.c_str() + prefix.size(), nullptr, 10),
                     read_number(at + "/nr_hugepages"), read_number(at + "/free_hugepages")});
  }
  std::sort(found.begin(), found.end(),
            [](const HugePages& a, const HugePages& b) { return a.page_kb < b.page_kb; });
  return found;
}

bool SystemFacts::has_capability(Capability capability) const {
  std::ifstream file(root_ + "/proc/self/status");
  const std::string name = "CapEff:";
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const std::uint64_t effective = std::strtoull(line.c_str() + name.size(), nullptr, 16);
    return (effective >> static_cast<unsigned>(capability) & 1) != 0;
  }
  return false;
}

std::string SystemFacts::kernel_release() const {
  return read("/proc/sys/kernel/osrelease");
}

bool SystemFacts::cpu_has(const std::string& flag) const {
  std::ifstream file(root_ + "/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (word == flag) return true;
    }
    return false;
  }
  return false;
}

std::uint32_t SystemFacts::cores() const {
  std::uint32_t count = 0;
  std::istringstream ranges(read("/sys/devices/system/cpu/online"));  // "0-3,6"
  for (std::string range; std::getline(ranges, range, ',');) {
    const std::size_t dash = range.find('-');
    const long first = std::atol(range.c_str());
    const long last = dash == std::string::npos ? first : std::atol(range.c_str() + dash + 1);
    count += static_cast<std::uint32_t>(std::max(0L, last - first + 1));
  }
  return count;
}

bool SystemFacts::bpf_is_compiled() const {
  // Without the switch the kernel compiles always (CONFIG_BPF_JIT_ALWAYS_ON), or does not say.
  const std::string value = read("/proc/sys/net/core/bpf_jit_enable");
  return value != "0";
}

}  // namespace wiretally
