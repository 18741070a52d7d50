// SPDX-License-Identifier: Apache-2.0
// The networks that a monitor calls local. Thread: any (immutable).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "config/network.hpp"
#include "dataplane/flow/flow_key.hpp"

namespace wiretally {

class NetworkList {
 public:
  // As in the configuration. Throws ValueError.
  explicit NetworkList(const std::vector<std::string>& networks);

  [[nodiscard]] bool is_empty() const { return entries_.empty(); }
  // Of an address as a FlowKey has it.
  [[nodiscard]] bool holds(const std::array<std::uint8_t, 16>& address, IpVersion version) const;

 private:
  struct Entry {
    IpVersion version;
    std::array<std::uint8_t, 16> address;
    std::array<std::uint8_t, 16> mask;
  };
  std::vector<Entry> entries_;
};

}  // namespace wiretally
