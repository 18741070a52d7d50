// SPDX-License-Identifier: Apache-2.0
// Prefixes. Thread: any.
#include "control/monitor/network_list.hpp"

#include <algorithm>

namespace wiretally {

NetworkList::NetworkList(const std::vector<std::string>& networks) {
  for (const std::string& text : networks) {
    const Network network = parse_network(text);
    entries_.push_back(
        {network.is_v6 ? IpVersion::kV6 : IpVersion::kV4, network.address, network.mask()});
  }
}

bool NetworkList::holds(const std::array<std::uint8_t, 16>& address, IpVersion version) const {
  return std::ranges::any_of(entries_, [&](const Entry& entry) {
    if (entry.version != version) return false;
    for (std::size_t i = 0; i < address.size(); ++i) {
      if ((address[i] & entry.mask[i]) != entry.address[i]) return false;
    }
    return true;
  });
}

}  // namespace wiretally
