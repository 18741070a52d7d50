// SPDX-License-Identifier: Apache-2.0
// The veth pair and the frames. EAL has no namespace of its own, so the process may enter one
// later.
#include "wire.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace wiretally {
namespace {

// Empty once the process is in a namespace of its own; else why it cannot be.
std::string enter_namespace() {
  if (::unshare(CLONE_NEWNET) != 0) {
    return std::string("needs root, for a network namespace of its own: ") + std::strerror(errno);
  }
  if (std::system("ip link add wtprobe type veth peer name wtprobe1 2>/dev/null") != 0) {
    return "needs ip(8) and veth interfaces";
  }
  run_command("ip link del wtprobe");
  return "";
}

int open_sender(const std::string& interface) {
  const int descriptor = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (descriptor < 0 ||
      ::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::runtime_error("no packet socket on " + interface);
  }
  return descriptor;
}

// Column of /proc/net/dev: 1 is received packets, 11 dropped on sending.
std::uint64_t interface_counter(const std::string& interface, int column) {
  std::ifstream file("/proc/thread-self/net/dev");
  std::string line;
  while (std::getline(file, line)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || line.find(interface) > colon) continue;
    const std::size_t begin = line.find_first_not_of(' ');
    if (line.substr(begin, colon - begin) != interface) continue;
    std::istringstream fields(line.substr(colon + 1));
    std::uint64_t value = 0;
    for (int i = 0; i <= column; ++i) fields >> value;
    return value;
  }
  return 0;
}

void put16(Frame& frame, std::size_t at, std::size_t value) {
  frame[at] = static_cast<std::uint8_t>(value >> 8);
  frame[at + 1] = static_cast<std::uint8_t>(value);
}

Frame ipv4_frame(std::size_t octets, std::uint16_t identification, std::uint16_t fragment) {
  Frame frame(octets, 0);
  const std::uint8_t head[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
  std::copy(std::begin(head), std::end(head), frame.begin());
  put16(frame, 16, octets - 14);
  put16(frame, 18, identification);
  put16(frame, 20, fragment);
  frame[22] = 64;
  frame[23] = 17;
  const std::uint8_t addresses[] = {10, 0, 0, 1, 10, 0, 0, 2};
  std::copy(std::begin(addresses), std::end(addresses), frame.begin() + 26);
  std::uint32_t sum = 0;
  for (std::size_t i = 14; i < 34; i += 2)
    sum += static_cast<std::uint32_t>(frame[i] << 8 | frame[i + 1]);
  sum = (sum & 0xffff) + (sum >> 16);
  put16(frame, 24, ~(sum + (sum >> 16)) & 0xffff);
  return frame;
}

}  // namespace

void run_command(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

void WireTest::SetUp() {
  static const std::string obstacle = enter_namespace();
  if (!obstacle.empty()) GTEST_SKIP() << obstacle;
}

Wire::Wire(const std::string& sender, const std::string& receiver, unsigned mtu, unsigned queues)
    : sender_(sender), receiver_(receiver) {
  const std::string shape = " mtu " + std::to_string(mtu) + " numtxqueues " +
                            std::to_string(queues) + " numrxqueues " + std::to_string(queues);
  run_command("ip link add " + sender + shape + " type veth peer name " + receiver + shape);
  for (const std::string& name : {sender, receiver}) {
    std::ofstream("/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6") << "1";
    run_command("ip link set " + name + " arp off up");
  }
  socket_ = open_sender(sender);
  back_ = open_sender(receiver);
}

Wire::~Wire() {
  ::close(socket_);
  ::close(back_);
  if (std::system(("ip link del " + sender_).c_str()) != 0) ADD_FAILURE() << "veth pair stays";
}

bool Wire::send(const Frame& frame) {
  return ::send(socket_, frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
}

bool Wire::send_back(const Frame& frame) {
  return ::send(back_, frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
}

std::uint64_t Wire::arrived() const {
  return interface_counter(receiver_, 1);
}

std::uint64_t Wire::lost_before() const {
  return interface_counter(sender_, 11);
}

int Wire::promiscuity() const {
  const std::string command = "ip -d link show dev " + receiver_;
  const std::unique_ptr<FILE, int (*)(FILE*)> output(::popen(command.c_str(), "r"), ::pclose);
  std::array<char, 512> word;
  int count = -1;
  while (std::fscanf(output.get(), "%511s", word.data()) == 1) {
    if (std::string_view(word.data()) == "promiscuity") {
      if (std::fscanf(output.get(), "%d", &count) != 1) return -1;
    }
  }
  return count;
}

Frame udp_frame(std::size_t octets, std::uint16_t flow, std::uint32_t number) {
  Frame frame = ipv4_frame(octets, static_cast<std::uint16_t>(number), 0);
  put16(frame, 34, 1000u + flow);
  put16(frame, 36, 53);
  put16(frame, 38, octets - 34);
  for (std::size_t i = 0; i < 4 && 42 + i < octets; ++i) {
    frame[42 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  }
  return frame;
}

std::vector<Frame> fragments(std::uint16_t identification) {
  constexpr std::uint16_t kMore = 0x2000;
  std::vector<Frame> all;
  all.push_back(ipv4_frame(14 + 20 + 1000, identification, kMore));
  put16(all[0], 34, 1000);
  put16(all[0], 36, 2000);
  put16(all[0], 38, 2508);
  all.push_back(ipv4_frame(14 + 20 + 1000, identification, kMore | 125));
  all.push_back(ipv4_frame(14 + 20 + 508, identification, 250));
  return all;
}

}  // namespace wiretally
