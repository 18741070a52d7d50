// SPDX-License-Identifier: Apache-2.0
// Lists PCI devices, kernel interfaces and installed virtual drivers. Thread: control.
#include "dataplane/source/dpdk_devices.hpp"

#include <fmt/format.h>
#include <rte_config.h>

#include <filesystem>

#include "dataplane/source/dpdk_device.hpp"
#include "dataplane/source/dpdk_interface.hpp"
#include "dataplane/source/dpdk_machine.hpp"

namespace wiretally {
namespace {

DpdkDeviceListing describe(const PciNetworkDevice& device) {
  DpdkDeviceListing listing;
  listing.device = device.address;
  listing.kind = "pci";
  listing.usable = device.ready();
  listing.state = device.driver.empty() ? "no driver holds it" : "held by " + device.driver;
  if (!device.interfaces.empty()) {
    listing.state += fmt::format(" (interface {})", fmt::join(device.interfaces, ", "));
  }
  if (device.carries_default_route) listing.state += ", carries the default route";
  if (!listing.usable && !device.carries_default_route) {
    listing.command = "dpdk-devbind.py --bind=vfio-pci " + device.address;
    if (!device.has_iommu_group) {
      listing.state += ", no IOMMU group";
      listing.command =
          "echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode; " + listing.command;
    }
  }
  return listing;
}

DpdkDeviceListing describe(const std::string& name, const KernelInterface& interface) {
  DpdkDeviceListing listing;
  listing.device = fmt::format("net_af_packet0,iface={}", name);
  listing.kind = "interface";
  listing.usable = interface.up;
  listing.state =
      fmt::format("{}, MTU {}, {} receive queue{}{}", interface.up ? "up" : "down", interface.mtu,
                  interface.rx_queues, interface.rx_queues == 1 ? "" : "s",
                  interface.merges_packets ? ", merges packets (GRO or LRO)" : "");
  if (!interface.up) {
    listing.command = fmt::format("ip link set {} up", name);
  } else if (interface.merges_packets) {
    listing.command = fmt::format("ethtool -K {} gro off lro off", name);
  }
  return listing;
}

// Plug-ins the EAL loads at start. A build with DPDK linked in has none; then EAL alone knows.
bool plug_in_installed(std::string_view driver) {
  const std::string begin = fmt::format("librte_{}.so", driver);
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator(RTE_EAL_PMD_PATH, error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    if (it->path().filename().string().starts_with(begin)) return true;
  }
  return false;
}

}  // namespace

std::vector<DpdkDeviceListing> list_dpdk_devices(const std::string& root) {
  std::vector<DpdkDeviceListing> listings;
  for (const PciNetworkDevice& device : pci_network_devices(root)) {
    listings.push_back(describe(device));
  }
  for (const std::string& name : kernel_interface_names()) {
    if (const auto interface = kernel_interface(name)) {
      listings.push_back(describe(name, *interface));
    }
  }
  for (const VdevDriver& driver : vdev_drivers()) {
    DpdkDeviceListing listing;
    listing.device = driver.example;
    listing.kind = "driver";
    listing.usable = plug_in_installed(driver.name);
    listing.state = std::string(driver.purpose);
    if (!listing.usable) {
      listing.state += "; not installed";
      listing.command = "apt-get install dpdk";
    }
    listings.push_back(std::move(listing));
  }
  return listings;
}

}  // namespace wiretally
