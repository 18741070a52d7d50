// SPDX-License-Identifier: Apache-2.0
// What the driver of a kernel interface can do: its name (ethtool), and what it says of XDP
// (generic netlink "netdev", Linux 6.3). In the calling thread's network namespace. Thread: main.
#pragma once

#include <optional>
#include <string>

namespace wiretally {

struct XdpFeatures {
  bool native = false;            // runs a program before the kernel makes a packet of the frame
  bool redirect = false;          // and lets it send frames to a socket
  bool zero_copy = false;         // sockets' memory is the card's
  bool frames_in_pieces = false;  // frames larger than a page
};

// Empty if there is no such interface, or if the kernel does not tell.
[[nodiscard]] std::optional<XdpFeatures> xdp_features(const std::string& interface);

// "ixgbe", "veth", ...; empty if it does not say.
[[nodiscard]] std::string driver_name(const std::string& interface);

}  // namespace wiretally
