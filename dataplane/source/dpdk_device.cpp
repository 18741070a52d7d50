// SPDX-License-Identifier: Apache-2.0
// Device names: syntax, and what must not be named twice. Thread: control, at start.
#include "dataplane/source/dpdk_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

[[noreturn]] void refuse(const std::string& key, const std::string& text, const std::string& why) {
  throw StartupError(ExitCode::kUsage, fmt::format("{}: \"{}\": {}", key, text, why));
}

// Reads 1..max_digits hexadecimal digits and moves past them.
bool take_hex(std::string_view& text, std::size_t max_digits, unsigned& value) {
  const std::size_t limit = std::min(text.size(), max_digits);
  const auto [end, error] = std::from_chars(text.data(), text.data() + limit, value, 16);
  const auto digits = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || digits == 0) return false;
  text.remove_prefix(digits);
  return true;
}

bool take_char(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

// [DDDD:]BB:DD.F as lspci prints it; the domain is added when it is left out.
bool parse_pci_address(std::string_view text, std::string& address) {
  unsigned domain = 0, bus = 0, device = 0, function = 0;
  if (std::count(text.begin(), text.end(), ':') == 2) {
    if (!take_hex(text, 8, domain) || !take_char(text, ':')) return false;
  }
  if (!take_hex(text, 2, bus) || !take_char(text, ':')) return false;
  if (!take_hex(text, 2, device) || !take_char(text, '.')) return false;
  if (!take_hex(text, 1, function) || !text.empty()) return false;
  if (device > 0x1f || function > 7) return false;
  address = fmt::format("{:04x}:{:02x}:{:02x}.{:x}", domain, bus, device, function);
  return true;
}

bool vdev_name_is_sane(std::string_view name) {
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
}

// The known driver with the longest name that begins the device's name (as EAL matches them), else
// the name without its number; EAL says later whether it has such a driver.
std::string driver_of(std::string_view name) {
  std::string_view best;
  for (const VdevDriver& driver : vdev_drivers()) {
    if (name.starts_with(driver.name) && driver.name.size() > best.size()) best = driver.name;
  }
  if (best.empty()) best = name.substr(0, name.find_last_not_of("0123456789") + 1);
  return std::string(best);
}

std::string what_is_meant() {
  return "write a PCI address (0000:3b:00.0) or a virtual device (net_af_packet0,iface=eth1; "
         "net_af_xdp0,iface=eth1; net_pcap0,rx_pcap=FILE)";
}

std::string through_a_driver(std::string_view text) {
  return fmt::format("a kernel interface is named through a driver: net_af_packet0,iface={}", text);
}

void refuse_bad_arguments(const DpdkDevice& device) {
  std::string_view rest = device.arguments;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    if (equals == 0 || equals == std::string_view::npos || equals + 1 == one.size()) {
      refuse(device.key, device.text,
             fmt::format("device argument \"{}\" is not of the form name=value", one));
    }
  }
}

// What counts the same packets twice: one kernel interface (and, for AF_XDP, queue) in two ports.
std::string capture_point(const DpdkDevice& device) {
  const std::string interface = device.value("iface");
  if (device.driver == "net_af_packet" && !interface.empty()) return interface;
  if (device.driver == "net_af_xdp" && !interface.empty()) {
    const std::string queue = device.value("start_queue");
    return fmt::format("{} queue {}", interface, queue.empty() ? "0" : queue);
  }
  return {};
}

}  // namespace

const std::vector<VdevDriver>& vdev_drivers() {
  static const std::vector<VdevDriver> drivers = {
      {"net_af_packet", "any kernel interface, through a packet socket",
       "net_af_packet0,iface=eth1"},
      {"net_af_xdp", "a kernel interface, through XDP sockets", "net_af_xdp0,iface=eth1"},
      {"net_memif", "shared memory with another process", "net_memif0,role=server,socket=/run/x"},
      {"net_null", "packets without content, for speed tests", "net_null0"},
      {"net_pcap", "a capture file", "net_pcap0,rx_pcap=trace.pcap"},
      {"net_ring", "rings inside this process, for tests", "net_ring0"},
      {"net_tap", "a tap interface that it makes", "net_tap0,iface=tap0"},
  };
  return drivers;
}

std::vector<std::string> DpdkDevice::values(std::string_view argument) const {
  std::vector<std::string> found;
  std::string_view rest = arguments;
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const std::size_t equals = one.find('=');
    if (equals != std::string_view::npos && one.substr(0, equals) == argument) {
      found.emplace_back(one.substr(equals + 1));
    }
  }
  return found;
}

std::string DpdkDevice::value(std::string_view argument) const {
  const std::vector<std::string> found = values(argument);
  return found.empty() ? std::string() : found.front();
}

DpdkDevice parse_dpdk_device(const std::string& text, std::size_t index) {
  DpdkDevice device;
  device.key = fmt::format("capture.dpdk.ports[{}].device", index);
  device.text = text;
  const std::size_t comma = text.find(',');
  device.name = text.substr(0, comma);
  if (comma != std::string::npos) device.arguments = text.substr(comma + 1);
  if (device.name.empty()) refuse(device.key, text, "no device: " + what_is_meant());
  if (device.name.starts_with("net_")) {
    if (!vdev_name_is_sane(device.name)) {
      refuse(device.key, text, "a virtual device's name has letters, digits, _ and - only");
    }
    device.driver = driver_of(device.name);
  } else if (device.name.find(':') != std::string::npos) {
    device.bus = DpdkBus::kPci;
    std::string address;
    if (!parse_pci_address(device.name, address)) {
      refuse(device.key, text,
             "not a PCI address: it is domain:bus:device.function in hexadecimal, as `lspci -D` "
             "prints it, for example 0000:3b:00.0");
    }
    device.name = address;
  } else {
    refuse(device.key, text, through_a_driver(device.name) + "; else " + what_is_meant());
  }
  refuse_bad_arguments(device);
  return device;
}

std::vector<DpdkDevice> parse_dpdk_devices(const DpdkConfig& config) {
  std::vector<DpdkDevice> devices;
  for (std::size_t i = 0; i < config.ports.size(); ++i) {
    DpdkDevice device = parse_dpdk_device(config.ports[i].device, i);
    for (const DpdkDevice& other : devices) {
      if (other.name == device.name) {
        refuse(device.key, device.text,
               fmt::format("{} already names device {}: give each port a device of its own",
                           other.key, device.name));
      }
      const std::string point = capture_point(device);
      if (!point.empty() && other.driver == device.driver && capture_point(other) == point) {
        refuse(device.key, device.text,
               fmt::format("{} already captures {}: its packets would be counted twice", other.key,
                           point));
      }
    }
    devices.push_back(std::move(device));
  }
  return devices;
}

}  // namespace wiretally
