// SPDX-License-Identifier: Apache-2.0
// The cold half of the DPDK driver: one configured port (Observation Point), its DPDK devices,
// queues and buffers, and what it missed. Needs a running DpdkEal. The hot half is dpdk_source.hpp.
//
// A kernel interface that is deleted and made again is taken up again (look(), dpdk_return.cpp).
//
// offered = received + missed, where missed has these reasons, always in this order:
//   nic      the NIC had no descriptor (imissed; for kernel interfaces rx_missed_errors of the
//   interface) no_mbuf  the driver had no buffer and threw the packet away (net_pcap, net_tap).
//   Other drivers leave it
//            where it is, and what is lost by that shows under nic or kernel; their rx_nombuf
//            counts tries, not packets, and is left out.
//   errors   frames with errors, which the NIC did not hand over (ierrors)
//   kernel   net_af_packet, net_af_xdp: the kernel had no room in the driver's socket, read from
//   the socket
//            itself (exact: on veth, received + kernel = sent, to the packet). net_af_packet tells
//            DPDK nothing of it; net_af_xdp as imissed, which is therefore not counted under nic
//            again.
//   not_attached  passed a kernel interface that was made anew before the port was on it again
// What neither can tell: frames dropped before the interface's receive path (on veth the sender's
// tx_dropped). Packets that lie in a ring when asked are neither received nor missed yet.
//
// Thread: control; look() and missed() may run at once. Errors of construction and start():
// StartupError naming the key and the cure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "dataplane/source/dpdk_attachment.hpp"
#include "dataplane/source/dpdk_device.hpp"
#include "dataplane/source/dpdk_interface.hpp"
#include "dataplane/source/dpdk_queue.hpp"
#include "dataplane/source/packet_source.hpp"

struct rte_mempool;

namespace wiretally {

class DpdkPort final : public CapturePort {
 public:
  // Attaches and configures; no packet is handed over before start(). (net_af_packet's rings fill
  // from here on: what arrives before start() is received after it.)
  DpdkPort(const DpdkPortConfig& config, const DpdkDevice& device, PortIndex index,
           bool promiscuous);
  // Stops, closes and detaches. No worker may poll any more.
  ~DpdkPort() override;
  DpdkPort(const DpdkPort&) = delete;
  DpdkPort& operator=(const DpdkPort&) = delete;

  void start();
  // After the last poll. missed() keeps its last totals.
  void stop();

  using Log = std::function<void(const std::string& line)>;
  // Several times a second while workers poll: lets go of an interface that has gone, and takes up
  // the one that comes under its name. Blocks for the time that takes. Says on the log what it
  // does.
  void look(const Log& log);
  [[nodiscard]] bool may_return() const { return !interface_.empty(); }

  [[nodiscard]] std::string_view name() const override { return name_; }
  [[nodiscard]] std::uint32_t ifindex() const override { return ifindex_; }
  std::vector<MissedCount> missed() override;

  // Packets the devices say they handed over; equals what the workers received.
  [[nodiscard]] std::uint64_t received();
  [[nodiscard]] const std::vector<DpdkQueue>& queues() const { return queues_; }
  // A capture file that ends (net_pcap, not infinite_rx): time can be the packets' own.
  [[nodiscard]] bool recording() const { return recording_; }
  // Worth a line in the log: merging offloads, an interface that is down, ...
  [[nodiscard]] const std::vector<std::string>& remarks() const { return remarks_; }
  // Buffers that are not with the driver or a worker, over all pools; for tests.
  [[nodiscard]] std::size_t free_buffers() const;

 private:
  struct Member {  // one DPDK device
    std::string name;
    std::uint16_t ethdev = 0;
    bool attached_here = false;
  };
  struct PoolDeleter {
    void operator()(rte_mempool* pool) const;
  };

  void inspect_recordings(std::uint16_t queues);
  void open_devices();
  void start_devices();
  [[nodiscard]] std::vector<MissedCount> missed_locked();
  [[nodiscard]] std::uint64_t received_locked() const;
  void look_at_queues(const Log& log);
  bool let_go();
  bool take_up(const Log& log);
  void count_gap();
  void attach(const DpdkAttachment& attachment);
  void hot_plug(const DpdkAttachment& attachment);
  void configure(const Member& member, std::uint16_t queues, std::uint16_t data_room);
  void set_up_queue(const Member& member, std::uint16_t queue, std::uint16_t descriptors,
                    std::uint16_t data_room);
  void set_promiscuous();
  void find_kernel_counters(const std::set<int>& before);
  void close_devices();
  [[noreturn]] void refuse(const std::string& why) const;
  [[noreturn]] void refuse_device(const DpdkAttachment& attachment, int error) const;

  const DpdkDevice device_;
  const std::string name_;
  const std::uint32_t ifindex_;
  const PortIndex index_;
  const bool promiscuous_;
  const std::uint16_t queue_count_;
  std::string interface_;  // kernel interface behind the device, or empty
  bool recording_ = false;
  bool started_ = false;
  std::uint64_t recorded_packets_ = 0;  // of the longest file, for infinite_rx
  std::vector<LinkType> link_types_;    // per queue, of recordings
  std::vector<Member> members_;
  std::vector<std::unique_ptr<rte_mempool, PoolDeleter>> pools_;
  std::vector<DpdkQueue> queues_;
  std::vector<KernelSocketCounter> kernel_counters_;
  std::unique_ptr<PromiscuousInterface> promiscuous_interface_;
  SteadyCounter nic_missed_;
  std::vector<MissedCount> last_missed_;
  std::vector<std::string> remarks_;

  std::mutex mutex_;  // what follows, and the devices: look() changes them while missed() asks
  std::vector<std::shared_ptr<DpdkGate>> gates_;  // of queues_; kept when the devices are new
  unsigned ifindex_held_ = 0;  // of interface_; 0: it has gone, and is waited for
  unsigned queues_seen_ = 0;   // of net_af_xdp's interface
  std::int64_t lost_at_ns_ = 0;
  std::string last_refusal_;  // told once
  // Of devices that are closed.
  std::uint64_t received_before_ = 0;
  std::uint64_t no_mbuf_before_ = 0, errors_before_ = 0, kernel_before_ = 0;
  std::uint64_t not_attached_ = 0;
};

}  // namespace wiretally
