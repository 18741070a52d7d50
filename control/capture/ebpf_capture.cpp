// SPDX-License-Identifier: Apache-2.0
// The ebpf driver: a kernel program and a worker for each interface. Thread: main.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <bit>

#include "config/startup_error.hpp"
#include "control/capture/capture.hpp"
#include "control/capture/interface_use.hpp"
#include "dataplane/source/ebpf_source.hpp"

namespace wiretally {
namespace {

struct Interfaces {
  std::vector<std::unique_ptr<EbpfSource>> sources;
  std::vector<std::unique_ptr<EbpfPort>> ports;
};

// A link that is metered both ways is two Observation Points.
PortIndex port_index(std::size_t index) {
  if (index >= kPortsMax) {
    throw StartupError(ExitCode::kUsage,
                       fmt::format("capture.interfaces: more than {} ports; an interface with "
                                   "direction both is two of them",
                                   kPortsMax));
  }
  return static_cast<PortIndex>(static_cast<std::uint8_t>(index));
}

EbpfOptions options_of(const Config& config, const InterfaceConfig& interface, bool attributes) {
  EbpfOptions options;
  options.interface = interface.name;
  options.received = interface.direction != Direction::kEgress;
  options.sent = interface.direction != Direction::kIngress;
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

std::string describe(const EbpfSource& source, const EbpfOptions& options) {
  std::vector<std::string> parts;
  if (options.received && source.mode() == XdpMode::kNative) parts.emplace_back("native");
  if (options.received && source.mode() == XdpMode::kGeneric) {
    parts.push_back(fmt::format("generic (native: {})", source.native_refusal()));
  }
  if (options.sent) parts.push_back(fmt::format("sent ({})", source.sent_kind()));
  return fmt::format("{} {}", options.interface, fmt::join(parts, " + "));
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
    EbpfOptions options = options_of(config, interface, attributes);
    std::size_t next_port = interfaces->ports.size();
    if (options.received) options.port = port_index(next_port++);
    if (options.sent) options.port_sent = port_index(next_port);
    interfaces->sources.push_back(std::make_unique<EbpfSource>(options));
    EbpfSource* source = interfaces->sources.back().get();
    source->attach();
    if (options.received) warn_of_lost_tags(interface.name, "ebpf");
    modes.push_back(describe(*source, options));
    const auto index = static_cast<std::uint32_t>(interfaces->sources.size());
    const std::uint32_t ifindex = interface.ifindex != 0 ? interface.ifindex : index;
    const auto add_port = [&](const std::string& name, wt_direction direction) {
      interfaces->ports.push_back(
          std::make_unique<EbpfPort>(name, ifindex, direction, source->counters()));
      capture.ports.push_back(interfaces->ports.back().get());
    };
    if (options.received) add_port(interface.name, WT_RECEIVED);
    if (options.sent) add_port(interface.name + ":sent", WT_SENT);
    capture.feeds.push_back({-1, [source](Worker& worker, const std::atomic<bool>& stop) {
                               worker.run(*source, stop);
                             }});
  }
  capture.note = fmt::format("counting in the kernel on {}", fmt::join(modes, ", ")) +
                 describe_hand_up(config, attributes);
  capture.owner = interfaces;
  return capture;
}

}  // namespace wiretally
