// SPDX-License-Identifier: Apache-2.0
// The command line of softflowd (1.1.0's options), or Debian's default.conf of it, as values with
// softflowd's own defaults. Thread: any. Errors: StartupError (kUsage) for what softflowd refuses.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/import/importer.hpp"

namespace wiretally {

struct SoftflowdTimeout {
  std::string_view name;
  std::uint64_t seconds;
};

struct SoftflowdArguments {
  std::string interface;
  std::string interface_number;  // "" as not written
  std::string file;
  std::vector<std::string> destinations;  // host:port
  bool balance = false;
  std::string transport = "udp";
  std::string version = "5";
  std::string time_format;  // "": time since boot
  bool biflow = false;
  unsigned labels = 0;
  std::string hop_limit;
  std::string send_interface;
  std::string level = "full";
  std::string own_mac;  // of -H
  std::string max_flows = "8192";
  std::string sampling;
  bool promiscuous = true;
  bool debug = false;
  std::string control_socket;
  std::string filter;
  std::array<SoftflowdTimeout, 8> timeouts = {{{"tcp", 3600},
                                               {"tcp.rst", 120},
                                               {"tcp.fin", 300},
                                               {"udp", 300},
                                               {"icmp", 300},
                                               {"general", 3600},
                                               {"maxlife", 604'800},
                                               {"expint", 60}}};

  [[nodiscard]] std::uint64_t timeout(std::string_view name) const;
};

// What has no counterpart here, or needs none, goes to `notes`: no option is passed over in
// silence.
[[nodiscard]] SoftflowdArguments read_softflowd_arguments(std::string_view text,
                                                          std::vector<ImportNote>& notes);

}  // namespace wiretally
