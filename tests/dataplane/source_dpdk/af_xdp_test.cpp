// SPDX-License-Identifier: Apache-2.0
// net_af_xdp on a veth pair: what was sent is received, missed, or was lost by the pair itself.
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/bpf_common.h>
#include <net/if.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "config/startup_error.hpp"
#include "dataplane/source/kernel_link.hpp"
#include "live_count.hpp"
#include "wire.hpp"

// LeakSanitizer: libxdp 1.3.1 forgets 80 octets with each XDP socket.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:xsk_umem__create";
}

namespace wiretally {
namespace {

constexpr std::uint32_t kPackets = 100'000;

class NetAfXdp : public WireTest {};

TEST_F(NetAfXdp, prints_nothing_when_it_opens_and_closes) {
  Wire wire("wtx0", "wtx1");
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  {
    const auto port = open_port("net_af_xdp0,iface=wtx1");
    port->start();
  }
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(NetAfXdp, receives_all_at_a_modest_rate) {
  Wire wire("wtx0", "wtx1");
  const auto port = open_port("net_af_xdp0,iface=wtx1");
  port->start();
  LiveReader reader(*port);
  std::uint64_t octets = 0;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    const Frame frame = udp_frame(60 + i % 1400, static_cast<std::uint16_t>(i % 100), i);
    ASSERT_TRUE(wire.send(frame));
    octets += frame.size();
    if (i % 50 == 49) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const std::uint64_t received = reader.finish();
  EXPECT_EQ(received + missed_in_all(*port) + wire.lost_before(), 20'000u);
  if (received == 20'000) {
    EXPECT_EQ(reader.octets(), octets);
  }
}

TEST_F(NetAfXdp, received_plus_missed_is_what_arrived_when_the_reader_is_held_up) {
  Wire wire("wtx0", "wtx1");
  const auto port = open_port("net_af_xdp0,iface=wtx1");
  port->start();
  LiveReader reader(*port, std::chrono::milliseconds(5));
  for (std::uint32_t i = 0; i < kPackets; ++i) (void)wire.send(udp_frame(60, i % 100, i));
  const std::uint64_t received = reader.finish();
  EXPECT_GT(missed(*port, "kernel"), 0u) << "the test must force losses";
  EXPECT_EQ(received + missed_in_all(*port) + wire.lost_before(), kPackets);
  EXPECT_EQ(received + missed_in_all(*port), wire.arrived())
      << "redirected packets are in rx_packets";
}

TEST_F(NetAfXdp, takes_all_queues_of_an_interface_as_one_port) {
  Wire wire("wtx0", "wtx1", 1500, 2);
  const auto port = open_port("net_af_xdp0,iface=wtx1", 2);
  ASSERT_EQ(port->queues().size(), 2u);
  EXPECT_NE(port->queues()[0].ethdev, port->queues()[1].ethdev);
  port->start();
  LiveReader reader(*port);
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    (void)wire.send(udp_frame(60, static_cast<std::uint16_t>(i % 1000), i));
    if (i % 50 == 49) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const std::uint64_t received = reader.finish();
  EXPECT_EQ(received + missed_in_all(*port) + wire.lost_before(), 10'000u);
  for (const DpdkQueue& queue : port->queues()) {
    rte_eth_stats stats{};
    ASSERT_EQ(rte_eth_stats_get(queue.ethdev, &stats), 0);
    EXPECT_GT(stats.ipackets, 0u) << "packets on both queues";
  }
}

std::string refusal_of_xdp(const std::string& device, std::uint16_t queues) {
  try {
    check_xdp_interfaces({parse_dpdk_device(device, 0)}, {queues});
  } catch (const StartupError& error) {
    return error.what();
  }
  return "";
}

TEST_F(NetAfXdp, a_queue_without_a_port_is_refused_by_number) {
  Wire wire("wtx0", "wtx1", 1500, 4);
  EXPECT_NE(refusal_of_xdp("net_af_xdp0,iface=wtx1", 3).find("no port takes queue 3"),
            std::string::npos);
  EXPECT_EQ(refusal_of_xdp("net_af_xdp0,iface=wtx1", 4), "");
  EXPECT_NE(refusal_of_xdp("net_af_xdp0,iface=wtx1", 5).find("there is no queue 4"),
            std::string::npos);
  EXPECT_EQ(refusal_of_xdp("net_af_xdp0,iface=wtx1,xdp_prog=own.o", 1), "")
      << "the program decides";
}

// An XDP program that passes everything, on `interface` while it lives.
class SomebodysProgram {
 public:
  SomebodysProgram(const std::string& interface, const char* name) {
    static constexpr bpf_insn kPass[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS},
                                         {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
    bpf_attr load{};
    load.prog_type = BPF_PROG_TYPE_XDP;
    load.insns = reinterpret_cast<std::uint64_t>(kPass);
    load.insn_cnt = 2;
    load.license = reinterpret_cast<std::uint64_t>("GPL");
    std::strncpy(load.prog_name, name, sizeof(load.prog_name) - 1);
    program_ = static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load)));
    bpf_attr attach{};
    attach.link_create.prog_fd = static_cast<std::uint32_t>(program_);
    attach.link_create.target_ifindex = ::if_nametoindex(interface.c_str());
    attach.link_create.attach_type = BPF_XDP;
    link_ = static_cast<int>(::syscall(SYS_bpf, BPF_LINK_CREATE, &attach, sizeof(attach)));
  }
  ~SomebodysProgram() {
    ::close(link_);
    ::close(program_);
  }
  [[nodiscard]] bool attached() const { return link_ >= 0; }

 private:
  int program_ = -1;
  int link_ = -1;
};

TEST_F(NetAfXdp, refuses_an_interface_with_somebody_elses_program_and_leaves_it_there) {
  Wire wire("wtx0", "wtx1");
  const SomebodysProgram program("wtx1", "somebodys");
  if (!program.attached()) GTEST_SKIP() << "this kernel does not attach XDP programs by links";
  const std::string text = refusal_of_xdp("net_af_xdp0,iface=wtx1", 1);
  EXPECT_NE(text.find("has an XDP program already"), std::string::npos) << text;
  EXPECT_NE(text.find("somebodys"), std::string::npos) << text;
  ASSERT_TRUE(attached_xdp_program("wtx1"));
  EXPECT_EQ(attached_xdp_program("wtx1")->name, "somebodys");
}

TEST_F(NetAfXdp, takes_its_program_off_when_it_ends) {
  Wire wire("wtx0", "wtx1");
  {
    const auto port = open_port("net_af_xdp0,iface=wtx1");
    EXPECT_TRUE(attached_xdp_program("wtx1"));
    EXPECT_EQ(refusal_of_xdp("net_af_xdp0,iface=wtx1", 1), "") << "what a killed process leaves";
  }
  EXPECT_FALSE(attached_xdp_program("wtx1"));
}

TEST_F(NetAfXdp, takes_frames_up_to_its_mtu_whole) {
  Wire wire("wtx0", "wtx1", 3000);
  const auto port = open_port("net_af_xdp0,iface=wtx1");
  port->start();
  LiveReader reader(*port);
  ASSERT_TRUE(wire.send(udp_frame(3014, 1, 1)));
  EXPECT_EQ(reader.finish(), 1u);
  EXPECT_EQ(reader.longest_captured(), 3014u);
}

TEST_F(NetAfXdp, refuses_an_interface_that_is_down_and_one_with_too_large_an_mtu) {
  Wire wire("wtx0", "wtx1", 9000);
  EXPECT_NE(refusal_of_port("net_af_xdp0,iface=wtx1").find("up to MTU 3498"), std::string::npos);
  run_command("ip link set wtx1 down");
  EXPECT_NE(refusal_of_port("net_af_xdp0,iface=wtx1").find("ip link set wtx1 up"),
            std::string::npos);
}

}  // namespace
}  // namespace wiretally
