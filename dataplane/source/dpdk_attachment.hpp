// SPDX-License-Identifier: Apache-2.0
// How one configured port becomes DPDK devices: most are one; an AF_XDP port of several queues is
// one device per queue. Fills in what the virtual drivers need and users should not have to know,
// and refuses what would lose packets silently. A pure function of its arguments. Thread: control,
// at start. Errors: StartupError naming the key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/source/dpdk_device.hpp"
#include "dataplane/source/dpdk_interface.hpp"

namespace wiretally {

struct DpdkAttachment {
  std::string name;  // of the device, as EAL takes it
  std::string arguments;
  std::uint16_t queues = 1;
};

struct DpdkAttachmentPlan {
  std::vector<DpdkAttachment> attachments;
  std::uint16_t data_room = 0;       // octets of a packet buffer, headroom included
  std::vector<std::string> remarks;  // worth a line in the log
};

// How much locked memory the kernel grants this process for packet rings.
struct LockedMemory {
  bool unlimited = true;
  std::uint64_t octets = 0;
};
[[nodiscard]] LockedMemory locked_memory();

// `interface` is the kernel interface of net_af_packet and net_af_xdp (which must exist), else
// empty.
[[nodiscard]] DpdkAttachmentPlan plan_attachments(const DpdkDevice& device, std::uint16_t queues,
                                                  const std::optional<KernelInterface>& interface,
                                                  const LockedMemory& locked);

// Refuses what would lose packets or harm others on the interfaces of net_af_xdp ports: a receive
// queue without a port (XDP sockets see only the queues they are bound to), and an XDP program of
// somebody else (the driver does not replace it, but takes it off when it closes). Asks the kernel.
// `queues` are the configured counts in the order of `devices`.
void check_xdp_interfaces(const std::vector<DpdkDevice>& devices,
                          const std::vector<std::uint16_t>& queues);

// The latter alone, for one device.
void check_foreign_program(const DpdkDevice& device);

}  // namespace wiretally
