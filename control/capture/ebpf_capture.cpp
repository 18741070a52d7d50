// SPDX-License-Identifier: Apache-2.0
// The ebpf driver: a kernel program and a worker for each interface. Thread: main.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <bit>

#include "control/capture/capture.hpp"
#include "control/capture/interface_use.hpp"
#include "dataplane/source/ebpf_source.hpp"

namespace wiretally {
namespace {

struct Interfaces {
  std::vector<std::unique_ptr<EbpfSource>> sources;
  std::vector<std::unique_ptr<EbpfPort>> ports;
};

EbpfOptions options_of(const Config& config, const InterfaceConfig& interface, bool attributes) {
  EbpfOptions options;
  options.interface = interface.name;
  options.promiscuous = config.capture.promiscuous;
  options.loader.map_entries = config.capture.ebpf.map_entries;
  options.loader.ring_octets = static_cast<std::uint32_t>(std::bit_ceil(config.capture.ebpf.ring));
  options.loader.tunnel_inner = config.flows.tunnel == TunnelKey::kInner;
  options.loader.join_fragments = config.flows.fragment_ports == FragmentPorts::kFirst;
  // The kernel keeps no attributes, asks none of libpcap's filters, and the worker draws samples.
  if (attributes) options.loader.hand_up = WT_HAND_UP_ALL;
  const bool chosen = !config.capture.filter.empty() || config.capture.sampling.rate > 1;
  if (chosen) options.loader.hand_up = WT_HAND_UP_MUST;
  options.log = [](const std::string& line) { spdlog::warn("{}", line); };
  return options;
}

std::string describe(const EbpfSource& source, const std::string& name) {
  if (source.mode() == XdpMode::kNative) return fmt::format("{} native", name);
  return fmt::format("{} generic (native: {})", name, source.native_refusal());
}

// What the configuration costs: packets that go up although the kernel could count them.
std::string describe_hand_up(const Config& config, bool attributes) {
  if (!config.capture.filter.empty()) return "; every packet goes up, to ask capture.filter";
  if (config.capture.sampling.rate > 1) return "; every packet goes up, to be sampled";
  if (attributes) return "; every packet goes up, for the attributes that are exported";
  return "";
}

}  // namespace

Capture open_ebpf(const Config& config, bool attributes) {
  auto interfaces = std::make_shared<Interfaces>();
  Capture capture;
  capture.driver = "ebpf";
  capture.time_base = EbpfSource::kTimeBase;
  std::vector<std::string> modes;
  for (const InterfaceConfig& interface : config.capture.interfaces) {
    const std::size_t index = interfaces->sources.size();
    interfaces->sources.push_back(
        std::make_unique<EbpfSource>(options_of(config, interface, attributes),
                                     static_cast<PortIndex>(static_cast<std::uint8_t>(index))));
    EbpfSource* source = interfaces->sources.back().get();
    source->attach();
    warn_of_lost_tags(interface.name, "ebpf");
    modes.push_back(describe(*source, interface.name));
    const std::uint32_t ifindex =
        interface.ifindex != 0 ? interface.ifindex : static_cast<std::uint32_t>(index) + 1;
    interfaces->ports.push_back(
        std::make_unique<EbpfPort>(interface.name, ifindex, source->counters()));
    capture.ports.push_back(interfaces->ports.back().get());
    capture.feeds.push_back({-1, [source](Worker& worker, const std::atomic<bool>& stop) {
                               worker.run(*source, stop);
                             }});
  }
  capture.note =
      fmt::format("counting in the kernel what is received on {}", fmt::join(modes, ", ")) +
      describe_hand_up(config, attributes);
  capture.owner = interfaces;
  return capture;
}

}  // namespace wiretally
