// SPDX-License-Identifier: Apache-2.0
// How what a link sends is marked and where it leaves: the same for UDP and TCP. Thread: any.
#pragma once

#include <cstdint>
#include <string>

#include "config/config.hpp"

namespace wiretally {

struct SocketOptions {
  std::uint32_t dscp = 0;
  std::uint32_t hop_limit = 0;  // 0: the system's, for multicast 1
  std::string interface;        // empty: the kernel chooses
};

SocketOptions socket_options(const CollectorConfig& collector);

// Before bind() and connect(). Returns "" or what went wrong, in words.
std::string apply(const SocketOptions& options, int fd, int family);

}  // namespace wiretally
