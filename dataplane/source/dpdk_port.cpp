// SPDX-License-Identifier: Apache-2.0
// DPDK devices: attach, configure, start, count what is missed, take down. Thread: control.
#include "dataplane/source/dpdk_port.hpp"

#include <fmt/format.h>
#include <linux/capability.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <bit>
#include <set>

#include "config/startup_error.hpp"
#include "dataplane/source/dpdk_log.hpp"
#include "dataplane/source/dpdk_machine.hpp"
#include "dataplane/source/dpdk_packet_socket.hpp"
#include "dataplane/source/dpdk_recording.hpp"
#include "dataplane/source/kernel_link.hpp"

namespace wiretally {
namespace {

constexpr std::uint16_t kDescriptors = 2048;
constexpr unsigned kPoolCache = 256;
// Frames of a NIC that can hold them in chained buffers; above every jumbo MTU in use.
constexpr std::uint16_t kJumboMtu = 9000;
constexpr std::uint64_t kRssFields = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;

bool reads_kernel_interface(const DpdkDevice& device) {
  return device.driver == "net_af_packet" || device.driver == "net_af_xdp";
}

bool drops_without_mbuf(const DpdkDevice& device) {
  return device.driver == "net_pcap" || device.driver == "net_tap";
}

bool repeats_for_ever(const DpdkDevice& device) {
  const std::string value = device.value("infinite_rx");
  return !value.empty() && value != "0";
}

// Buffers of one packet at most: net_pcap chains them for frames of up to 64 KiB, a NIC for jumbo
// frames.
unsigned chain_max(const DpdkDevice& device) {
  if (device.driver == "net_pcap") return 32;
  return device.bus == DpdkBus::kPci ? 5 : 1;
}

// All that can be away from the pool at once: descriptors, a burst of chains, what the cache keeps
// back, and the packets infinite_rx repeats. rte_mempool likes 2^n - 1.
unsigned buffers_for(const DpdkDevice& device, std::uint16_t descriptors,
                     std::uint64_t recorded_packets) {
  const std::uint64_t needed = descriptors + std::uint64_t{chain_max(device)} * kBurstMax +
                               kPoolCache * 3 / 2 + recorded_packets;
  return static_cast<unsigned>(std::bit_ceil(needed + 1) - 1);
}

std::string capability_cure() {
  std::string missing;
  if (!has_capability(CAP_NET_RAW)) missing += " CAP_NET_RAW";
  if (!has_capability(CAP_NET_ADMIN)) missing += " CAP_NET_ADMIN";
  if (missing.empty()) return {};
  return fmt::format(
      "this process lacks{}: run as root, or grant it (systemd: AmbientCapabilities)", missing);
}

}  // namespace

void DpdkPort::PoolDeleter::operator()(rte_mempool* pool) const {
  rte_mempool_free(pool);
}

DpdkPort::DpdkPort(const DpdkPortConfig& config, const DpdkDevice& device, PortIndex index,
                   bool promiscuous)
    : device_(device),
      name_(config.name.empty() ? fmt::format("port{}", static_cast<unsigned>(index))
                                : config.name),
      ifindex_(config.ifindex != 0 ? config.ifindex : static_cast<std::uint32_t>(index) + 1),
      index_(index),
      promiscuous_(promiscuous),
      queue_count_(config.queues) {
  DpdkLog::clear();
  if (reads_kernel_interface(device)) interface_ = device.value("iface");
  inspect_recordings(config.queues);
  open_devices();
  nic_missed_.begin(nic_missed_packets(interface_).value_or(0));
}

DpdkPort::~DpdkPort() {
  stop();
  close_devices();
}

void DpdkPort::open_devices() {
  std::optional<KernelInterface> interface;
  if (!interface_.empty()) interface = kernel_interface(interface_);
  DpdkAttachmentPlan plan = plan_attachments(device_, queue_count_, interface, locked_memory());
  remarks_.insert(remarks_.end(), plan.remarks.begin(), plan.remarks.end());
  const std::set<int> sockets_before = capture_sockets();
  try {
    for (const DpdkAttachment& attachment : plan.attachments) {
      attach(attachment);
      configure(members_.back(), attachment.queues, plan.data_room);
    }
    find_kernel_counters(sockets_before);
  } catch (...) {
    close_devices();
    throw;
  }
  ifindex_held_ = interface ? interface->index : 0;
}

void DpdkPort::refuse(const std::string& why) const {
  throw StartupError(ExitCode::kMachine,
                     fmt::format("{}: \"{}\": {}", device_.key, device_.text, why));
}

void DpdkPort::refuse_device(const DpdkAttachment& attachment, int error) const {
  const std::string said = DpdkLog::last_lines();
  if (said.find("failed to parse device") != std::string::npos) {
    std::string known;
    for (const VdevDriver& driver : vdev_drivers()) known += fmt::format(" {}", driver.name);
    throw StartupError(ExitCode::kUsage,
                       fmt::format("{}: \"{}\": DPDK has no driver {} here; drivers of virtual "
                                   "devices:{}",
                                   device_.key, device_.text, device_.driver, known));
  }
  std::string cure = reads_kernel_interface(device_) ? capability_cure() : std::string();
  if (cure.empty()) cure = "check its arguments";
  // Drivers answer a bare -1 for anything: as an errno it would be "not permitted".
  if (error != -1) cure += fmt::format(" ({})", rte_strerror(error < 0 ? -error : error));
  if (!said.empty()) cure += ". It said: " + said;
  refuse(fmt::format("DPDK cannot open device {}: {}", attachment.name, cure));
}

void DpdkPort::inspect_recordings(std::uint16_t queues) {
  link_types_.assign(queues, LinkType::kEthernet);
  if (device_.driver != "net_pcap") return;
  const bool repeated = repeats_for_ever(device_);
  const std::vector<std::string> files = device_.values("rx_pcap");
  recording_ = files.size() == queues && !repeated;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Recording file = inspect_recording(files[i], device_.key, repeated);
    link_types_[i] = file.link_type;
    recorded_packets_ = std::max(recorded_packets_, file.packets);
    if (file.snapshot_octets < 65535) {
      remarks_.push_back(
          fmt::format("{} was captured with {} octets a packet, and net_pcap does not tell the "
                      "length on the wire: "
                      "layer-2 octets of longer packets count as cut; driver: pcap knows them",
                      files[i], file.snapshot_octets));
    }
  }
}

// PCI devices are there since the EAL started; virtual ones are added now, for errors that name
// them.
void DpdkPort::attach(const DpdkAttachment& attachment) {
  Member member;
  member.name = attachment.name;
  if (rte_eth_dev_get_port_by_name(attachment.name.c_str(), &member.ethdev) != 0) {
    if (device_.bus == DpdkBus::kPci) {
      refuse(fmt::format("DPDK has no driver for this device, or could not take it. It said: {}",
                         DpdkLog::last_lines()));
    }
    hot_plug(attachment);
    member.attached_here = true;
    if (rte_eth_dev_get_port_by_name(attachment.name.c_str(), &member.ethdev) != 0) {
      refuse_device(attachment, ENODEV);
    }
  }
  members_.push_back(std::move(member));
}

void DpdkPort::hot_plug(const DpdkAttachment& attachment) {
  const bool packet_socket = device_.driver == "net_af_packet";
  const MendPacketSockets mending(packet_socket ? attachment.queues : std::uint16_t{0});
  const int error =
      rte_eal_hotplug_add("vdev", attachment.name.c_str(), attachment.arguments.c_str());
  DpdkLog::install_for_loaded_libraries();
  if (error != 0) refuse_device(attachment, error);
  if (!packet_socket) return;
  if (mending.mended() != attachment.queues) {
    remarks_.emplace_back("the kernel puts IPv4 fragments together before net_af_packet sees them");
  } else if (!MendPacketSockets::kernel_can_leave_out_sent_packets(attachment.queues)) {
    remarks_.emplace_back(
        "packets that this host sends are counted too (several queues of "
        "net_af_packet on a kernel before 6.2)");
  }
}

void DpdkPort::configure(const Member& member, std::uint16_t queues, std::uint16_t data_room) {
  rte_eth_dev_info info{};
  rte_eth_dev_info_get(member.ethdev, &info);
  if (queues > info.max_rx_queues) {
    refuse(fmt::format("queues: {}, but the device offers {}", queues, info.max_rx_queues));
  }
  // No offload that changes a frame: tags stay in it, nothing is merged.
  rte_eth_conf conf{};
  if (device_.bus == DpdkBus::kPci) {
    conf.rxmode.mtu = std::min(info.max_mtu, kJumboMtu);
    if ((info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0) {
      conf.rxmode.offloads = RTE_ETH_RX_OFFLOAD_SCATTER;
    } else {
      data_room = std::max<std::uint16_t>(data_room, conf.rxmode.mtu + 64 + RTE_PKTMBUF_HEADROOM);
    }
    if (queues > 1) {
      if ((info.flow_type_rss_offloads & kRssFields) == 0) {
        refuse(fmt::format(
            "queues: {}, but the device cannot spread packets over queues (no RSS): set "
            "queues: 1",
            queues));
      }
      conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
      conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads & kRssFields;
    }
  }
  // As many transmit queues as receive queues: some drivers (net_af_xdp) refuse anything else.
  const std::uint16_t transmit = std::min(queues, info.max_tx_queues);
  if (const int error = rte_eth_dev_configure(member.ethdev, queues, transmit, &conf); error != 0) {
    refuse(fmt::format("the device does not take {} queue{} ({}). It said: {}", queues,
                       queues == 1 ? "" : "s", rte_strerror(-error), DpdkLog::last_lines()));
  }
  std::uint16_t descriptors = kDescriptors;
  std::uint16_t transmit_descriptors = 64;
  rte_eth_dev_adjust_nb_rx_tx_desc(member.ethdev, &descriptors, &transmit_descriptors);
  if (reads_kernel_interface(device_))
    transmit_descriptors = descriptors;  // one ring size for both
  for (std::uint16_t queue = 0; queue < transmit; ++queue) {
    rte_eth_tx_queue_setup(member.ethdev, queue, transmit_descriptors, SOCKET_ID_ANY, nullptr);
  }
  for (std::uint16_t queue = 0; queue < queues; ++queue) {
    set_up_queue(member, queue, descriptors, data_room);
  }
}

// A pool per queue: one worker takes from it and gives back to it, and net_af_xdp lays its memory
// over it.
void DpdkPort::set_up_queue(const Member& member, std::uint16_t queue, std::uint16_t descriptors,
                            std::uint16_t data_room) {
  const unsigned buffers = buffers_for(device_, descriptors, recorded_packets_);
  const std::string name = fmt::format("rx{}q{}", member.ethdev, queue);
  rte_mempool* pool = rte_pktmbuf_pool_create(name.c_str(), buffers, kPoolCache, 0, data_room,
                                              rte_eth_dev_socket_id(member.ethdev));
  if (pool == nullptr) {
    refuse(
        fmt::format("no memory for {} packet buffers of {} octets, {} in all ({}): raise "
                    "capture.dpdk.memory",
                    buffers, data_room, size_text(std::uint64_t{buffers} * (data_room + 192u)),
                    rte_strerror(rte_errno)));
  }
  pools_.emplace_back(pool);
  const int error =
      rte_eth_rx_queue_setup(member.ethdev, queue, descriptors, SOCKET_ID_ANY, nullptr, pool);
  DpdkLog::install_for_loaded_libraries();
  if (error != 0) refuse_device({member.name, device_.arguments, 1}, error);
  DpdkQueue made;
  made.ethdev = member.ethdev;
  made.queue = queue;
  made.port = index_;
  made.link_type = link_types_[queues_.size()];
  made.recording = recording_;
  made.may_sleep = device_.bus == DpdkBus::kVdev;
  if (!interface_.empty()) {
    const std::size_t number = queues_.size();
    if (number == gates_.size()) gates_.push_back(std::make_shared<DpdkGate>(member.ethdev));
    made.gate = gates_[number];
  }
  queues_.push_back(made);
}

void DpdkPort::find_kernel_counters(const std::set<int>& before) {
  if (!reads_kernel_interface(device_)) return;
  for (const int descriptor : capture_sockets()) {
    if (!before.contains(descriptor)) kernel_counters_.emplace_back(descriptor);
  }
}

void DpdkPort::start() {
  const std::lock_guard lock(mutex_);
  start_devices();
  started_ = true;
}

void DpdkPort::start_devices() {
  DpdkLog::clear();
  const auto interface = kernel_interface(interface_);
  for (const Member& member : members_) {
    rte_eth_stats_reset(member.ethdev);
    if (const int error = rte_eth_dev_start(member.ethdev); error != 0) {
      refuse(fmt::format("device {} does not start ({}). It said: {}", member.name,
                         rte_strerror(-error), DpdkLog::last_lines()));
    }
  }
  if (interface && interface->promiscuous_flag) set_promiscuous_flag(interface_);
  if (promiscuous_) set_promiscuous();
}

void DpdkPort::set_promiscuous() {
  bool on = true;
  if (!interface_.empty()) {
    promiscuous_interface_ = std::make_unique<PromiscuousInterface>(interface_);
    on = promiscuous_interface_->in_effect();
  } else if (device_.bus == DpdkBus::kPci) {  // other virtual devices know no address filter
    on = rte_eth_promiscuous_enable(members_.front().ethdev) == 0;
  }
  if (on) return;
  remarks_.push_back(
      fmt::format("{} does not become promiscuous: it may show only packets to its own "
                  "address",
                  device_.name));
}

void DpdkPort::stop() {
  const std::lock_guard lock(mutex_);
  if (!started_) return;
  last_missed_ = missed_locked();  // the drivers close their sockets when stopped
  started_ = false;
  kernel_counters_.clear();
  promiscuous_interface_.reset();
  for (const Member& member : members_) rte_eth_dev_stop(member.ethdev);
}

void DpdkPort::close_devices() {
  for (const Member& member : members_) {
    rte_eth_dev_close(member.ethdev);
    if (member.attached_here) rte_eal_hotplug_remove("vdev", member.name.c_str());
  }
  members_.clear();
  pools_.clear();
  queues_.clear();
}

std::uint64_t DpdkPort::received() {
  const std::lock_guard lock(mutex_);
  return received_locked();
}

std::uint64_t DpdkPort::received_locked() const {
  std::uint64_t packets = received_before_;
  for (const Member& member : members_) {
    rte_eth_stats stats{};
    if (rte_eth_stats_get(member.ethdev, &stats) == 0) packets += stats.ipackets;
  }
  return packets;
}

std::vector<MissedCount> DpdkPort::missed() {
  const std::lock_guard lock(mutex_);
  if (!started_ && !last_missed_.empty()) return last_missed_;
  return missed_locked();
}

std::vector<MissedCount> DpdkPort::missed_locked() {
  std::uint64_t nic = 0, no_mbuf = no_mbuf_before_, errors = errors_before_;
  std::uint64_t kernel = kernel_before_;
  for (const Member& member : members_) {
    rte_eth_stats stats{};
    if (rte_eth_stats_get(member.ethdev, &stats) != 0) continue;
    if (interface_.empty()) nic += stats.imissed;
    if (drops_without_mbuf(device_)) no_mbuf += stats.rx_nombuf;
    errors += stats.ierrors;
  }
  for (KernelSocketCounter& socket : kernel_counters_) kernel += socket.dropped();
  std::vector<MissedCount> missed = {
      {"nic", nic}, {"no_mbuf", no_mbuf}, {"errors", errors}, {"kernel", kernel}};
  if (interface_.empty()) return missed;
  if (ifindex_held_ != 0) {
    if (const auto raw = nic_missed_packets(interface_)) nic_missed_.update(*raw);
  }
  missed[0].packets = nic_missed_.total();
  missed.push_back({"not_attached", not_attached_});
  return missed;
}

std::size_t DpdkPort::free_buffers() const {
  std::size_t buffers = 0;
  for (const auto& pool : pools_) buffers += rte_mempool_avail_count(pool.get());
  return buffers;
}

}  // namespace wiretally
