// SPDX-License-Identifier: Apache-2.0
// net_af_packet puts its sockets into a fan-out group with PACKET_FANOUT_FLAG_DEFRAG, also when it
// has one queue: the kernel then puts IPv4 fragments together before a socket sees them. Measured:
// of 30 fragments on the wire 10 packets arrived, cut to the ring's slot. It also shows what this
// host sends out of the interface, which no other DPDK driver does. A meter must see what arrived,
// frame for frame, and the driver has no option for either.
//
// So this takes the place of setsockopt for the whole program. Every call goes on to the kernel as
// it is; only while MendPacketSockets lives, a packet socket's request to join a fan-out group is
// changed: left out for a single queue, without the flag for several. The symbol of the executable
// stands before that of the C library for drivers loaded as plug-ins too;
// tests/dataplane/source_dpdk proves it with fragments. Thread: any (setsockopt); control opens
// devices.
#include "dataplane/source/dpdk_packet_socket.hpp"

#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>

namespace wiretally {
namespace {

constexpr int kFanoutIgnoreOutgoing = 0x4000;  // Linux 6.2; ignored before

std::atomic<std::uint16_t> queues_being_opened{0};
std::atomic<std::uint64_t> sockets_mended{0};

int kernel_setsockopt(int descriptor, int level, int name, const void* value, socklen_t size) {
  return static_cast<int>(::syscall(SYS_setsockopt, descriptor, level, name, value, size));
}

int join_fanout(int descriptor, const void* value, socklen_t size, std::uint16_t queues) {
  sockets_mended.fetch_add(1, std::memory_order_relaxed);
  if (queues == 1) {
    const int on = 1;
    return kernel_setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
  }
  int fanout = 0;
  std::memcpy(&fanout, value, sizeof(fanout));
  fanout &= ~(PACKET_FANOUT_FLAG_DEFRAG << 16);
  fanout |= kFanoutIgnoreOutgoing << 16;
  return kernel_setsockopt(descriptor, SOL_PACKET, PACKET_FANOUT, &fanout, size);
}

}  // namespace

MendPacketSockets::MendPacketSockets(std::uint16_t queues) {
  sockets_mended = 0;
  queues_being_opened = queues;
}

MendPacketSockets::~MendPacketSockets() {
  queues_being_opened = 0;
}

std::uint64_t MendPacketSockets::mended() const {
  return sockets_mended;
}

bool MendPacketSockets::kernel_can_leave_out_sent_packets(std::uint16_t queues) {
  if (queues == 1) return true;
  utsname name{};
  int major = 0, minor = 0;
  if (::uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &major, &minor) != 2) return false;
  return major > 6 || (major == 6 && minor >= 2);
}

}  // namespace wiretally

extern "C" [[gnu::visibility("default")]] int setsockopt(int descriptor, int level, int name,
                                                         const void* value,
                                                         socklen_t size) noexcept {
  const std::uint16_t queues = wiretally::queues_being_opened.load(std::memory_order_relaxed);
  if (queues != 0 && level == SOL_PACKET && name == PACKET_FANOUT && size == sizeof(int)) {
    return wiretally::join_fanout(descriptor, value, size, queues);
  }
  return wiretally::kernel_setsockopt(descriptor, level, name, value, size);
}
