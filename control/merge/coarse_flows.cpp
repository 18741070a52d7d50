// SPDX-License-Identifier: Apache-2.0
// See coarse_flows.hpp. Thread: control, one task per shard.
#include "control/merge/coarse_flows.hpp"

#include <algorithm>

namespace wiretally {
namespace {

// Units of 1.024 us reach an hour back and 13 minutes ahead, as far as a worker's epoch does.
constexpr unsigned kTimeShift = 10;
constexpr TimeNs kBack = 3600 * kNsPerSecond;

}  // namespace

CoarseFlows::CoarseFlows(std::size_t ports)
    : table_(0, ports, CountTable::Memory::kPopulated), packets_(ports) {}

void CoarseFlows::open(TimeNs now) {
  if (!empty_) table_.recycle();
  empty_ = true;
  now_ = now;
}

void CoarseFlows::take(const FlowDelta& delta, const FlowHash& hash) {
  if (empty_) table_.open(now_ - kBack, kTimeShift, 0);
  empty_ = false;
  const auto offset = [&](TimeNs time) {
    return static_cast<std::uint32_t>(
        std::clamp<TimeNs>((time - table_.base()) >> kTimeShift, 0, UINT32_MAX));
  };
  const CountSum sum{delta.packets,
                     delta.octets,
                     static_cast<std::uint64_t>(delta.l2_octets),
                     offset(delta.first),
                     offset(delta.last),
                     delta.tcp_flags,
                     delta.tos};
  const CoarseLevel level = table_.count_sum(delta.key, sum, hash);
  packets_[static_cast<std::size_t>(delta.key.port)][static_cast<std::size_t>(level)] +=
      delta.packets;
}

}  // namespace wiretally
