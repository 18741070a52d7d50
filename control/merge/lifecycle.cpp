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

}  // namespace

Lifecycle::Lifecycle(const TimeoutsConfig& timeouts)
    : idle_{timeouts.idle.count(),    timeouts.tcp.count(), timeouts.tcp_fin.count(),
            timeouts.tcp_rst.count(), timeouts.udp.count(), timeouts.icmp.count()},
      active_(timeouts.active.count()),
      maximum_life_(timeouts.maximum_life.count()) {}

EndCause Lifecycle::idle_cause(const FlowKey& key, std::uint16_t tcp_flags) {
  if (key.ip_version() == IpVersion::kNone) return EndCause::kIdle;
  switch (key.protocol) {
    case kTcp:
      if ((tcp_flags & kRst) != 0) return EndCause::kTcpRst;
      return (tcp_flags & kFin) != 0 ? EndCause::kTcpFin : EndCause::kTcp;
    case kUdp:
      return EndCause::kUdp;
    case kIcmp:
    case kIcmpv6:
      return EndCause::kIcmp;
    default:
      return EndCause::kIdle;
  }
}

TimeNs Lifecycle::first_cut(TimeNs first, std::uint32_t spread) const {
  const auto half = static_cast<std::uint64_t>(active_ / 2);
  const std::uint64_t part =
      (half >> 16) * (spread >> 16);  // half * spread / 2^32, without overflow
  return first + static_cast<TimeNs>(half + part);
}

}  // namespace wiretally
