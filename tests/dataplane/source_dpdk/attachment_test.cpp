// SPDX-License-Identifier: Apache-2.0
// From a configured port to the devices EAL is asked for. No EAL.
#include "dataplane/source/dpdk_attachment.hpp"

#include <gtest/gtest.h>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

constexpr LockedMemory kUnlimited{true, 0};

KernelInterface interface_with_mtu(unsigned mtu) {
  KernelInterface interface;
  interface.index = 2;
  interface.mtu = mtu;
  interface.up = true;
  return interface;
}

DpdkAttachmentPlan plan_for(const std::string& device, std::uint16_t queues, unsigned mtu = 1500) {
  return plan_attachments(parse_dpdk_device(device, 0), queues, interface_with_mtu(mtu),
                          kUnlimited);
}

std::string refusal_of(const std::string& device, std::uint16_t queues,
                       const std::optional<KernelInterface>& interface = interface_with_mtu(1500)) {
  try {
    (void)plan_attachments(parse_dpdk_device(device, 0), queues, interface, kUnlimited);
  } catch (const StartupError& error) {
    return error.what();
  }
  return "";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(AfPacketPlan, asks_for_queue_pairs_and_a_large_ring) {
  const DpdkAttachmentPlan one = plan_for("net_af_packet0,iface=v1", 1);
  ASSERT_EQ(one.attachments.size(), 1u);
  EXPECT_EQ(one.attachments[0].arguments, "iface=v1,blocksz=4096,framesz=2048,framecnt=8192");
  EXPECT_EQ(one.data_room, 2048 + 128);
  const DpdkAttachmentPlan four = plan_for("net_af_packet0,iface=v1", 4);
  EXPECT_TRUE(has(four.attachments[0].arguments, ",qpairs=4,"));
  EXPECT_EQ(four.attachments[0].queues, 4);
}

TEST(AfPacketPlan, makes_slots_and_buffers_that_hold_the_mtu_with_two_tags) {
  EXPECT_TRUE(
      has(plan_for("net_af_packet0,iface=v1", 1, 1960).attachments[0].arguments, "framesz=2048"));
  EXPECT_TRUE(
      has(plan_for("net_af_packet0,iface=v1", 1, 1961).attachments[0].arguments, "framesz=4096"));
  const DpdkAttachmentPlan jumbo = plan_for("net_af_packet0,iface=v1", 1, 9000);
  EXPECT_EQ(jumbo.attachments[0].arguments, "iface=v1,blocksz=16384,framesz=16384,framecnt=1024");
  EXPECT_EQ(jumbo.data_room, 16384 + 128);
  EXPECT_TRUE(jumbo.remarks.empty());
}

TEST(AfPacketPlan, remarks_when_frames_can_be_larger_than_any_slot) {
  const DpdkAttachmentPlan plan = plan_for("net_af_packet0,iface=lo", 1, 65536);
  ASSERT_EQ(plan.remarks.size(), 1u);
  EXPECT_TRUE(has(plan.remarks[0], "frames above 32702 octets are cut"));
}

TEST(AfPacketPlan, leaves_a_ring_of_the_users_own_alone) {
  const DpdkAttachmentPlan plan = plan_for("net_af_packet0,iface=v1,framesz=4096,blocksz=8192", 1);
  EXPECT_EQ(plan.attachments[0].arguments, "iface=v1,framesz=4096,blocksz=8192");
  EXPECT_EQ(plan.data_room, 4096 + 128);
}

TEST(AfPacketPlan, keeps_the_small_ring_when_memory_may_not_be_locked) {
  const DpdkDevice device = parse_dpdk_device("net_af_packet0,iface=v1", 0);
  const auto plan = plan_attachments(device, 1, interface_with_mtu(1500), {false, 8u << 20});
  EXPECT_TRUE(has(plan.attachments[0].arguments, "framecnt=512"));
}

TEST(AfPacketPlan, refuses_queue_pairs_that_nobody_polls) {
  EXPECT_TRUE(has(refusal_of("net_af_packet0,iface=v1,qpairs=4", 2), "set queues: 4"));
  EXPECT_EQ(refusal_of("net_af_packet0,iface=v1,qpairs=4", 4), "");
}

TEST(AfPacketPlan, refuses_a_missing_interface_by_name) {
  EXPECT_TRUE(has(refusal_of("net_af_packet0,iface=v9", 1, std::nullopt),
                  "there is no network interface v9; here: lo"));
  EXPECT_TRUE(has(refusal_of("net_af_packet0,qpairs=1", 1), "write \"net_af_packet0,iface=NAME\""));
}

TEST(AfXdpPlan, makes_one_device_per_queue) {
  const DpdkAttachmentPlan plan = plan_for("net_af_xdp0,iface=v1", 3);
  ASSERT_EQ(plan.attachments.size(), 3u);
  EXPECT_EQ(plan.attachments[0].name, "net_af_xdp0");
  EXPECT_EQ(plan.attachments[0].arguments, "iface=v1,start_queue=0");
  EXPECT_EQ(plan.attachments[2].name, "net_af_xdp0q2");
  EXPECT_EQ(plan.attachments[2].arguments, "iface=v1,start_queue=2");
  for (const DpdkAttachment& attachment : plan.attachments) EXPECT_EQ(attachment.queues, 1);
}

TEST(AfXdpPlan, leaves_queues_of_the_users_own_alone) {
  const DpdkAttachmentPlan plan = plan_for("net_af_xdp0,iface=v1,start_queue=1,queue_count=2", 2);
  ASSERT_EQ(plan.attachments.size(), 1u);
  EXPECT_EQ(plan.attachments[0].arguments, "iface=v1,start_queue=1,queue_count=2");
  EXPECT_EQ(plan.attachments[0].queues, 2);
}

TEST(AfXdpPlan, makes_buffers_that_hold_the_mtu_and_refuses_what_a_page_cannot_hold) {
  EXPECT_EQ(plan_for("net_af_xdp0,iface=v1", 1, 1500).data_room, 2176);
  EXPECT_EQ(plan_for("net_af_xdp0,iface=v1", 1, 3000).data_room, 3000 + 22 + 256 + 128);
  EXPECT_EQ(refusal_of("net_af_xdp0,iface=v1", 1, interface_with_mtu(3498)), "");
  EXPECT_TRUE(
      has(refusal_of("net_af_xdp0,iface=v1", 1, interface_with_mtu(3499)), "up to MTU 3498"));
}

TEST(AfXdpPlan, refuses_an_interface_that_is_down) {
  KernelInterface interface = interface_with_mtu(1500);
  interface.up = false;
  EXPECT_TRUE(has(refusal_of("net_af_xdp0,iface=v1", 1, interface), "ip link set v1 up"));
}

TEST(AnyPlan, remarks_on_an_interface_that_merges_packets) {
  KernelInterface interface = interface_with_mtu(1500);
  interface.merges_packets = true;
  const auto plan =
      plan_attachments(parse_dpdk_device("net_af_packet0,iface=v1", 0), 1, interface, kUnlimited);
  ASSERT_EQ(plan.remarks.size(), 1u);
  EXPECT_TRUE(has(plan.remarks[0], "ethtool -K v1 gro off lro off"));
}

TEST(PcapPlan, wants_one_queue_per_file) {
  EXPECT_TRUE(has(refusal_of("net_pcap0,rx_pcap=a,rx_pcap=b", 1), "set queues: 2"));
  EXPECT_EQ(refusal_of("net_pcap0,rx_pcap=a,rx_pcap=b", 2), "");
  EXPECT_TRUE(has(refusal_of("net_pcap0", 1), "rx_pcap=FILE"));
}

TEST(AnyPlan, refuses_a_port_without_queues) {
  EXPECT_TRUE(has(refusal_of("net_ring0", 0), "queues: 0"));
}

}  // namespace
}  // namespace wiretally
