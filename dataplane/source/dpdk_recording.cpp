// SPDX-License-Identifier: Apache-2.0
// Link type, snapshot length and size of a capture file, by libpcap. Thread: control, at start.
#include "dataplane/source/dpdk_recording.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <array>
#include <memory>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

// libpcap gives this platform's DLT_ number where it differs from the registered LINKTYPE_.
LinkType link_type_of(int dlt) {
  switch (dlt) {
    case DLT_RAW:
      return LinkType::kRaw;
    case DLT_LOOP:
      return LinkType::kLoop;
    default:
      return static_cast<LinkType>(dlt);
  }
}

}  // namespace

Recording inspect_recording(const std::string& file, const std::string& key, bool count_packets) {
  std::array<char, PCAP_ERRBUF_SIZE> reason{};
  const std::unique_ptr<pcap_t, void (*)(pcap_t*)> opened(
      ::pcap_open_offline(file.c_str(), reason.data()), ::pcap_close);
  if (opened == nullptr) {
    throw StartupError(
        ExitCode::kMachine,
        fmt::format("{}: rx_pcap={}: cannot be read as a capture: {}", key, file, reason.data()));
  }
  Recording recording;
  recording.link_type = link_type_of(::pcap_datalink(opened.get()));
  recording.snapshot_octets = static_cast<std::uint32_t>(::pcap_snapshot(opened.get()));
  if (count_packets) {
    pcap_pkthdr* header = nullptr;
    const unsigned char* data = nullptr;
    while (::pcap_next_ex(opened.get(), &header, &data) == 1) ++recording.packets;
  }
  return recording;
}

}  // namespace wiretally
