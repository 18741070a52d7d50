// SPDX-License-Identifier: Apache-2.0
// A capture file behind net_pcap, looked at before the driver opens it: net_pcap says neither what
// kind of link the file is of nor why it cannot be read. Thread: control, at start. Errors:
// StartupError(kMachine) naming key and file.
#pragma once

#include <cstdint>
#include <string>

#include "dataplane/packet/packet_view.hpp"

namespace wiretally {

struct Recording {
  LinkType link_type = LinkType::kEthernet;
  std::uint32_t snapshot_octets = 0;
  std::uint64_t packets = 0;  // only counted on request
};

[[nodiscard]] Recording inspect_recording(const std::string& file, const std::string& key,
                                          bool count_packets);

}  // namespace wiretally
