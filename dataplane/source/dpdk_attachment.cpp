// SPDX-License-Identifier: Apache-2.0
// Device arguments and buffer sizes per virtual driver. Thread: control, at start.
#include "dataplane/source/dpdk_attachment.hpp"

#include <fmt/format.h>
#include <linux/capability.h>
#include <rte_mbuf_core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <map>
#include <set>

#include "config/startup_error.hpp"
#include "dataplane/source/dpdk_machine.hpp"
#include "dataplane/source/kernel_link.hpp"

namespace wiretally {
namespace {

constexpr std::uint32_t kEthernetOctets = 14;
constexpr std::uint32_t kTwoTagsOctets = 8;

// net_af_packet, TPACKET_V2: the frame starts 66 octets into its slot (measured, and af_packet.c:
// header 32, sockaddr_ll 20, aligned room for the link header). The driver wants buffers for the
// whole slot but 32 octets.
constexpr std::uint32_t kSlotHeader = 66;
constexpr std::uint32_t kSlotMin = 2048;
constexpr std::uint32_t kSlotMax = 32768;
constexpr std::uint64_t kRingOctets = 16ull
                                      << 20;  // 8192 slots: 8 ms of 1 Mpps while we are not run

// net_af_xdp: a page holds the pool's object header, the buffer's header and the buffer; the kernel
// takes XDP_PACKET_HEADROOM and the driver the usual headroom of it.
constexpr std::uint32_t kXdpHeadroom = 256;
constexpr std::uint32_t kXdpRoomMax = 4096 - 64 - sizeof(rte_mbuf);

constexpr std::uint16_t kRoomMin = RTE_MBUF_DEFAULT_BUF_SIZE;

[[noreturn]] void refuse(ExitCode code, const DpdkDevice& device, const std::string& why) {
  throw StartupError(code, fmt::format("{}: \"{}\": {}", device.key, device.text, why));
}

std::uint32_t number_argument(const DpdkDevice& device, std::string_view name,
                              std::uint32_t otherwise) {
  const std::string text = device.value(name);
  if (text.empty()) return otherwise;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    refuse(ExitCode::kUsage, device, fmt::format("{}={} is not a number", name, text));
  }
  return number;
}

void refuse_other_queue_count(const DpdkDevice& device, std::string_view what,
                              std::uint32_t offered, std::uint16_t queues) {
  if (offered == queues) return;
  refuse(ExitCode::kUsage, device,
         fmt::format("{} makes {} queue{}, but queues is {}: packets of a queue that nobody polls "
                     "would be lost; set queues: {}",
                     what, offered, offered == 1 ? "" : "s", queues, offered));
}

const KernelInterface& require_interface(const DpdkDevice& device,
                                         const std::optional<KernelInterface>& interface) {
  const std::string name = device.value("iface");
  if (name.empty()) {
    refuse(ExitCode::kUsage, device,
           fmt::format("no interface: write \"{},iface=NAME\"", device.name));
  }
  if (!interface) {
    refuse(ExitCode::kMachine, device,
           fmt::format("there is no network interface {}; here: {}", name,
                       fmt::join(kernel_interface_names(), ", ")));
  }
  return *interface;
}

void remark_on_interface(const DpdkDevice& device, const KernelInterface& interface,
                         DpdkAttachmentPlan& plan) {
  const std::string name = device.value("iface");
  if (!interface.up) {
    plan.remarks.push_back(
        fmt::format("interface {} is down: nothing comes until `ip link set {} up`", name, name));
  }
  if (interface.merges_packets) {
    plan.remarks.push_back(
        fmt::format("interface {} merges packets before they are seen (GRO or LRO), so packets and "
                    "layer-2 octets are not those of the wire: ethtool -K {} gro off lro off",
                    name, name));
  }
}

// Ring size: as many slots as kRingOctets hold, twice (the driver maps a transmit ring too), per
// queue; the driver's own 512 slots when the kernel would not lock that much memory for us.
std::uint32_t slots_for(std::uint32_t slot, std::uint16_t queues, const LockedMemory& locked) {
  const std::uint64_t wanted = 2 * kRingOctets * queues;
  if (locked.unlimited || wanted <= locked.octets)
    return static_cast<std::uint32_t>(kRingOctets / slot);
  return 512;
}

void plan_af_packet(const DpdkDevice& device, std::uint16_t queues,
                    const std::optional<KernelInterface>& found, const LockedMemory& locked,
                    DpdkAttachmentPlan& plan) {
  const KernelInterface& interface = require_interface(device, found);
  remark_on_interface(device, interface, plan);
  DpdkAttachment attachment{device.name, device.arguments, queues};
  if (device.has("qpairs")) {
    refuse_other_queue_count(device, "qpairs", number_argument(device, "qpairs", 1), queues);
  } else if (queues > 1) {
    attachment.arguments += fmt::format(",qpairs={}", queues);
  }
  const std::uint32_t frame = interface.mtu + kEthernetOctets + kTwoTagsOctets;
  std::uint32_t slot = std::clamp(std::bit_ceil(frame + kSlotHeader), kSlotMin, kSlotMax);
  if (device.has("framesz") || device.has("blocksz") || device.has("framecnt")) {
    slot = number_argument(device, "framesz", kSlotMin);
  } else {
    const auto page = static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE));
    attachment.arguments += fmt::format(",blocksz={},framesz={},framecnt={}", std::max(page, slot),
                                        slot, slots_for(slot, queues, locked));
  }
  if (frame + kSlotHeader > slot) {
    plan.remarks.push_back(
        fmt::format("frames above {} octets are cut by the ring (framesz={}, MTU {}): their "
                    "layer-2 octets count "
                    "as cut",
                    slot - kSlotHeader, slot, interface.mtu));
  }
  if (slot > UINT16_MAX - RTE_PKTMBUF_HEADROOM) {
    refuse(ExitCode::kUsage, device, fmt::format("framesz={} is above {}", slot, kSlotMax));
  }
  plan.data_room = std::max<std::uint16_t>(kRoomMin, slot + RTE_PKTMBUF_HEADROOM);
  plan.attachments.push_back(std::move(attachment));
}

void plan_af_xdp(const DpdkDevice& device, std::uint16_t queues,
                 const std::optional<KernelInterface>& found, DpdkAttachmentPlan& plan) {
  const KernelInterface& interface = require_interface(device, found);
  if (!interface.up) {
    refuse(ExitCode::kMachine, device,
           fmt::format("interface {0} is down, and XDP sockets want it up: ip link set {0} up",
                       device.value("iface")));
  }
  remark_on_interface(device, interface, plan);
  const std::uint32_t room =
      interface.mtu + kEthernetOctets + kTwoTagsOctets + kXdpHeadroom + RTE_PKTMBUF_HEADROOM;
  if (room > kXdpRoomMax) {
    refuse(ExitCode::kMachine, device,
           fmt::format(
               "the MTU of {} is {}: an XDP socket holds frames up to MTU {}, larger ones would "
               "be lost; lower the MTU, or use net_af_packet",
               device.value("iface"), interface.mtu, kXdpRoomMax - room + interface.mtu));
  }
  plan.data_room = std::max<std::uint16_t>(kRoomMin, static_cast<std::uint16_t>(room));
  if (device.has("start_queue") || device.has("queue_count")) {
    refuse_other_queue_count(device, "queue_count", number_argument(device, "queue_count", 1),
                             queues);
    plan.attachments.push_back({device.name, device.arguments, queues});
    return;
  }
  // One device per queue: with queue_count the driver asks for combined channels, which veth and
  // others do not have.
  for (std::uint16_t queue = 0; queue < queues; ++queue) {
    const std::string name = queue == 0 ? device.name : fmt::format("{}q{}", device.name, queue);
    plan.attachments.push_back(
        {name, fmt::format("{},start_queue={}", device.arguments, queue), 1});
  }
}

void plan_pcap(const DpdkDevice& device, std::uint16_t queues, DpdkAttachmentPlan& plan) {
  const std::size_t inputs = device.values("rx_pcap").size() + device.values("rx_iface").size() +
                             device.values("rx_iface_in").size() + device.values("iface").size();
  if (inputs == 0) {
    refuse(ExitCode::kUsage, device,
           fmt::format("nothing to read: write \"{},rx_pcap=FILE\"", device.name));
  }
  refuse_other_queue_count(device, "each rx_pcap", static_cast<std::uint32_t>(inputs), queues);
  plan.attachments.push_back({device.name, device.arguments, queues});
}

// The XDP queues of an interface that one port takes.
void add_queues(const DpdkDevice& device, std::uint16_t queues, std::set<std::uint32_t>& bound) {
  const std::uint32_t first = number_argument(device, "start_queue", 0);
  for (std::uint32_t queue = 0; queue < queues; ++queue) bound.insert(first + queue);
}

void refuse_unbound_queue(const DpdkDevice& device, const std::set<std::uint32_t>& bound) {
  const std::string name = device.value("iface");
  const auto interface = kernel_interface(name);
  if (!interface || bound.empty()) return;  // refused by plan_attachments, with a better sentence
  for (std::uint32_t queue = 0; queue < interface->rx_queues; ++queue) {
    if (bound.contains(queue)) continue;
    refuse(
        ExitCode::kMachine, device,
        fmt::format("interface {} has {} receive queues, but no port takes queue {}: its packets "
                    "would not be seen; set queues: {} or `ethtool -L {}`",
                    name, interface->rx_queues, queue, interface->rx_queues, name));
  }
  if (*bound.rbegin() >= interface->rx_queues) {
    refuse(
        ExitCode::kMachine, device,
        fmt::format("interface {} has {} receive queue{}: there is no queue {}", name,
                    interface->rx_queues, interface->rx_queues == 1 ? "" : "s", *bound.rbegin()));
  }
}

}  // namespace

LockedMemory locked_memory() {
  rlimit limit{};
  if (has_capability(CAP_IPC_LOCK) || ::getrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
      limit.rlim_cur == RLIM_INFINITY) {
    return {};
  }
  return {false, limit.rlim_cur};
}

DpdkAttachmentPlan plan_attachments(const DpdkDevice& device, std::uint16_t queues,
                                    const std::optional<KernelInterface>& interface,
                                    const LockedMemory& locked) {
  DpdkAttachmentPlan plan;
  plan.data_room = kRoomMin;
  if (queues == 0) refuse(ExitCode::kUsage, device, "queues: 0: a port has at least one");
  if (device.driver == "net_af_packet") {
    plan_af_packet(device, queues, interface, locked, plan);
  } else if (device.driver == "net_af_xdp") {
    plan_af_xdp(device, queues, interface, plan);
  } else if (device.driver == "net_pcap") {
    plan_pcap(device, queues, plan);
  } else {
    plan.attachments.push_back({device.name, device.arguments, queues});
  }
  return plan;
}

// libxdp's own program for XDP sockets stays when a process is killed; the next one takes it over.
void check_foreign_program(const DpdkDevice& device) {
  const std::string name = device.value("iface");
  const auto program = attached_xdp_program(name);
  if (!program || program->name == "xsk_def_prog") return;
  refuse(
      ExitCode::kMachine, device,
      fmt::format("interface {} has an XDP program already (id {}{}{}): it would be taken off when "
                  "we end; stop its owner, or `ip link set dev {} xdp off`, or use net_af_packet",
                  name, program->id, program->name.empty() ? "" : ", ", program->name, name));
}

void check_xdp_interfaces(const std::vector<DpdkDevice>& devices,
                          const std::vector<std::uint16_t>& queues) {
  std::map<std::string, std::set<std::uint32_t>> bound;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (devices[i].driver != "net_af_xdp") continue;
    add_queues(devices[i], queues[i], bound[devices[i].value("iface")]);
  }
  for (const DpdkDevice& device : devices) {
    if (device.driver != "net_af_xdp") continue;
    check_foreign_program(device);
    // A program of the user's own decides itself what it redirects and what it leaves to others.
    if (!device.has("xdp_prog")) refuse_unbound_queue(device, bound[device.value("iface")]);
  }
}

}  // namespace wiretally
