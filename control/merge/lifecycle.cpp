// SPDX-License-Identifier: Apache-2.0
// Timeouts by protocol and TCP state. Thread: control.
#include "control/merge/lifecycle.hpp"

namespace wiretally {
namespace {

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::uint16_t kFin = 0x01;
constexpr std::uint16_t kRst = 0x04;

bool is_tcp(const FlowKey& key) {
  return key.protocol == kTcp && key.ip_version() != IpVersion::kNone;
}

}  // namespace

Lifecycle::Lifecycle(const TimeoutsConfig& timeouts)
    : active_(timeouts.active.count()),
      idle_(timeouts.idle.count()),
      tcp_(timeouts.tcp.count()),
      tcp_fin_(timeouts.tcp_fin.count()),
      tcp_rst_(timeouts.tcp_rst.count()),
      udp_(timeouts.udp.count()),
      icmp_(timeouts.icmp.count()) {}

TimeNs Lifecycle::idle_timeout(const FlowKey& key, std::uint16_t tcp_flags) const {
  if (key.ip_version() == IpVersion::kNone) return idle_;
  switch (key.protocol) {
    case kTcp:
      if ((tcp_flags & kRst) != 0) return tcp_rst_;
      if ((tcp_flags & kFin) != 0) return tcp_fin_;
      return tcp_;
    case kUdp:
      return udp_;
    case kIcmp:
    case kIcmpv6:
      return icmp_;
    default:
      return idle_;
  }
}

FlowEndReason Lifecycle::idle_reason(const FlowKey& key, std::uint16_t tcp_flags) {
  return is_tcp(key) && (tcp_flags & (kFin | kRst)) != 0 ? FlowEndReason::kEndOfFlow
                                                         : FlowEndReason::kIdleTimeout;
}

TimeNs Lifecycle::first_cut(TimeNs first, std::uint32_t spread) const {
  const auto half = static_cast<std::uint64_t>(active_ / 2);
  const std::uint64_t part =
      (half >> 16) * (spread >> 16);  // half * spread / 2^32, without overflow
  return first + static_cast<TimeNs>(half + part);
}

}  // namespace wiretally
