// SPDX-License-Identifier: Apache-2.0
// The kernel's side of a port that DPDK reaches through a kernel interface (net_af_packet,
// net_af_xdp): its state before start, and the counters that tell what the driver does not: packets
// the NIC had no room for, and packets the kernel could not put into the driver's socket.
// Everything asks the calling thread's network namespace by ioctl; /sys/class/net would
// show the namespace of whoever mounted /sys. Thread: control.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wiretally {

struct KernelInterface {
  unsigned index = 0;
  unsigned mtu = 0;
  unsigned rx_queues = 1;
  bool up = false;
  bool promiscuous_flag = false;    // somebody said `ip link set NAME promisc on`
  bool has_ethernet_frames = true;  // and not, as a tunnel, IP packets
  bool strips_vlan_tags = false;    // the first tag of a frame arrives beside it
  bool merges_packets = false;      // GRO or LRO: several packets of the wire arrive as one
};

// Empty if there is no interface of this name.
[[nodiscard]] std::optional<KernelInterface> kernel_interface(const std::string& name);

// Names of the interfaces here, for messages.
[[nodiscard]] std::vector<std::string> kernel_interface_names();

// File descriptors of this process that are packet or XDP sockets. A driver keeps its sockets to
// itself, so they are found as those that are there after the driver opened its device and were not
// before.
[[nodiscard]] std::set<int> capture_sockets();

// What the kernel could not hand to one such socket. Measured on veth, kernel 6.18, with the reader
// held up: packets sent = received + dropped, to the packet, for both kinds.
//   packet socket: PACKET_STATISTICS tp_drops. Reading it resets it, so only one object may read
//   it. XDP socket: XDP_STATISTICS rx_dropped + rx_ring_full.
class KernelSocketCounter {
 public:
  explicit KernelSocketCounter(int descriptor) : descriptor_(descriptor) {}
  // Total since the socket was opened.
  std::uint64_t dropped();

 private:
  int descriptor_;
  std::uint64_t dropped_ = 0;
};

// Sets the flag again: rte_eth_dev_start() of net_af_packet takes it away from whoever set it.
void set_promiscuous_flag(const std::string& name);

// Keeps a kernel interface promiscuous while it lives. By a membership of a socket of its own, not
// by the interface's flag (as the drivers do it): the kernel counts memberships and ends ours even
// after a kill.
class PromiscuousInterface {
 public:
  explicit PromiscuousInterface(const std::string& name);
  ~PromiscuousInterface();
  PromiscuousInterface(const PromiscuousInterface&) = delete;
  PromiscuousInterface& operator=(const PromiscuousInterface&) = delete;
  [[nodiscard]] bool in_effect() const { return in_effect_; }

 private:
  int descriptor_ = -1;
  bool in_effect_ = false;
};

// A kernel counter that starts again (an interface deleted and made anew) must not run backwards or
// jump.
class SteadyCounter {
 public:
  void begin(std::uint64_t raw) { last_ = raw; }
  std::uint64_t update(std::uint64_t raw) {
    total_ += raw >= last_ ? raw - last_ : raw;
    last_ = raw;
    return total_;
  }
  [[nodiscard]] std::uint64_t total() const { return total_; }

 private:
  std::uint64_t last_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace wiretally
