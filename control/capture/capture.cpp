// SPDX-License-Identifier: Apache-2.0
// Chooses the driver and says why. Thread: main.
#include "control/capture/capture.hpp"

#include "config/startup_error.hpp"
#include "control/capture/interface_use.hpp"

namespace wiretally {
namespace {

Capture open_pcap(const CaptureConfig& config) {
  return config.files.empty() ? open_pcap_interfaces(config) : open_pcap_files(config);
}

// The verifier's words, if any, are below the first line.
std::string first_line(const StartupError& refusal) {
  const std::string text = refusal.what();
  return text.substr(0, text.find('\n'));
}

std::string host_use_of_any(const CaptureConfig& config) {
  for (const InterfaceConfig& interface : config.interfaces) {
    std::string use = host_use(interface.name);
    if (!use.empty()) return use;
  }
  return {};
}

// Interfaces: af_xdp takes their frames, so only where the host has no use for them; then in the
// kernel, if it can; libpcap can always.
Capture open_interfaces(const Config& config, bool attributes) {
  std::string why_not = "not dpdk: no capture.dpdk.ports";
  const auto say = [&why_not](Capture capture, const char* rest) {
    capture.note += " (auto: " + why_not + rest + ")";
    return capture;
  };
  const std::string use = host_use_of_any(config.capture);
  if (use.empty()) {
    try {
      return say(open_af_xdp(config.capture),
                 "; not ebpf, pcap: the host has no use for these frames, so they are taken");
    } catch (const StartupError& refusal) {
      why_not += "; not af_xdp: " + first_line(refusal);
    }
  } else {
    why_not += "; not af_xdp: it would take the host's frames, and " + use;
  }
  try {
    return say(open_ebpf(config, attributes), "; not pcap: it copies every packet");
  } catch (const StartupError& refusal) {
    why_not += "; not ebpf: " + first_line(refusal);
  }
  return say(open_pcap_interfaces(config.capture), "");
}

Capture open_best(const Config& config, bool attributes) {
  if (!config.capture.dpdk.ports.empty()) {
    Capture capture = open_dpdk(config.capture);
    capture.note += " (auto: capture.dpdk.ports is configured)";
    return capture;
  }
  if (config.capture.files.empty()) return open_interfaces(config, attributes);
  Capture capture = open_pcap_files(config.capture);
  capture.note += " (auto: capture.files is configured)";
  return capture;
}

}  // namespace

Capture open_capture(const Config& config, bool attributes) {
  switch (config.capture.driver) {
    case Driver::kDpdk:
      return open_dpdk(config.capture);
    case Driver::kPcap:
      return open_pcap(config.capture);
    case Driver::kAfXdp:
      return open_af_xdp(config.capture);
    case Driver::kEbpf:
      return open_ebpf(config, attributes);
    case Driver::kAuto:
      return open_best(config, attributes);
  }
  return {};
}

}  // namespace wiretally
