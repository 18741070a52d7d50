// SPDX-License-Identifier: Apache-2.0
// Find, merge, expire. Thread: control, one task per shard.
#include "control/merge/flow_cache.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "control/monitor/shard_tally.hpp"

namespace wiretally {
namespace {

constexpr std::uint16_t kFinOrRst = 0x05;
constexpr TimeNs kNever = std::numeric_limits<TimeNs>::max();
constexpr std::size_t kGrowStart = 1024;
constexpr std::size_t kCoarsePlaces = 1024;  // of coarse rows, beside flows_max

template <class Counted>
Volume volume_of(const Counted& counted) {
  return {counted.packets, counted.octets, static_cast<std::uint64_t>(counted.l2_octets)};
}

}  // namespace

FlowCache::FlowCache(const CacheOptions& options, const Lifecycle& lifecycle)
    : options_(options), lifecycle_(lifecycle), wheel_(kWheelSlots, kNone) {
  resize(options.growable ? kGrowStart
                          : std::max<std::size_t>(options.flows_max, 1) + kCoarsePlaces);
  coarse_.reserve(kCoarsePlaces);
}

// The slab grows to `flows` places and the index is made anew for twice as many.
void FlowCache::resize(std::size_t flows) {
  flows_.grow(flows, !options_.growable);
  if (options_.attributes) attributes_.grow(flows, !options_.growable);
  std::vector<Slot> before = std::move(index_);
  index_.assign(std::bit_ceil(2 * flows), Slot{});
  index_mask_ = index_.size() - 1;
  for (const Slot& slot : before) {
    if (slot.place == kNone) continue;
    std::size_t at = slot.tag & index_mask_;
    while (index_[at].place != kNone) at = (at + 1) & index_mask_;
    index_[at] = slot;
  }
}

void FlowCache::prefetch_index(std::uint64_t hash) const {
  __builtin_prefetch(&index_[static_cast<std::uint32_t>(hash) & index_mask_], 1, 3);
}

void FlowCache::prefetch_flow(std::uint64_t hash) const {
  const auto tag = static_cast<std::uint32_t>(hash);
  const Slot& slot = index_[tag & index_mask_];
  if (slot.place == kNone) return;
  const auto* flow = reinterpret_cast<const char*>(&flows_[slot.place]);
  __builtin_prefetch(flow, 1, 3);
  __builtin_prefetch(flow + 64, 1, 3);
  if (tally_ != nullptr) tally_->prefetch(slot.place);
}

FlowKey FlowCache::identity_of(const FlowKey& key) const {
  FlowKey identity = key;
  // For a frame without IP the VLAN is part of what it is (design: "key is ethertype and VLAN").
  if (!options_.identity_vlan && key.ip_version() != IpVersion::kNone) identity.set_vlan(0);
  // A row of the last resort is one per ingress port.
  const bool row = key.level() == CoarseLevel::kProtocol;
  if (!options_.identity_ingress && !row) identity.port = PortIndex{};
  return identity;
}

// The index place of the flow, or of the empty slot where it belongs.
std::size_t FlowCache::find(const FlowKey& identity, std::uint32_t tag,
                            const FlowAttributes* attributes) const {
  std::size_t at = tag & index_mask_;
  for (; index_[at].place != kNone; at = (at + 1) & index_mask_) {
    const Slot& slot = index_[at];
    if (slot.tag != tag || !(flows_[slot.place].identity == identity)) continue;
    if (!options_.identity_link || attributes_[slot.place].same_link(attributes)) break;
  }
  return at;
}

bool FlowCache::merge(const FlowDelta& delta, std::uint64_t hash, std::uint32_t tick,
                      RecordBatch& out) {
  const auto tag = static_cast<std::uint32_t>(hash);
  const FlowKey identity = identity_of(delta.key);
  std::uint32_t place = index_[find(identity, tag, delta.attributes)].place;
  bool begins = true;
  if (place == kNone) {
    if (!make_room(delta, tick, out)) return false;
    place = create(delta, identity, tag);
  } else if (Flow& flow = flows_[place]; delta.first > silent_at(flow)) {
    emit(place, Lifecycle::idle_cause(flow.identity, flow.ended_flags()), out);
    begin(flow, delta);
    ++totals_.created;
  } else {
    begins = false;
  }
  Flow& flow = flows_[place];
  const TimeNs before = deadline(flow);
  add(place, delta, tick);
  if (tally_ != nullptr) {
    tally_->count(place, delta.key, delta.attributes, flow.tos, volume_of(delta), begins);
  }
  // A FIN or RST brings the end nearer than the wheel knows.
  if (const TimeNs now_due = deadline(flow); now_due < before) {
    unhang(place);
    hang(place, now_due);
  }
  return true;
}

std::uint32_t FlowCache::create(const FlowDelta& delta, const FlowKey& identity,
                                std::uint32_t tag) {
  const std::uint32_t place = take_place();
  Flow& flow = flows_[place];
  index_[find(identity, tag, delta.attributes)] = {tag, place};
  flow.identity = identity;
  flow.tag = tag;
  begin(flow, delta);
  ++totals_.flows;
  ++totals_.created;
  hang(place, deadline(flow));
  if (identity.level() != CoarseLevel::kExact) coarse_.push_back(place);
  return place;
}

std::uint32_t FlowCache::take_place() {
  if (free_ == kNone) return fresh_++;
  const std::uint32_t place = free_;
  free_ = flows_[place].wheel_next;
  return place;
}

void FlowCache::begin(Flow& flow, const FlowDelta& delta) {
  flow.packets = flow.octets = flow.recent_octets = 0;
  flow.l2_octets = 0;
  flow.recent_packets = 0;
  flow.first = delta.first;
  flow.last = delta.last;
  flow.born = static_cast<std::uint32_t>(delta.first / kWheelStep);
  flow.cut = lifecycle_.first_cut(delta.first, flow.tag);
  const TimeNs life = lifecycle_.maximum_life();
  if (life != 0) flow.cut = std::min(flow.cut, delta.first + life);
  flow.all_flags = 0;
  flow.vlan = delta.key.vlan();
  flow.port = delta.key.port;
  flow.tos = delta.tos;
}

void FlowCache::add_attributes(std::uint32_t place, const FlowDelta& delta, bool first) {
  static const FlowAttributes kUnknown;
  const FlowAttributes& more = delta.attributes == nullptr ? kUnknown : *delta.attributes;
  if (first) {
    attributes_[place] = more;
  } else {
    attributes_[place].merge(more);
  }
}

void FlowCache::add(std::uint32_t place, const FlowDelta& delta, std::uint32_t tick) {
  Flow& flow = flows_[place];
  const bool first = flow.packets == 0 && flow.l2_octets == 0;  // new, or cut and now going on
  if (options_.attributes) add_attributes(place, delta, first);
  if (first) {
    flow.first = delta.first;
    flow.last = std::max(flow.last, delta.last);
    flow.tos = delta.tos;
  }
  flow.packets += delta.packets;
  flow.octets += delta.octets;
  flow.l2_octets += delta.l2_octets;
  flow.first = std::min(flow.first, delta.first);
  flow.last = std::max(flow.last, delta.last);
  flow.all_flags = static_cast<std::uint16_t>(flow.all_flags | (delta.tcp_flags & 0x0fff) |
                                              (delta.tcp_flags & kFinOrRst) << 12);
  if (flow.recent_tick != tick) {
    flow.recent_tick = tick;
    flow.recent_octets = flow.recent_packets = 0;
  }
  flow.recent_octets += delta.octets;
  flow.recent_packets += static_cast<std::uint32_t>(delta.packets);
  const Volume volume = volume_of(delta);
  totals_.merged += volume;
  totals_.in_cache += volume;
}

FlowRecord FlowCache::to_record(const Flow& flow, FlowEndReason reason) {
  FlowRecord record;
  record.key = flow.identity;
  record.key.set_vlan(flow.vlan);
  record.key.port = flow.port;
  record.packets = flow.packets;
  record.octets = flow.octets;
  record.l2_octets = static_cast<std::uint64_t>(flow.l2_octets);
  record.first = flow.first;
  record.last = flow.last;
  record.tcp_flags = flow.tcp_flags();
  record.tos = flow.tos;
  record.end_reason = reason;
  return record;
}

// Makes the record of what was counted since the last one. A flow that was cut and then stayed
// silent has nothing to say.
void FlowCache::emit(std::uint32_t place, EndCause cause, RecordBatch& out) {
  const Flow& flow = flows_[place];
  if (flow.packets == 0 && flow.l2_octets == 0) return;
  const FlowEndReason reason = reason_of(cause);
  out.push_back(to_record(flow, reason));
  if (options_.attributes) out.back().attributes = &out.attributes.emplace_back(attributes_[place]);
  const Volume volume = volume_of(flow);
  totals_.in_cache -= volume;
  totals_.ended += volume;
  ++totals_.ended_flows[static_cast<std::size_t>(reason)];
  ++totals_.ended_by[static_cast<std::size_t>(cause)];
  statistics_.take(out.back());
}

// When the flow is too old, to the step of the wheel.
TimeNs FlowCache::life_end(const Flow& flow, TimeNs now) const {
  const auto age =
      static_cast<std::int32_t>(static_cast<std::uint32_t>(now / kWheelStep) - flow.born);
  return (now / kWheelStep - std::max(age, 0)) * kWheelStep + lifecycle_.maximum_life();
}

// Active timeout: a record now, and the flow goes on from zero. False if it has lived long enough
// and does not go on.
bool FlowCache::cut(std::uint32_t place, TimeNs now, RecordBatch& out) {
  Flow& flow = flows_[place];
  const TimeNs end = lifecycle_.maximum_life() == 0 ? kNever : life_end(flow, now);
  if (end <= now) {
    emit(place, EndCause::kMaximumLife, out);
    return false;
  }
  emit(place, EndCause::kActive, out);
  flow.packets = flow.octets = 0;
  flow.l2_octets = 0;
  flow.all_flags &= 0xf000;
  const TimeNs behind = (now - flow.cut) / lifecycle_.active();
  flow.cut = std::min(flow.cut + (behind + 1) * lifecycle_.active(), end);
  return true;
}

TimeNs FlowCache::silent_at(const Flow& flow) const {
  return flow.last + lifecycle_.idle_timeout(flow.identity, flow.ended_flags());
}

TimeNs FlowCache::deadline(const Flow& flow) const {
  return std::min(silent_at(flow), flow.cut);
}

void FlowCache::expire(TimeNs now, RecordBatch& out) {
  const std::int64_t step = now / kWheelStep;
  // A jump over the whole wheel visits every slot once; time that went back starts anew from there.
  const std::int64_t from = std::clamp<std::int64_t>(
      wheel_time_, step - static_cast<std::int64_t>(kWheelSlots) + 1, step);
  wheel_time_ = step;  // before the visits: flows that go on are hung relative to it
  for (std::int64_t s = from; s <= step; ++s) {
    visit_slot(static_cast<std::uint64_t>(s) % kWheelSlots, now, out);
  }
}

void FlowCache::visit_slot(std::size_t slot, TimeNs now, RecordBatch& out) {
  std::uint32_t place = wheel_[slot];
  while (place != kNone) {
    Flow& flow = flows_[place];
    const std::uint32_t next = flow.wheel_next;
    bool ends = silent_at(flow) < now;
    if (ends) {
      emit(place, Lifecycle::idle_cause(flow.identity, flow.ended_flags()), out);
    } else if (flow.cut < now) {
      ends = !cut(place, now, out);
    }
    if (ends) {
      remove(place);
    } else {
      unhang(place);
      hang(place, deadline(flow));
    }
    place = next;
  }
}

void FlowCache::end_all(RecordBatch& out) {
  out.reserve(out.size() + totals_.flows);
  end_coarse(out);
  for (const Slot& slot : index_) {
    if (slot.place != kNone) emit(slot.place, EndCause::kForced, out);
  }
  std::fill(index_.begin(), index_.end(), Slot{});
  std::fill(wheel_.begin(), wheel_.end(), kNone);
  free_ = kNone;
  fresh_ = 0;
  hand_ = 0;
  totals_.flows = 0;
}

std::uint64_t FlowCache::sweep(const std::function<bool(const Flow&)>& leaves, Leave how,
                               RecordBatch& out) {
  std::vector<std::uint32_t> leaving;  // first all, for taking one out moves slots of the index
  for (const Slot& slot : index_) {
    if (slot.place != kNone && leaves(flows_[slot.place])) leaving.push_back(slot.place);
  }
  for (const std::uint32_t place : leaving) {
    if (how == Leave::kExport) {
      emit(place, EndCause::kForced, out);
    } else {
      drop(place);
    }
    remove(place);
  }
  return leaving.size();
}

void FlowCache::drop(std::uint32_t place) {
  const Volume volume = volume_of(flows_[place]);
  totals_.in_cache -= volume;
  totals_.deleted += volume;
  ++totals_.deleted_flows;
}

// A flow is cut no later than a new one would be; what was to come sooner, still does.
void FlowCache::take_new_timeouts(TimeNs now) {
  for (const Slot& slot : index_) {
    if (slot.place == kNone) continue;
    Flow& flow = flows_[slot.place];
    flow.cut = std::min(flow.cut, lifecycle_.first_cut(now, flow.tag));
    if (lifecycle_.maximum_life() != 0) flow.cut = std::min(flow.cut, life_end(flow, now));
    unhang(slot.place);
    hang(slot.place, deadline(flow));
  }
}

void FlowCache::remove(std::uint32_t place) {
  unhang(place);
  Flow& flow = flows_[place];
  std::size_t at = flow.tag & index_mask_;
  while (index_[at].place != place) at = (at + 1) & index_mask_;
  erase_index(at);
  flow.identity.set_kind(IpVersion::kNone, CoarseLevel::kExact);  // no coarse row any more
  flow.recent_tick = kFree;
  flow.wheel_next = free_;
  free_ = place;
  --totals_.flows;
}

// Closes the gap, so that no search has to step over tombstones.
void FlowCache::erase_index(std::size_t at) {
  for (std::size_t next = (at + 1) & index_mask_; index_[next].place != kNone;
       next = (next + 1) & index_mask_) {
    const std::size_t home = index_[next].tag & index_mask_;
    if (((next - home) & index_mask_) < ((next - at) & index_mask_)) continue;
    index_[at] = index_[next];
    at = next;
  }
  index_[at] = Slot{};
}

void FlowCache::hang(std::uint32_t place, TimeNs due) {
  const std::int64_t step = std::clamp<std::int64_t>(
      due / kWheelStep, wheel_time_, wheel_time_ + static_cast<std::int64_t>(kWheelSlots) - 1);
  const std::size_t slot = static_cast<std::uint64_t>(step) % kWheelSlots;
  Flow& flow = flows_[place];
  flow.wheel_slot = static_cast<std::uint16_t>(slot);
  flow.wheel_previous = kNone;
  flow.wheel_next = wheel_[slot];
  if (flow.wheel_next != kNone) flows_[flow.wheel_next].wheel_previous = place;
  wheel_[slot] = place;
}

void FlowCache::unhang(std::uint32_t place) {
  const Flow& flow = flows_[place];
  if (flow.wheel_next != kNone) flows_[flow.wheel_next].wheel_previous = flow.wheel_previous;
  if (flow.wheel_previous != kNone) {
    flows_[flow.wheel_previous].wheel_next = flow.wheel_next;
  } else {
    wheel_[flow.wheel_slot] = flow.wheel_next;
  }
}

Volume FlowCache::count_flows() const {
  Volume sum;
  for_each([&sum](const Flow& flow) { sum += volume_of(flow); });
  return sum;
}

}  // namespace wiretally
