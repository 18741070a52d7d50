// SPDX-License-Identifier: Apache-2.0
// Facts about a machine, read from a made-up /proc and /sys. No EAL.
#include "dataplane/source/dpdk_machine.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "dataplane/source/dpdk_devices.hpp"

namespace wiretally {
namespace {

namespace fs = std::filesystem;

class MadeUpMachine : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "wiretally-machine-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    fs::create_directories((fs::path(root_) / path).parent_path());
    std::ofstream(fs::path(root_) / path) << text;
  }
  void add_pci(const std::string& address, const std::string& device_class,
               const std::string& driver, const std::string& interface_path) {
    const std::string base = "sys/bus/pci/devices/" + address + "/";
    write(base + "class", device_class + "\n");
    if (!driver.empty()) {
      fs::create_symlink("../../drivers/" + driver, fs::path(root_) / (base + "driver"));
    }
    if (!interface_path.empty()) fs::create_directories(fs::path(root_) / (base + interface_path));
  }

  std::string root_;
};

TEST_F(MadeUpMachine, free_huge_pages_are_summed_over_sizes) {
  write("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512\n");
  write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "100\n");
  write("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "2\n");
  write("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "1\n");
  const auto pages = huge_pages(root_);
  ASSERT_EQ(pages.size(), 2u);
  EXPECT_EQ(free_huge_page_octets(pages), (1ull << 30) + (200ull << 20));
}

TEST_F(MadeUpMachine, a_machine_without_the_files_has_nothing) {
  EXPECT_TRUE(huge_pages(root_).empty());
  EXPECT_EQ(available_memory_octets(root_), 0u);
  EXPECT_TRUE(pci_network_devices(root_).empty());
}

TEST_F(MadeUpMachine, available_memory_is_mem_available_not_mem_free) {
  write("proc/meminfo",
        "MemTotal: 4000 kB\nMemFree: 10 kB\nMemAvailable: 2048 kB\nBuffers: 1 kB\n");
  EXPECT_EQ(available_memory_octets(root_), 2048u << 10);
}

TEST_F(MadeUpMachine, pci_devices_say_who_holds_them_and_which_carries_the_default_route) {
  add_pci("0000:00:1f.0", "0x060100", "lpc_ich", "");
  add_pci("0000:00:03.0", "0x020000", "virtio-pci", "virtio1/net/eth0");
  add_pci("0000:3b:00.0", "0x020000", "vfio-pci", "");
  add_pci("0000:3b:00.1", "0x020000", "ixgbe", "net/eth1");
  add_pci("0000:5e:00.0", "0x020000", "mlx5_core", "net/eth2");
  write("proc/net/route",
        "Iface\tDestination\tGateway\neth1\t0001A8C0\t0\neth0\t00000000\t0101A8C0\n");
  const auto devices = pci_network_devices(root_);
  ASSERT_EQ(devices.size(), 4u) << "only network controllers";
  EXPECT_EQ(devices[0].interfaces, std::vector<std::string>{"eth0"});
  EXPECT_TRUE(devices[0].carries_default_route);
  EXPECT_FALSE(devices[0].ready());
  EXPECT_TRUE(devices[1].ready());
  EXPECT_EQ(devices[2].driver, "ixgbe");
  EXPECT_FALSE(devices[2].carries_default_route);
  EXPECT_FALSE(devices[2].ready());
  EXPECT_TRUE(devices[3].ready()) << "mlx5 shares the device with the kernel";
}

TEST_F(MadeUpMachine, listing_offers_a_command_for_a_held_device_but_never_for_the_default_route) {
  add_pci("0000:00:03.0", "0x020000", "virtio-pci", "virtio1/net/eth0");
  add_pci("0000:3b:00.1", "0x020000", "ixgbe", "net/eth1");
  write("proc/net/route", "Iface\tDestination\tGateway\neth0\t00000000\t0101A8C0\n");
  const auto listing = list_dpdk_devices(root_);
  ASSERT_GE(listing.size(), 2u);
  EXPECT_EQ(listing[0].device, "0000:00:03.0");
  EXPECT_EQ(listing[0].command, "");
  EXPECT_NE(listing[0].state.find("carries the default route"), std::string::npos);
  EXPECT_NE(listing[1].command.find("dpdk-devbind.py --bind=vfio-pci 0000:3b:00.1"),
            std::string::npos);
  EXPECT_FALSE(listing[1].usable);
}

TEST(Listing, has_the_kernel_interfaces_here_and_the_virtual_drivers) {
  bool loopback = false, af_packet = false;
  for (const DpdkDeviceListing& entry : list_dpdk_devices()) {
    loopback = loopback || entry.device == "net_af_packet0,iface=lo";
    af_packet = af_packet || (entry.kind == "driver" && entry.device.starts_with("net_af_packet"));
  }
  EXPECT_TRUE(loopback);
  EXPECT_TRUE(af_packet);
}

}  // namespace
}  // namespace wiretally
