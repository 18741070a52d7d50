// SPDX-License-Identifier: Apache-2.0
// `wiretally devices`: kernel interfaces and free network cards, each with the line that meters it.
// Thread: main.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/capture/offloads.hpp"
#include "control/cli/commands.hpp"
#include "control/cli/system_facts.hpp"
#include "control/cli/terminal.hpp"
#include "control/cli/text_table.hpp"
#include "dataplane/source/kernel_link.hpp"
#include "dataplane/source/link_features.hpp"

namespace wiretally {
namespace {

std::string speed_text(std::int64_t mbit) {
  if (mbit < 0) return "-";
  return mbit >= 1000 ? fmt::format("{:g}G", static_cast<double>(mbit) / 1000)
                      : fmt::format("{}M", mbit);
}

std::string state_text(const NetworkInterface& interface) {
  if (!interface.up) return "down";
  return interface.carrier ? "up" : "no carrier";
}

// DPDK opens a kernel interface through a virtual device; no driver need be unbound.
std::string vdev_of(const NetworkInterface& interface, std::size_t number) {
  return fmt::format("net_af_packet{},iface={}", number, interface.name);
}

// The program that is attached: "-" for none, its id where its name may not be asked.
std::string xdp_text(const NetworkInterface& interface) {
  const auto program = attached_xdp_program(interface.name);
  if (!program) return "-";
  return program->name.empty() ? fmt::format("id {}", program->id) : program->name;
}

// How the interface's driver runs XDP programs; "-": the kernel does not tell.
std::string xdp_support(const NetworkInterface& interface) {
  const auto features = xdp_features(interface.name);
  if (!features) return "-";
  if (!features->native) return "generic";
  return features->zero_copy ? "zero-copy" : "native";
}

std::string driver_of(const NetworkInterface& interface) {
  return interface.driver.empty() ? driver_name(interface.name) : interface.driver;
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string interfaces_text(const std::vector<NetworkInterface>& interfaces) {
  TextTable table({{"interface"},
                   {"ifindex", Align::kRight},
                   {"state"},
                   {"speed", Align::kRight},
                   {"mtu", Align::kRight},
                   {"queues", Align::kRight},
                   {"driver"},
                   {"XDP by driver"},
                   {"XDP program"},
                   {"offloads on"},
                   {"PCI"}});
  for (const NetworkInterface& one : interfaces) {
    table.add_row({one.name, std::to_string(one.ifindex), state_text(one),
                   speed_text(one.speed_mbit), std::to_string(one.mtu),
                   std::to_string(one.rx_queues), or_dash(driver_of(one)), xdp_support(one),
                   xdp_text(one), or_dash(fmt::format("{}", fmt::join(offloads_on(one.name), ","))),
                   or_dash(one.pci)});
  }
  return table.text();
}

std::string how_to(const std::vector<NetworkInterface>& interfaces) {
  const auto usable = [](const NetworkInterface& one) { return one.name != "lo" && one.up; };
  const auto example = std::find_if(interfaces.begin(), interfaces.end(), usable);
  if (example == interfaces.end()) return "";
  return fmt::format(
      "\nIn the configuration, here for {0}; counted in the kernel, by libpcap, or by DPDK without "
      "taking it from the kernel:\n"
      "  capture: {{driver: ebpf, interfaces: [{{name: {0}}}]}}\n"
      "  capture: {{driver: pcap, interfaces: [{{name: {0}}}]}}\n"
      "  capture: {{driver: dpdk, dpdk: {{ports: [{{device: \"{1}\", name: {0}}}]}}}}\n",
      example->name, vdev_of(*example, 0));
}

std::string pci_text(const std::vector<PciNetworkDevice>& devices) {
  std::string text;
  for (const PciNetworkDevice& one : devices) {
    text += fmt::format(
        "\nPCI {} ({}), driver {}: no kernel interface\n"
        "  capture: {{driver: dpdk, dpdk: {{ports: [{{device: \"{}\"}}]}}}}\n",
        one.address, one.id,
        one.driver.empty() ? "none; bind it with `dpdk-devbind.py -b vfio-pci`" : one.driver,
        one.address);
  }
  return text;
}

std::string as_json(const std::vector<NetworkInterface>& interfaces,
                    const std::vector<PciNetworkDevice>& devices) {
  using Json = nlohmann::ordered_json;
  Json kernel = Json::array();
  for (const NetworkInterface& one : interfaces) {
    kernel.push_back({{"name", one.name},
                      {"ifindex", one.ifindex},
                      {"address", one.address},
                      {"mtu", one.mtu},
                      {"up", one.up},
                      {"carrier", one.carrier},
                      {"speed_mbit", one.speed_mbit < 0 ? Json() : Json(one.speed_mbit)},
                      {"rx_queues", one.rx_queues},
                      {"tx_queues", one.tx_queues},
                      {"driver", driver_of(one)},
                      {"xdp_by_driver", xdp_support(one)},
                      {"xdp_program", xdp_text(one)},
                      {"offloads_on", offloads_on(one.name)},
                      {"pci", one.pci},
                      {"dpdk_device", vdev_of(one, kernel.size())}});
  }
  Json pci = Json::array();
  for (const PciNetworkDevice& one : devices) {
    pci.push_back({{"address", one.address}, {"id", one.id}, {"driver", one.driver}});
  }
  Json answer;
  answer["interfaces"] = kernel;
  answer["pci_devices"] = pci;
  return answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

ExitCode devices_command(const Arguments& arguments) {
  const SystemFacts facts;
  const std::vector<NetworkInterface> interfaces = facts.interfaces();
  const std::vector<PciNetworkDevice> devices = facts.pci_devices();
  if (arguments.json) {
    print(as_json(interfaces, devices));
  } else {
    print(interfaces_text(interfaces) + how_to(interfaces) + pci_text(devices));
  }
  return ExitCode::kDone;
}

}  // namespace wiretally
