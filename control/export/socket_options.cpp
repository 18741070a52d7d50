// SPDX-License-Identifier: Apache-2.0
// See socket_options.hpp. Thread: any.
#include "control/export/socket_options.hpp"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace wiretally {
namespace {

bool set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

bool set_hop_limit(int fd, int family, int hops) {
  if (family == AF_INET6) {
    return set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops) &&
           set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops);
  }
  return set(fd, IPPROTO_IP, IP_TTL, hops) && set(fd, IPPROTO_IP, IP_MULTICAST_TTL, hops);
}

}  // namespace

SocketOptions socket_options(const CollectorConfig& collector) {
  return {collector.dscp, collector.hop_limit, collector.interface};
}

std::string apply(const SocketOptions& options, int fd, int family) {
  const auto failed = [](const std::string& what) { return what + ": " + std::strerror(errno); };
  const std::string& name = options.interface;
  if (!name.empty()) {
    const auto length = static_cast<socklen_t>(name.size() + 1);
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name.c_str(), length) != 0) {
      return failed("cannot send from interface " + name);
    }
  }
  // The code point stands in the upper six bits of the octet (RFC 2474).
  const int traffic_class = static_cast<int>(options.dscp << 2);
  const bool marked =
      traffic_class == 0 || (family == AF_INET6 ? set(fd, IPPROTO_IPV6, IPV6_TCLASS, traffic_class)
                                                : set(fd, IPPROTO_IP, IP_TOS, traffic_class));
  if (!marked) return failed("cannot set dscp");
  const int hops = static_cast<int>(options.hop_limit);
  if (hops != 0 && !set_hop_limit(fd, family, hops)) return failed("cannot set hop_limit");
  return "";
}

}  // namespace wiretally
