// SPDX-License-Identifier: Apache-2.0
// One dump as values: what each host got and sent in a period. Made by control, written by the dump
// writer's thread. Thread: any (plain values). Octets are those of IP packets (layer 3: the IP
// header's length), as IPFM counts them. Times: seconds since the Unix epoch.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace wiretally {

// Octets as in a flow key: IPv4 in the last four.
struct HostAddress {
  std::array<std::uint8_t, 16> octets{};
  bool v6 = false;

  friend auto operator<=>(const HostAddress&, const HostAddress&) = default;
};

struct HostCount {
  std::uint64_t in_octets = 0;
  std::uint64_t out_octets = 0;
  std::uint64_t in_packets = 0;
  std::uint64_t out_packets = 0;

  [[nodiscard]] std::uint64_t total_octets() const { return in_octets + out_octets; }
  HostCount& operator+=(const HostCount& o) {
    in_octets += o.in_octets;
    out_octets += o.out_octets;
    in_packets += o.in_packets;
    out_packets += o.out_packets;
    return *this;
  }
  friend bool operator==(const HostCount&, const HostCount&) = default;
};

struct HostRow {
  HostAddress host;
  HostCount count;
};

struct Dump {
  std::string monitor;
  std::string interfaces;  // what was listened on
  std::int64_t since = 0;  // counts began
  std::int64_t end = 0;    // of the period; names the file
  std::vector<HostRow> rows;
  HostCount other;  // hosts beyond max_groups
  DumpConfig config;
};

}  // namespace wiretally
