// SPDX-License-Identifier: Apache-2.0
// What /sys and /proc say about this machine, as plain values. Cold: for `devices` and `doctor`.
// Thread: main. Errors: what cannot be read is left at its default.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wiretally {

struct NetworkInterface {
  std::string name;
  std::uint32_t ifindex = 0;
  std::string address;  // MAC
  std::uint32_t mtu = 0;
  bool up = false;               // by the administrator
  bool carrier = false;          // by the link
  std::int64_t speed_mbit = -1;  // -1: not known
  std::uint32_t rx_queues = 0;
  std::uint32_t tx_queues = 0;
  std::string driver;  // "" for virtual interfaces
  std::string pci;     // "0000:3b:00.0", "" if not on that bus
};

// A network card that no kernel interface belongs to: DPDK's, or nobody's.
struct PciNetworkDevice {
  std::string address;
  std::string id;      // "8086:1572"
  std::string driver;  // vfio-pci, uio_pci_generic, ... or ""
};

struct HugePages {
  std::uint64_t page_kb = 0;
  std::uint64_t total = 0;
  std::uint64_t free = 0;
};

enum class Capability : std::uint8_t {
  kNetAdmin = 12,
  kNetRaw = 13,
  kIpcLock = 14,
  kSysAdmin = 21,
  kPerfmon = 38,
  kBpf = 39,
};

class SystemFacts {
 public:
  // `root` stands before every path, so that a test can bring its own machine.
  explicit SystemFacts(std::string root = "") : root_(std::move(root)) {}

  [[nodiscard]] std::vector<NetworkInterface> interfaces() const;   // by ifindex, loopback included
  [[nodiscard]] std::vector<PciNetworkDevice> pci_devices() const;  // by address
  [[nodiscard]] std::vector<HugePages> huge_pages() const;          // by size
  [[nodiscard]] bool has_capability(Capability capability) const;   // effective, of this process
  [[nodiscard]] std::string kernel_release() const;                 // "6.1.0-18-amd64"
  [[nodiscard]] bool cpu_has(const std::string& flag) const;        // as /proc/cpuinfo spells it
  [[nodiscard]] std::uint32_t cores() const;                        // online
  [[nodiscard]] bool bpf_is_compiled() const;  // net.core.bpf_jit_enable, or no such switch

 private:
  [[nodiscard]] std::string read(const std::string& path) const;  // first line, "" if unreadable
  [[nodiscard]] std::uint64_t read_number(const std::string& path) const;
  [[nodiscard]] std::string link_name(const std::string& path) const;  // last part of a symlink
  [[nodiscard]] std::vector<std::string> names_in(const std::string& path) const;  // sorted
  [[nodiscard]] NetworkInterface interface_named(const std::string& name) const;

  std::string root_;
};

}  // namespace wiretally
