// SPDX-License-Identifier: Apache-2.0
// Kernel interfaces by ioctl and netlink, and the loss counters of capture sockets. Thread:
// control.
#include "dataplane/source/dpdk_interface.hpp"

#include <dirent.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <memory>
#include <string_view>

#include "dataplane/descriptor.hpp"

namespace wiretally {
namespace {

ifreq request_for(const std::string& name) {
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

bool ethtool_ioctl(const Descriptor& socket, const std::string& name, void* command) {
  ifreq request = request_for(name);
  request.ifr_data = static_cast<char*>(command);
  return ::ioctl(socket.get(), SIOCETHTOOL, &request) == 0;
}

// Of a driver that tells no channels (veth before Linux 5.13, tun), as far as the /sys that is
// mounted shows this very interface.
unsigned rx_queues_in_sys(const std::string& name, unsigned index) {
  const std::string folder = "/sys/class/net/" + name;
  unsigned index_there = 0;
  if (!(std::ifstream(folder + "/ifindex") >> index_there) || index_there != index) return 1;
  const std::unique_ptr<DIR, int (*)(DIR*)> queues(::opendir((folder + "/queues").c_str()),
                                                   ::closedir);
  unsigned count = 0;
  while (const dirent* entry = queues == nullptr ? nullptr : ::readdir(queues.get())) {
    if (std::string_view(entry->d_name).starts_with("rx-")) ++count;
  }
  return std::max(1u, count);
}

unsigned rx_queues_of(const Descriptor& socket, const std::string& name, unsigned index) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  if (!ethtool_ioctl(socket, name, &channels)) return rx_queues_in_sys(name, index);
  return std::max(1u, channels.rx_count + channels.combined_count);
}

bool merges_packets(const Descriptor& socket, const std::string& name) {
  ethtool_value gro{ETHTOOL_GGRO, 0};
  ethtool_value flags{ETHTOOL_GFLAGS, 0};
  const bool has_gro = ethtool_ioctl(socket, name, &gro) && gro.data != 0;
  const bool has_lro = ethtool_ioctl(socket, name, &flags) && (flags.data & ETH_FLAG_LRO) != 0;
  return has_gro || has_lro;
}

bool strips_vlan_tags(const Descriptor& socket, const std::string& name) {
  ethtool_value flags{ETHTOOL_GFLAGS, 0};
  return ethtool_ioctl(socket, name, &flags) && (flags.data & ETH_FLAG_RXVLAN) != 0;
}

}  // namespace

std::optional<KernelInterface> kernel_interface(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) return std::nullopt;
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  KernelInterface found;
  ifreq request = request_for(name);
  if (::ioctl(socket.get(), SIOCGIFINDEX, &request) != 0) return std::nullopt;
  found.index = static_cast<unsigned>(request.ifr_ifindex);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0) {
    found.up = (request.ifr_flags & IFF_UP) != 0;
    found.promiscuous_flag = (request.ifr_flags & IFF_PROMISC) != 0;
  }
  if (::ioctl(socket.get(), SIOCGIFHWADDR, &request) == 0) {
    const auto type = request.ifr_hwaddr.sa_family;
    found.has_ethernet_frames = type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK;
  }
  if (::ioctl(socket.get(), SIOCGIFMTU, &request) == 0) {
    found.mtu = static_cast<unsigned>(request.ifr_mtu);
  }
  found.rx_queues = rx_queues_of(socket, name, found.index);
  found.strips_vlan_tags = strips_vlan_tags(socket, name);
  found.merges_packets = merges_packets(socket, name);
  return found;
}

std::vector<std::string> kernel_interface_names() {
  std::vector<std::string> names;
  if (struct if_nameindex* list = ::if_nameindex(); list != nullptr) {
    for (const struct if_nameindex* entry = list; entry->if_name != nullptr; ++entry) {
      names.emplace_back(entry->if_name);
    }
    ::if_freenameindex(list);
  }
  return names;
}

std::set<int> capture_sockets() {
  std::set<int> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc/self/fd"), ::closedir);
  if (directory == nullptr) return found;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view text = entry->d_name;
    int descriptor = -1;
    if (std::from_chars(text.data(), text.data() + text.size(), descriptor).ec != std::errc{}) {
      continue;
    }
    int family = 0;
    socklen_t size = sizeof(family);
    if (::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) continue;
    if (family == AF_PACKET || family == AF_XDP) found.insert(descriptor);
  }
  return found;
}

void set_promiscuous_flag(const std::string& name) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = request_for(name);
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_PROMISC);
  ::ioctl(socket.get(), SIOCSIFFLAGS, &request);
}

PromiscuousInterface::PromiscuousInterface(const std::string& name)
    : descriptor_(
          ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {  // protocol 0: receives nothing
  packet_mreq membership{};
  membership.mr_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
  membership.mr_type = PACKET_MR_PROMISC;
  in_effect_ = ::setsockopt(descriptor_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership,
                            sizeof(membership)) == 0;
}

PromiscuousInterface::~PromiscuousInterface() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::uint64_t KernelSocketCounter::dropped() {
  xdp_statistics xdp{};
  socklen_t size = sizeof(xdp);
  if (::getsockopt(descriptor_, SOL_XDP, XDP_STATISTICS, &xdp, &size) == 0) {
    dropped_ = xdp.rx_dropped + xdp.rx_ring_full;
    return dropped_;
  }
  tpacket_stats packet{};
  size = sizeof(packet);
  if (::getsockopt(descriptor_, SOL_PACKET, PACKET_STATISTICS, &packet, &size) == 0) {
    dropped_ += packet.tp_drops;
  }
  return dropped_;
}

}  // namespace wiretally
