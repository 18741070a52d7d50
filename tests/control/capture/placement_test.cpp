// SPDX-License-Identifier: Apache-2.0
// Warnings of a made-up machine: two nodes of two physical cores, each with two hardware threads;
// cores 0, 1, 4, 5 on node 0, the others on node 1. Thread: main.
#include "control/capture/placement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace wiretally {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PlacementTest : public testing::Test {
 protected:
  PlacementTest() : sysfs_(testing::TempDir() + "wiretally-placement-" + std::to_string(getpid())) {
    for (int core = 0; core < 8; ++core) {
      const int node = core % 4 / 2;
      const std::string cpu = sysfs_ + "/devices/system/cpu/cpu" + std::to_string(core);
      std::filesystem::create_directories(cpu + "/node" + std::to_string(node));
      const std::string pair = std::to_string(core % 4) + "," + std::to_string(core % 4 + 4);
      write(cpu + "/topology/thread_siblings_list", pair);
    }
    write(sysfs_ + "/class/net/eth1/device/numa_node", "1");
    write(sysfs_ + "/class/net/virtual0/device/numa_node", "-1");
    write(sysfs_ + "/bus/pci/devices/0000:03:00.0/numa_node", "0");
  }
  ~PlacementTest() override { std::filesystem::remove_all(sysfs_); }

  static void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text << "\n";
  }
  [[nodiscard]] std::vector<std::string> warnings(std::vector<int> cores,
                                                  const CaptureConfig& capture) const {
    return placement_warnings(Placement(sysfs_), cores, capture);
  }
  static CaptureConfig interface(const std::string& name) {
    CaptureConfig capture;
    capture.interfaces.emplace_back().name = name;
    return capture;
  }
  static CaptureConfig port(const std::string& device) {
    CaptureConfig capture;
    capture.dpdk.ports.emplace_back().device = device;
    return capture;
  }

  const std::string sysfs_;
};

TEST_F(PlacementTest, names_worker_core_device_and_both_nodes) {
  EXPECT_THAT(warnings({2, 3}, interface("eth1")), IsEmpty());
  EXPECT_THAT(
      warnings({2, 1}, interface("eth1")),
      ElementsAre(HasSubstr("worker 1 runs on core 1 of NUMA node 0, but eth1 is at node 1")));
}

TEST_F(PlacementTest, finds_the_device_behind_each_kind_of_port) {
  const Placement placement(sysfs_);
  EXPECT_EQ(placement.node_of_device("0000:03:00.0"), 0);
  EXPECT_EQ(placement.node_of_device("net_af_packet0,iface=eth1"), 1);
  EXPECT_EQ(placement.node_of_device("net_af_packet0,iface=eth1,qpairs=2"), 1);
  EXPECT_EQ(placement.node_of_device("net_ring0"), Placement::kUnknown);
  EXPECT_EQ(placement.node_of_device("absent"), Placement::kUnknown);
  EXPECT_THAT(warnings({3}, port("0000:03:00.0")), ElementsAre(HasSubstr("0000:03:00.0")));
}

TEST_F(PlacementTest, says_which_workers_share_a_physical_core) {
  EXPECT_THAT(warnings({2, 3, 6}, interface("eth1")),
              ElementsAre(HasSubstr("workers 0 and 2 run on cores 2 and 6")));
}

TEST_F(PlacementTest, is_silent_of_what_it_cannot_know) {
  EXPECT_THAT(warnings({0, 1}, interface("virtual0")), IsEmpty());
  EXPECT_THAT(warnings({-1, -1}, interface("eth1")), IsEmpty());
  EXPECT_THAT(warnings({9}, interface("eth1")), IsEmpty());
  EXPECT_THAT(placement_warnings(Placement(sysfs_ + "/absent"), std::vector{0, 4}, {}), IsEmpty());
}

TEST(MemoryNear, leaves_memory_usable_wherever_it_is_to_be) {
  for (const int node : {Placement::kUnknown, Placement().node_of_core(0), 63}) {
    const MemoryNear near(node);
    std::vector<char> memory(std::size_t{8} << 20, 'x');
    EXPECT_EQ(memory.back(), 'x');
  }
}

}  // namespace
}  // namespace wiretally
