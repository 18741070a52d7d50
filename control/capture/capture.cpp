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
          " is not in this version; use dpdk (net_af_xdp is one of its devices) or pcap");
}

Capture open_best(const CaptureConfig& config) {
  if (!config.dpdk.ports.empty()) {
    Capture capture = open_dpdk(config);
    capture.note += " (auto: capture.dpdk.ports is configured)";
    return capture;
  }
  Capture capture = open_pcap(config);
  capture.note += config.files.empty()
                      ? " (auto: no capture.dpdk.ports; af_xdp and ebpf are not in this version)"
                      : " (auto: capture.files is configured)";
  return capture;
}

}  // namespace

Capture open_capture(const Config& config) {
  switch (config.capture.driver) {
    case Driver::kDpdk:
      return open_dpdk(config.capture);
    case Driver::kPcap:
      return open_pcap(config.capture);
    case Driver::kAfXdp:
      refuse("af_xdp");
    case Driver::kEbpf:
      refuse("ebpf");
    case Driver::kAuto:
      return open_best(config.capture);
  }
  return {};
}

}  // namespace wiretally
