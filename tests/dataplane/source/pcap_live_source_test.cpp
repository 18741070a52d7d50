// SPDX-License-Identifier: Apache-2.0
// The live pcap source on a veth pair, in a network namespace that lives as long as this process.
// Needs root: without it every test says that it is skipped.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "config/startup_error.hpp"
#include "dataplane/source/pcap_live_source.hpp"
#include "tests/dataplane/source/capture_bytes.hpp"

namespace wiretally::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

void run(const std::string& command) {
  const int status = std::system(command.c_str());
  ASSERT_EQ(status, 0) << command;
}

TimeNs utc_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Sends frames out of an interface, so that its peer receives them.
class Sender {
 public:
  explicit Sender(const char* interface)
      : socket_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(::if_nametoindex(interface));
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error(std::string("bind ") + interface + ": " + std::strerror(errno));
  }
  ~Sender() { ::close(socket_); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // True if the kernel took it.
  bool send(const std::string& frame) const {
    return ::send(socket_, frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
  }

 private:
  int socket_;
};

// As "ip link del" does, but within a millisecond: before the kernel hands over what is in the
// ring.
void remove_link_at_once(const char* interface) {
  struct {
    nlmsghdr header;
    ifinfomsg link;
  } request{};
  request.header = {sizeof request, RTM_DELLINK, NLM_F_REQUEST, 0, 0};
  request.link.ifi_index = static_cast<int>(::if_nametoindex(interface));
  const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  EXPECT_EQ(::send(socket, &request, sizeof request, 0), static_cast<ssize_t>(sizeof request));
  ::close(socket);
}

std::string frame_of(std::uint32_t number, std::size_t octets, std::uint16_t ethertype = 0x88b5) {
  std::string frame = Octets(Order::kBig)
                          .raw("\x02\x02\x02\x02\x02\x02\x04\x04\x04\x04\x04\x04")
                          .u16(ethertype)
                          .u32(number)
                          .text();
  frame.resize(octets, 'f');
  return frame;
}

class PcapLive : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to make a network namespace";
    if (::unshare(CLONE_NEWNET) != 0)
      GTEST_SKIP() << "cannot make a network namespace: " << std::strerror(errno);
    // Without addresses the kernel sends nothing of its own; it may have no IPv6 at all.
    run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1 2>/dev/null || true");
    run("ip link set lo up");
    make_pair();
  }

  static void make_pair() {
    run("ip link add wt0 type veth peer name wt1");
    run("ip link set wt0 up && ip link set wt1 up");
  }

  static PcapLiveOptions options(std::string interface = "wt1") {
    PcapLiveOptions options;
    options.interface = std::move(interface);
    return options;
  }

  // Polls until nothing has come for `quiet`.
  static std::vector<Packet> collect(PcapLiveSource& source,
                                     milliseconds quiet = milliseconds(300)) {
    std::vector<Packet> packets;
    std::array<PacketView, kBurstMax> views;
    auto last = steady_clock::now();
    while (steady_clock::now() - last < quiet) {
      const std::size_t count = source.poll(views);
      for (const PacketView& view : std::span(views).first(count)) {
        packets.push_back({std::string(reinterpret_cast<const char*>(view.data), view.captured),
                           view.wire_octets, view.time, view.link_type});
      }
      source.release();
      if (count > 0) last = steady_clock::now();
    }
    return packets;
  }

  // Polls until the link is in this state; false after `limit`.
  static bool reaches(PcapLiveSource& source, LinkState state, milliseconds limit = seconds(5)) {
    std::array<PacketView, kBurstMax> views;
    const auto start = steady_clock::now();
    while (source.counters()->link != state) {
      if (steady_clock::now() - start > limit) return false;
      source.poll(views);
    }
    return true;
  }

  static std::string refusal(const PcapLiveOptions& options) {
    try {
      PcapLiveSource source(options, PortIndex{});
    } catch (const StartupError& error) {
      EXPECT_EQ(error.code(), ExitCode::kMachine);
      return error.what();
    }
    ADD_FAILURE() << options.interface << " was opened";
    return "";
  }
};

TEST_F(PcapLive, gives_every_frame_with_its_length_on_the_wire_and_the_kernels_stamp) {
  PcapLiveSource source(options(), PortIndex{3});
  PcapLivePort port("lab", 7, source.counters());
  const Sender sender("wt0");
  constexpr std::uint32_t kFrames = 5000;
  const TimeNs before = utc_now_ns();
  for (std::uint32_t i = 0; i < kFrames; ++i) ASSERT_TRUE(sender.send(frame_of(i, 60 + i % 1455)));
  const std::vector<Packet> packets = collect(source);
  const TimeNs after = utc_now_ns();
  ASSERT_EQ(packets.size(), kFrames);
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    const std::string expected = frame_of(i, 60 + i % 1455);
    ASSERT_EQ(packets[i].wire_octets, expected.size());
    ASSERT_EQ(packets[i].data, expected.substr(0, PcapLiveSource::kSnapOctets));
    ASSERT_EQ(packets[i].link_type, LinkType::kEthernet);
    ASSERT_GE(packets[i].time, before);
    ASSERT_LE(packets[i].time, after);
  }
  EXPECT_EQ(port.name(), "lab");
  EXPECT_EQ(port.ifindex(), 7u);
  EXPECT_EQ(port.link(), LinkState::kUp);
  ASSERT_EQ(port.missed().size(), 3u);
  for (const MissedCount& missed : port.missed()) EXPECT_EQ(missed.packets, 0u) << missed.reason;
}

TEST_F(PcapLive, accounts_for_what_a_full_ring_cannot_take) {
  PcapLiveOptions small = options();
  small.buffer_octets = 1u << 20;
  PcapLiveSource source(small, PortIndex{});
  PcapLivePort port("lab", 1, source.counters());
  const Sender sender("wt0");
  std::uint64_t sent = 0;
  for (std::uint32_t i = 0; i < 40'000; ++i) sent += sender.send(frame_of(i, 1000)) ? 1 : 0;
  // As long as a worker that was told to stop waits for a last packet, and some.
  const std::uint64_t received = collect(source, milliseconds(60)).size();
  const std::vector<MissedCount> missed = port.missed();
  EXPECT_EQ(missed.at(0).reason, "kernel");
  EXPECT_EQ(missed.at(1).reason, "nic");
  EXPECT_GT(missed.at(0).packets, 0u);
  EXPECT_EQ(received + missed.at(0).packets, sent);
}

TEST_F(PcapLive, idle_costs_less_than_a_twentieth_of_a_core) {
  PcapLiveSource source(options(), PortIndex{});
  const auto cpu_now = [] {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           std::chrono::microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  };
  const auto start = steady_clock::now();
  const auto cpu_start = cpu_now();
  std::array<PacketView, kBurstMax> views;
  auto longest = steady_clock::duration::zero();
  while (steady_clock::now() - start < seconds(2)) {
    const auto before = steady_clock::now();
    ASSERT_EQ(source.poll(views), 0u);
    longest = std::max(longest, steady_clock::now() - before);
  }
  const auto cpu = cpu_now() - cpu_start;
  RecordProperty("idle_cpu_us_per_s", static_cast<int>(cpu / seconds(2) / 2));
  EXPECT_LT(cpu, milliseconds(100)) << "in 2 s";
  EXPECT_LT(longest, milliseconds(500)) << "the tick waits for the slowest poll";
}

TEST_F(PcapLive, survives_a_link_that_goes_down_and_comes_up) {
  PcapLiveSource source(options(), PortIndex{});
  const Sender sender("wt0");
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(sender.send(frame_of(1, 100)));
    EXPECT_EQ(collect(source).size(), 1u);
    run("ip link set wt1 down");
    EXPECT_TRUE(reaches(source, LinkState::kDown));
    run("ip link set wt1 up");
    EXPECT_TRUE(reaches(source, LinkState::kUp));
  }
  for (std::uint32_t i = 0; i < 100; ++i) ASSERT_TRUE(sender.send(frame_of(i, 100)));
  EXPECT_EQ(collect(source).size(), 100u);
  EXPECT_EQ(source.counters()->missed_kernel, 0u);
}

TEST_F(PcapLive, drains_an_interface_that_is_removed_and_finds_it_again) {
  PcapLiveSource source(options(), PortIndex{});
  for (std::uint64_t round = 1; round <= 2; ++round) {
    std::thread remover([] {
      const Sender sender("wt0");
      std::this_thread::sleep_for(milliseconds(20));  // the source is polled by now
      for (std::uint32_t i = 0; i < 100; ++i) EXPECT_TRUE(sender.send(frame_of(i, 100)));
      remove_link_at_once("wt0");
    });
    EXPECT_EQ(collect(source).size(), 100u) << "what came before the removal";
    remover.join();
    EXPECT_TRUE(reaches(source, LinkState::kGone));
    make_pair();
    const auto made = steady_clock::now();
    EXPECT_TRUE(reaches(source, LinkState::kUp));
    EXPECT_LT(steady_clock::now() - made, milliseconds(2500));
    EXPECT_EQ(source.counters()->reopened, round);
  }
  const Sender sender("wt0");
  ASSERT_TRUE(sender.send(frame_of(1, 100)));
  EXPECT_EQ(collect(source).size(), 1u);
  EXPECT_EQ(source.counters()->missed_kernel, 0u);
  EXPECT_EQ(source.counters()->missed_nic, 0u);
}

TEST_F(PcapLive, notices_an_interface_made_anew_between_two_looks) {
  PcapLiveSource source(options(), PortIndex{});
  collect(source, milliseconds(50));
  run("ip link del wt0");
  make_pair();
  std::array<PacketView, kBurstMax> views;
  const auto start = steady_clock::now();
  while (source.counters()->reopened == 0 && steady_clock::now() - start < seconds(5))
    source.poll(views);
  const Sender sender("wt0");
  ASSERT_TRUE(sender.send(frame_of(1, 100)));
  EXPECT_EQ(collect(source).size(), 1u);
}

TEST_F(PcapLive, waits_for_an_interface_that_is_down_at_the_start) {
  run("ip link set wt1 down");
  PcapLiveSource source(options(), PortIndex{});
  EXPECT_TRUE(collect(source, milliseconds(1200)).empty());
  EXPECT_EQ(source.counters()->link, LinkState::kDown);
  run("ip link set wt1 up");
  ASSERT_TRUE(reaches(source, LinkState::kUp));
  const Sender sender("wt0");
  ASSERT_TRUE(sender.send(frame_of(1, 100)));
  EXPECT_EQ(collect(source).size(), 1u);
}

TEST_F(PcapLive, keeps_the_vlan_tags_the_kernel_takes_out) {
  PcapLiveSource source(options(), PortIndex{});
  const Sender sender("wt0");
  std::vector<std::string> frames;
  for (const std::uint16_t tag_type : {0x8100, 0x88a8}) {
    std::string frame = frame_of(0, 1000, tag_type);
    frame.replace(14, 4, Octets(Order::kBig).u16(0x2005).u16(0x88b5).text());
    frames.push_back(frame);
    ASSERT_TRUE(sender.send(frame));
  }
  const std::vector<Packet> packets = collect(source);
  ASSERT_EQ(packets.size(), frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(packets[i].wire_octets, frames[i].size());
    EXPECT_EQ(packets[i].data, frames[i].substr(0, PcapLiveSource::kSnapOctets));
  }
}

TEST_F(PcapLive, shows_a_packet_on_loopback_once) {
  PcapLiveSource source(options("lo"), PortIndex{});
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(9);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // Bound to itself, so that no ICMP error comes back.
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(::sendto(socket, "x", 1, 0, reinterpret_cast<sockaddr*>(&address), sizeof address),
              1);
  }
  EXPECT_EQ(collect(source).size(), 10u);
  ::close(socket);
}

TEST_F(PcapLive, refuses_an_unknown_interface_and_names_those_there_are) {
  const std::string text = refusal(options("wt9"));
  EXPECT_TRUE(text.starts_with("interface wt9: there is no such interface; there are: ")) << text;
  for (const char* name : {"lo", "wt0", "wt1"})
    EXPECT_NE(text.find(name, std::strlen("interface wt9")), std::string::npos) << text;
}

TEST_F(PcapLive, refuses_to_start_without_permission_and_names_the_cure) {
  ASSERT_EQ(::seteuid(65534), 0);
  const std::string text = refusal(options());
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_NE(text.find("no permission"), std::string::npos) << text;
  EXPECT_NE(text.find("cap_net_raw"), std::string::npos) << text;
}

}  // namespace
}  // namespace wiretally::testing
