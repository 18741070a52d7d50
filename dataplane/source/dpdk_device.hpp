// SPDX-License-Identifier: Apache-2.0
// What a user writes as capture.dpdk.ports[].device, taken apart: a PCI address ("0000:3b:00.0",
// with
// ",key=value" device arguments) or a virtual device ("net_af_packet0,iface=v1"). Pure text:
// nothing here asks the machine or needs the EAL. Thread: control, at start. Errors:
// StartupError(kUsage) that names the key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.hpp"

namespace wiretally {

enum class DpdkBus : std::uint8_t { kPci, kVdev };

struct DpdkDevice {
  DpdkBus bus = DpdkBus::kVdev;
  std::string name;       // PCI address with its domain, or the name of the vdev
  std::string driver;     // of a vdev: "net_af_packet", ...; empty for PCI
  std::string arguments;  // as EAL takes them, without the name
  std::string key;        // "capture.dpdk.ports[0].device", for messages
  std::string text;       // as written, for messages

  // Values of one device argument, in order ("rx_pcap" may come several times).
  [[nodiscard]] std::vector<std::string> values(std::string_view argument) const;
  // The first of them, or empty.
  [[nodiscard]] std::string value(std::string_view argument) const;
  [[nodiscard]] bool has(std::string_view argument) const { return !values(argument).empty(); }
};

// A virtual device that can carry packets here, for `wiretally devices` and for messages.
struct VdevDriver {
  std::string_view name;
  std::string_view purpose;
  std::string_view example;
};
[[nodiscard]] const std::vector<VdevDriver>& vdev_drivers();

// `index` is the place in capture.dpdk.ports.
[[nodiscard]] DpdkDevice parse_dpdk_device(const std::string& text, std::size_t index);

// All ports, in order; refuses one device named twice, and one interface that would be counted
// twice.
[[nodiscard]] std::vector<DpdkDevice> parse_dpdk_devices(const DpdkConfig& config);

}  // namespace wiretally
