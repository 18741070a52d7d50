// SPDX-License-Identifier: Apache-2.0
// The af_xdp driver: an XDP program for each interface, a socket and a worker for each receive
// queue. Thread: main.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <bit>

#include "control/capture/capture.hpp"
#include "control/capture/interface_use.hpp"
#include "dataplane/source/af_xdp_source.hpp"

namespace wiretally {
namespace {

struct Interfaces {
  std::vector<std::shared_ptr<AfXdpInterface>> interfaces;
  std::vector<std::unique_ptr<AfXdpPort>> ports;
  std::vector<std::unique_ptr<AfXdpSource>> sources;
};

AfXdpOptions options_of(const CaptureConfig& config, const std::string& name) {
  AfXdpOptions options;
  options.interface = name;
  options.promiscuous = config.promiscuous;
  options.frames = std::bit_ceil(config.af_xdp.frames);
  options.log = [](const std::string& line) { spdlog::warn("{}", line); };
  return options;
}

std::string describe(const AfXdpInterface& interface, unsigned queues) {
  std::string text = fmt::format("{} {}, {} queue{}", interface.options().interface,
                                 label(interface.mode()), queues, queues == 1 ? "" : "s");
  if (interface.mode() == AfXdpMode::kGeneric) {
    text += fmt::format(" (native: {})", interface.native_refusal());
  }
  return text;
}

void warn_of_state(const std::string& name) {
  const auto interface = kernel_interface(name);
  if (interface && !interface->up) {
    spdlog::warn("{} is down: nothing comes before `ip link set dev {} up`", name, name);
  }
}

void warn_of_taking(const std::string& name) {
  const std::string use = host_use(name);
  if (use.empty()) return;
  spdlog::warn(
      "driver af_xdp takes every frame that {} receives, and the host gets none, but {}; driver "
      "ebpf lets them pass",
      name, use);
}

}  // namespace

Capture open_af_xdp(const CaptureConfig& config) {
  auto all = std::make_shared<Interfaces>();
  Capture capture;
  capture.driver = "af_xdp";
  capture.time_base = AfXdpSource::kTimeBase;
  std::vector<std::string> modes;
  for (const InterfaceConfig& each : config.interfaces) {
    const auto index = static_cast<std::uint8_t>(all->interfaces.size());
    const auto interface = std::make_shared<AfXdpInterface>(options_of(config, each.name));
    all->interfaces.push_back(interface);
    interface->attach();
    const unsigned queues = interface->state().queues;
    for (unsigned queue = 0; queue < queues; ++queue) {
      all->sources.push_back(
          std::make_unique<AfXdpSource>(interface, queue, queues, static_cast<PortIndex>(index)));
      AfXdpSource* source = all->sources.back().get();
      source->open();
      capture.feeds.push_back({-1, [source](Worker& worker, const std::atomic<bool>& stop) {
                                 worker.run(*source, stop);
                                 source->finish();
                               }});
    }
    interface->begin_counting();
    warn_of_state(each.name);
    warn_of_taking(each.name);
    warn_of_lost_tags(each.name, "af_xdp");
    modes.push_back(describe(*interface, queues));
    const std::uint32_t ifindex = each.ifindex != 0 ? each.ifindex : std::uint32_t{index} + 1;
    all->ports.push_back(std::make_unique<AfXdpPort>(ifindex, interface));
    capture.ports.push_back(all->ports.back().get());
  }
  capture.note = fmt::format("sockets take what is received on {}", fmt::join(modes, "; "));
  capture.stop = [all] {
    for (const auto& interface : all->interfaces) interface->stop();
  };
  capture.owner = all;
  return capture;
}

}  // namespace wiretally
