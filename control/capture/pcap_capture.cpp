// SPDX-License-Identifier: Apache-2.0
// The pcap driver: recordings read one after the other by one worker, or live interfaces with a
// worker each. Thread: main.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "control/capture/capture.hpp"
#include "dataplane/source/pcap_file_source.hpp"
#include "dataplane/source/pcap_live_source.hpp"

namespace wiretally {
namespace {

struct Files {
  explicit Files(const CaptureConfig& config) : source(config.files, PortIndex{0}), port(1) {}
  PcapFileSource source;
  PcapFilePort port;
};

struct Interfaces {
  std::vector<std::unique_ptr<PcapLiveSource>> sources;
  std::vector<std::unique_ptr<PcapLivePort>> ports;
};

}  // namespace

Capture open_pcap_files(const CaptureConfig& config) {
  auto files = std::make_shared<Files>(config);
  Capture capture;
  capture.driver = "pcap";
  capture.note =
      fmt::format("{} capture file{}", config.files.size(), config.files.size() == 1 ? "" : "s");
  capture.time_base = PcapFileSource::kTimeBase;
  capture.ports = {&files->port};
  capture.feeds.push_back({-1, [files](Worker& worker, const std::atomic<bool>& stop) {
                             worker.run(files->source, stop);
                           }});
  capture.progress = [files] {
    const CaptureProgress progress = files->source.progress();
    return std::pair(progress.octets_done, progress.octets_total);
  };
  capture.damages = [files] { return files->source.damages(); };
  capture.unreadable = [files] { return files->source.unreadable(); };
  capture.owner = files;
  return capture;
}

Capture open_pcap_interfaces(const CaptureConfig& config) {
  auto interfaces = std::make_shared<Interfaces>();
  Capture capture;
  capture.driver = "pcap";
  capture.note = fmt::format("libpcap on {} interface{}", config.interfaces.size(),
                             config.interfaces.size() == 1 ? "" : "s");
  capture.time_base = PcapLiveSource::kTimeBase;
  for (const InterfaceConfig& interface : config.interfaces) {
    const std::size_t index = interfaces->sources.size();
    PcapLiveOptions options;
    options.interface = interface.name;
    options.promiscuous = config.promiscuous;
    options.log = [](const std::string& line) { spdlog::warn("{}", line); };
    interfaces->sources.push_back(std::make_unique<PcapLiveSource>(
        options, static_cast<PortIndex>(static_cast<std::uint8_t>(index))));
    const std::uint32_t ifindex =
        interface.ifindex != 0 ? interface.ifindex : static_cast<std::uint32_t>(index) + 1;
    interfaces->ports.push_back(std::make_unique<PcapLivePort>(
        interface.name, ifindex, interfaces->sources.back()->counters()));
    capture.ports.push_back(interfaces->ports.back().get());
    PcapLiveSource* source = interfaces->sources.back().get();
    capture.feeds.push_back({-1, [source](Worker& worker, const std::atomic<bool>& stop) {
                               worker.run(*source, stop);
                             }});
  }
  capture.owner = interfaces;
  return capture;
}

}  // namespace wiretally
