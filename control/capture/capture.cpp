// SPDX-License-Identifier: Apache-2.0
// Chooses the driver and says why. Thread: main.
#include "control/capture/capture.hpp"

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

Capture open_pcap(const CaptureConfig& config) {
  return config.files.empty() ? open_pcap_interfaces(config) : open_pcap_files(config);
}

[[noreturn]] void refuse(const char* driver) {
  throw StartupError(
      ExitCode::kMachine,
      std::string("capture.driver: ") + driver +
          " is not in this version; use dpdk (net_af_xdp is one of its devices), ebpf or pcap");
}

// Interfaces: in the kernel, if it can; libpcap can always.
Capture open_interfaces(const Config& config, bool attributes) {
  try {
    Capture capture = open_ebpf(config, attributes);
    capture.note += " (auto: no capture.dpdk.ports, and af_xdp is not in this version)";
    return capture;
  } catch (const StartupError& refusal) {
    Capture capture = open_pcap_interfaces(config.capture);
    const std::string why = refusal.what();  // the verifier's words, if any, are below the first
    capture.note += " (auto: no capture.dpdk.ports; " + why.substr(0, why.find('\n')) + ")";
    return capture;
  }
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
      refuse("af_xdp");
    case Driver::kEbpf:
      return open_ebpf(config, attributes);
    case Driver::kAuto:
      return open_best(config, attributes);
  }
  return {};
}

}  // namespace wiretally
