// SPDX-License-Identifier: Apache-2.0
// Sends UDP frames through a kernel interface, past its queueing discipline unless told otherwise
// (tc programs see only what passes that), and prints what it took as JSON: packets, seconds, and
// CPU seconds of this process, in which the receiving end of a veth pair does its softirq work.
// Thread: main.
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace {

constexpr std::size_t kBatch = 64;
using Frame = std::vector<std::uint8_t>;

double now_s() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double cpu_s() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void put16(Frame& frame, std::size_t at, std::size_t value) {
  frame[at] = static_cast<std::uint8_t>(value >> 8);
  frame[at + 1] = static_cast<std::uint8_t>(value);
}

// Addresses and ports of flow `number`; everything else is the same in all.
Frame udp_frame(std::size_t octets, std::uint32_t number) {
  Frame frame(octets, 0);
  frame[0] = frame[6] = 2;
  put16(frame, 12, ETH_P_IP);
  frame[14] = 0x45;
  put16(frame, 16, octets - 14);
  frame[22] = 64;
  frame[23] = IPPROTO_UDP;
  frame[26] = frame[30] = 10;
  put16(frame, 28, number >> 16);
  put16(frame, 32, number & 0xffff);
  put16(frame, 34, 1024 + number % 60'000);
  put16(frame, 36, 443);
  put16(frame, 38, octets - 34);
  return frame;
}

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(3);
}

int open_socket(const char* interface, bool past_qdisc) {
  const int socket = ::socket(AF_PACKET, SOCK_RAW, 0);
  if (socket < 0) fail("socket");
  sockaddr_ll place{};
  place.sll_family = AF_PACKET;
  place.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
  if (::bind(socket, reinterpret_cast<sockaddr*>(&place), sizeof place) != 0) fail(interface);
  const int on = past_qdisc ? 1 : 0;
  ::setsockopt(socket, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
  return socket;
}

}  // namespace

int main(int count, char** words) {
  const bool qdisc = count == 7 && std::strcmp(words[6], "qdisc") == 0;
  if (count != 6 && !qdisc) {
    std::fprintf(stderr, "usage: frame_sender INTERFACE PACKETS RATE FLOWS OCTETS [qdisc]\n");
    return 2;
  }
  const int socket = open_socket(words[1], !qdisc);
  const std::uint64_t packets = std::strtoull(words[2], nullptr, 10);
  const double rate = std::strtod(words[3], nullptr);  // a second; 0: as fast as it goes
  std::vector<Frame> frames;
  for (unsigned long i = 0; i < std::max(1ul, std::strtoul(words[4], nullptr, 10)); ++i) {
    frames.push_back(udp_frame(std::max(60ul, std::strtoul(words[5], nullptr, 10)),
                               static_cast<std::uint32_t>(i)));
  }
  std::mt19937 draw(1);
  mmsghdr messages[kBatch] = {};
  iovec parts[kBatch];
  std::uint64_t sent = 0;
  const double began = now_s();
  const double cpu_before = cpu_s();
  while (sent < packets) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      Frame& frame = frames[draw() % frames.size()];
      parts[i] = {frame.data(), frame.size()};
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const auto want = static_cast<unsigned>(std::min<std::uint64_t>(kBatch, packets - sent));
    const int done = ::sendmmsg(socket, messages, want, 0);
    if (done > 0) sent += static_cast<std::uint64_t>(done);
    if (rate <= 0) continue;
    const double ahead = began + static_cast<double>(sent) / rate - now_s();
    if (ahead > 0) ::usleep(static_cast<useconds_t>(ahead * 1e6));
  }
  std::printf("{\"packets\": %lu, \"seconds\": %.6f, \"cpu_seconds\": %.6f}\n", sent,
              now_s() - began, cpu_s() - cpu_before);
  return 0;
}
