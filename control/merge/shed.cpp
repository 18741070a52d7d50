// SPDX-License-Identifier: Apache-2.0
// A full flow cache (design.md, "Overload"): the idlest flows leave early (end reason 5), as far as
// a tick allows; what is more is coarsened by the merger. So a flood of new flows costs a tick a
// bounded number of records, whatever its rate. Thread: control, one task per shard.
#include <algorithm>
#include <array>
#include <tuple>

#include "control/merge/flow_cache.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kShedLooks = 64;
constexpr std::size_t kShedShare = 256;  // of the shard leaves at most a 256th at once
constexpr unsigned kShedTries = 16;

}  // namespace

// True if there is a place for a new flow. A recording's cache grows. Never refused: coarse rows,
// which are bounded by the tables they come from and have places of their own, and the rest of a
// sum that was split.
bool FlowCache::make_room(const FlowDelta& delta, std::uint32_t tick, RecordBatch& out) {
  const bool place = free_ != kNone || fresh_ != flows_.size();
  if (options_.growable) {
    if (!place) resize(2 * flows_.size());
    return true;
  }
  const bool coarse = delta.key.level() != CoarseLevel::kExact;
  if (place && (coarse || totals_.flows < options_.flows_max + coarse_.size())) return true;
  if (shed_tick_ != tick) {
    shed_tick_ = tick;
    shed_left_ = options_.shed_max;
  }
  const std::size_t left = shed_left_ == 0 ? 0 : shed(tick, out);
  shed_left_ = left == 0 ? 0 : shed_left_ - std::min(left, shed_left_);  // 0: nobody is idle
  if (left != 0) return true;
  const bool must = coarse || delta.l2_octets < 0;
  if (must && !place && shed(tick, out) == 0) {
    shed_place(static_cast<std::uint32_t>(hand_ % fresh_), out);  // all are busy: whoever is next
  }
  return must;
}

// The flows with the oldest last packet of the next few places leave: a hand that goes around the
// slab meets each of them, in the order of memory. A large cache sheds a quarter of those it looked
// at.
std::size_t FlowCache::shed(std::uint32_t tick, RecordBatch& out) {
  std::array<std::uint32_t, kShedLooks / 4> leaving;
  const std::size_t most =
      std::clamp<std::size_t>(options_.flows_max / kShedShare, 1, leaving.size());
  std::size_t size = 0;
  for (unsigned i = 0; size == 0 && i < kShedTries; ++i) {
    size = find_idle(tick, {leaving.data(), most});
  }
  for (std::size_t i = 0; i < size; ++i) shed_place(leaving[i], out);
  return size;
}

// Looks at the next places of the hand. Stay: coarse rows, and flows that came before this tick and
// had packets in it; so a flood ends no flow that goes on. Returns how many it put into `leaving`.
std::size_t FlowCache::find_idle(std::uint32_t tick, std::span<std::uint32_t> leaving) {
  struct Candidate {
    TimeNs last;
    std::uint32_t place;
    bool operator<(const Candidate& o) const {
      return std::tie(last, place) < std::tie(o.last, o.place);
    }
  };
  std::array<Candidate, kShedLooks> candidates;
  std::size_t size = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(kShedLooks, fresh_); ++i) {
    if (hand_ >= fresh_) hand_ = 0;
    const Flow& flow = flows_[hand_];
    const bool resident = flow.recent_tick == tick && flow.packets > flow.recent_packets;
    const bool exact = flow.identity.level() == CoarseLevel::kExact;
    if (flow.recent_tick != kFree && exact && !resident) {
      candidates[size++] = {flow.last, static_cast<std::uint32_t>(hand_)};
    }
    ++hand_;
  }
  const std::size_t kept = std::min(leaving.size(), size);
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(kept),
                    candidates.begin() + static_cast<std::ptrdiff_t>(size));
  for (std::size_t i = 0; i < kept; ++i) {
    leaving[i] = candidates[i].place;
    const Flow& flow = flows_[leaving[i]];
    __builtin_prefetch(&index_[flow.tag & index_mask_], 1, 3);
    for (const std::uint32_t neighbour : {flow.wheel_next, flow.wheel_previous}) {
      if (neighbour != kNone) __builtin_prefetch(&flows_[neighbour].wheel_next, 1, 3);
    }
  }
  return kept;
}

void FlowCache::shed_place(std::uint32_t place, RecordBatch& out) {
  emit(place, EndCause::kMaxFlows, out);
  remove(place);
}

void FlowCache::end_coarse(RecordBatch& out) {
  for (const std::uint32_t place : coarse_) {
    if (flows_[place].identity.level() != CoarseLevel::kExact) shed_place(place, out);
  }
  coarse_.clear();
}

}  // namespace wiretally
