// SPDX-License-Identifier: Apache-2.0
// The worker loop on the product's DPDK source: frames go into a virtual device at one end (not
// timed) and are polled at the other. net_ring hands buffers over, so what is timed is the loop and
// rte_eth_rx_burst; net_memif copies each frame out of shared memory.
// Thread: the bench's; EAL's own connects the two ends of net_memif.
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "dataplane/source/dpdk_source.hpp"
#include "perf/lab/worker_loop.hpp"

namespace wiretally::perf {
namespace {

constexpr unsigned kBuffers = 8191;
constexpr unsigned kDescriptors = 2048;
constexpr std::size_t kPieceMax = 1000;  // net_ring's ring holds 1023

// No name is used twice.
std::string next_number() {
  static unsigned number = 0;
  return std::to_string(number++);
}

void must(int result, const std::string& what) {
  if (result >= 0) return;
  throw std::runtime_error(what + ": " + rte_strerror(result == -1 ? rte_errno : -result));
}

// A device of its own, made and started. It stays until the process ends: EAL's thread takes a
// connection of net_memif apart in its own time, and a ring or socket is not given back at once.
class VirtualDevice {
 public:
  VirtualDevice(const std::string& name, const std::string& arguments) : name_(name) {
    must(rte_eal_hotplug_add("vdev", name.c_str(), arguments.c_str()), name);
    must(rte_eth_dev_get_port_by_name(name.c_str(), &port_), name);
    pool_ = rte_pktmbuf_pool_create(("pool " + name).c_str(), kBuffers, 256, 0,
                                    RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
    if (pool_ == nullptr) must(-1, name + ": buffers");
    const rte_eth_conf none{};
    must(rte_eth_dev_configure(port_, 1, 1, &none), name);
    must(rte_eth_rx_queue_setup(port_, 0, kDescriptors, SOCKET_ID_ANY, nullptr, pool_), name);
    must(rte_eth_tx_queue_setup(port_, 0, kDescriptors, SOCKET_ID_ANY, nullptr), name);
    must(rte_eth_dev_start(port_), name);
  }
  VirtualDevice(const VirtualDevice&) = delete;
  VirtualDevice& operator=(const VirtualDevice&) = delete;

  void wait_until_up() const {
    for (int tries = 0; tries < 300; ++tries) {
      rte_eth_link link{};
      rte_eth_link_get_nowait(port_, &link);
      if (link.link_status == RTE_ETH_LINK_UP) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw std::runtime_error(name_ + ": no link");
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] rte_mempool* pool() const { return pool_; }

 private:
  std::string name_;
  std::uint16_t port_ = 0;
  rte_mempool* pool_ = nullptr;
};

class DpdkFeed {
 public:
  // `far`: where frames go in; null: the device gives back what is put into it.
  DpdkFeed(std::unique_ptr<VirtualDevice> near, std::unique_ptr<VirtualDevice> far)
      : near_(std::move(near)),
        far_(std::move(far)),
        source_({{.ethdev = near_->port(), .may_sleep = false, .gate = nullptr}}, {}) {
    if (far_ == nullptr) return;
    near_->wait_until_up();
    far_->wait_until_up();
  }

  std::size_t give(FrameArena& arena) {
    const VirtualDevice& entrance = far_ == nullptr ? *near_ : *far_;
    std::size_t given = 0;
    while (given < kPieceMax) {
      std::array<rte_mbuf*, kBurstMax> buffers;
      const std::size_t size = std::min(buffers.size(), kPieceMax - given);
      must(rte_pktmbuf_alloc_bulk(entrance.pool(), buffers.data(), static_cast<unsigned>(size)),
           "buffers");
      for (std::size_t i = 0; i < size; ++i) {
        const PacketView& view = arena.views()[given + i];
        std::memcpy(rte_pktmbuf_append(buffers[i], static_cast<std::uint16_t>(view.captured)),
                    view.data, view.captured);
      }
      const std::uint16_t sent =
          rte_eth_tx_burst(entrance.port(), 0, buffers.data(), static_cast<std::uint16_t>(size));
      given += sent;
      if (sent == size) continue;
      rte_pktmbuf_free_bulk(buffers.data() + sent, static_cast<unsigned>(size - sent));
      break;
    }
    return given;
  }
  std::size_t poll(std::span<PacketView> views) { return source_.poll(views); }
  void release() { source_.release(); }

 private:
  std::unique_ptr<VirtualDevice> near_;
  std::unique_ptr<VirtualDevice> far_;
  DpdkSource source_;
};

}  // namespace

std::unique_ptr<Arm> make_ring_arm(Bench& bench) {
  return std::make_unique<WorkerLoopArm<DpdkFeed>>(
      bench, "worker loop on net_ring",
      std::make_unique<DpdkFeed>(std::make_unique<VirtualDevice>("net_ring" + next_number(), ""),
                                 nullptr));
}

std::unique_ptr<Arm> make_memif_arm(Bench& bench) {
  const std::string socket = next_number();
  const std::string place = "id=0,rsize=12,socket-abstract=yes,socket=wiretally-bench-" +
                            std::to_string(getpid()) + "-" + socket + ",role=";
  auto near = std::make_unique<VirtualDevice>("net_memif" + socket, place + "server");
  auto far = std::make_unique<VirtualDevice>("net_memif" + next_number(), place + "client");
  return std::make_unique<WorkerLoopArm<DpdkFeed>>(
      bench, "worker loop on net_memif",
      std::make_unique<DpdkFeed>(std::move(near), std::move(far)));
}

}  // namespace wiretally::perf
