// SPDX-License-Identifier: Apache-2.0
// Asks the kernel with SIOCETHTOOL; needs no privilege.
// Thread: main.
#include "control/cli/offloads.hpp"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "control/api/descriptor.hpp"

namespace wiretally {
namespace {

struct Offload {
  const char* name;
  std::uint32_t command;
  std::uint32_t mask;  // bits of the answer that mean "on"
};

constexpr Offload kOffloads[] = {{"gro", ETHTOOL_GGRO, ~0u},
                                 {"lro", ETHTOOL_GFLAGS, ETH_FLAG_LRO},
                                 {"tso", ETHTOOL_GTSO, ~0u},
                                 {"gso", ETHTOOL_GGSO, ~0u}};

}  // namespace

std::vector<std::string> offloads_on(const std::string& interface_name) {
  std::vector<std::string> on;
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  for (const Offload& offload : kOffloads) {
    ethtool_value value{offload.command, 0};
    ifreq request{};
    const std::size_t length = std::min<std::size_t>(interface_name.size(), IFNAMSIZ - 1);
    std::memcpy(request.ifr_name, interface_name.data(), length);
    request.ifr_data = reinterpret_cast<char*>(&value);
    if (::ioctl(socket.get(), SIOCETHTOOL, &request) != 0) continue;
    if ((value.data & offload.mask) != 0) on.emplace_back(offload.name);
  }
  return on;
}

}  // namespace wiretally
