// SPDX-License-Identifier: Apache-2.0
// What rtnetlink knows about a kernel interface behind a port, in the calling thread's network
// namespace: packets it received and its NIC missed, and the XDP program on it.
// Thread: control; with driver ebpf also its worker, four times a second.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace wiretally {

// The number of the interface; 0: there is none of that name. Empty if it cannot be told now
// (errno: no file descriptor is left, say), which is no sign that the interface has gone.
[[nodiscard]] std::optional<unsigned> interface_number(const std::string& interface);

// IFLA_STATS64 rx_missed_errors: packets the host's NIC had no descriptor for. Empty if the
// interface is gone.
[[nodiscard]] std::optional<std::uint64_t> nic_missed_packets(const std::string& interface);

// IFLA_STATS64 rx_packets: what the interface received since it was made. Empty if it is gone.
[[nodiscard]] std::optional<std::uint64_t> received_packets(const std::string& interface);

// The bridge, bond or team that has the interface for its port; empty: none.
[[nodiscard]] std::string master_of(const std::string& interface);

// Number of the interface that this one (a VLAN, a macvlan, ...) stands on, in the same namespace;
// 0: none. The other end of a veth pair is none.
[[nodiscard]] unsigned stands_on(const std::string& interface);

// IFLA_STATS64 tx_packets: what the interface sent since it was made. Empty if it is gone.
[[nodiscard]] std::optional<std::uint64_t> sent_packets(const std::string& interface);

struct XdpProgram {
  std::uint32_t id = 0;
  std::string name;  // empty if this process may not ask
};
// The XDP program attached to the interface, in whichever mode.
[[nodiscard]] std::optional<XdpProgram> attached_xdp_program(const std::string& interface);

}  // namespace wiretally
