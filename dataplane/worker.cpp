// SPDX-License-Identifier: Apache-2.0
// The phases of a burst and the flip. Thread: worker.
#include "dataplane/worker.hpp"

#include <algorithm>
#include <limits>

#include "dataplane/flow/hash_behind.hpp"
#include "dataplane/source/packet_filter.hpp"

namespace wiretally {

Worker::Worker(const WorkerOptions& options, const FlowHash& hash, WorkerEpochs& epochs,
               const MeterClock& clock, std::size_t ports)
    : options_(options),
      hash_(hash),
      epochs_(epochs),
      clock_(clock),
      table_(&epochs.filling()),
      attributes_(options.attributes ? std::make_unique<FlowAttributes[]>(kBurstMax) : nullptr),
      fragments_(options.join_fragments ? std::make_unique<FragmentCache>(hash) : nullptr),
      plain_take_(options.sampling_rate == 1 && options.filter == nullptr && !options.attributes &&
                  !options.join_fragments) {
  counters_.ports.resize(ports);
}

// What comes during a pause.
void Worker::leave_out(std::span<const PacketView> views) {
  for (const PacketView& view : views) {
    PortCounters& port = counters_.ports[static_cast<std::size_t>(view.port)];
    for (FrameCounter* counter :
         {&port.received, &port.results[static_cast<std::size_t>(ParseError::kPaused)]}) {
      ++counter->packets;
      counter->l2_octets += view.wire_octets;
    }
  }
}

void Worker::leave_out(const CountedTotals& totals) {
  PortCounters& port = counters_.ports[static_cast<std::size_t>(totals.port)];
  for (FrameCounter* counter :
       {&port.received, &port.results[static_cast<std::size_t>(ParseError::kPaused)]}) {
    counter->packets += totals.received.packets;
    counter->l2_octets += totals.received.l2_octets;
  }
}

// Live packets get the burst's time; those the kernel stamped (UTC) are put on the meter's time
// line. A stamp that lies elsewhere was made before the wall clock was stepped: it is now, give or
// take what the packet waited.
void Worker::stamp(std::span<PacketView> views) {
  if (options_.time_base == TimeBase::kPackets) {
    for (PacketView& view : views) view.time = std::clamp(view.time, -kStampMax, kStampMax);
    return;
  }
  if (views[0].time == 0) {
    const TimeNs now = clock_.now();
    for (PacketView& view : views) view.time = now;
    return;
  }
  const TimeNs now = clock_.now();
  const TimeNs step = clock_.utc_step();
  for (PacketView& view : views) {
    view.time -= step;
    if (view.time > now || view.time < now - kWaitMax) view.time = now;
  }
}

// xorshift64*: independent of what is on the wire, 1 ns a packet.
bool Worker::sampled() {
  if (!options_.sampling_random) return sampling_state_++ % options_.sampling_rate == 0;
  sampling_state_ ^= sampling_state_ >> 12;
  sampling_state_ ^= sampling_state_ << 25;
  sampling_state_ ^= sampling_state_ >> 27;
  const std::uint64_t draw = (sampling_state_ * 0x2545f4914f6cdd1d) >> 32;
  return draw * options_.sampling_rate < (std::uint64_t{1} << 32);
}

inline ParseError Worker::take(const PacketView& view, std::size_t place) {
  if (plain_take_) [[likely]]
    return parse(view, options_.parse, batch_.packets[place]);
  return take_choosy(view, place);
}

ParseError Worker::take_choosy(const PacketView& view, std::size_t place) {
  if (options_.sampling_rate > 1 && !sampled()) return ParseError::kNotSampled;
  if (options_.filter != nullptr && !options_.filter->matches(view)) return ParseError::kFiltered;
  ParsedPacket& out = batch_.packets[place];
  const ParseError result =
      attributes_ == nullptr ? parse(view, options_.parse, out)
                             : parse_with_attributes(view, options_.parse, out, attributes_[place]);
  const bool join =
      fragments_ != nullptr && is_metered(result) && out.fragment != FragmentPlace::kNone;
  return join ? join_fragment(view, out, result) : result;
}

ParseError Worker::join_fragment(const PacketView& view, ParsedPacket& packet, ParseError result) {
  PortCounters& port = counters_.ports[static_cast<std::size_t>(view.port)];
  switch (fragments_->take(packet, view.time)) {
    case FragmentCache::Outcome::kStored:
      break;
    case FragmentCache::Outcome::kStoredEvicting:
      ++port.fragments_evicted;
      break;
    case FragmentCache::Outcome::kJoined:
      ++port.fragments_joined;
      break;
    case FragmentCache::Outcome::kWithoutFirst:
      return result == ParseError::kNone ? ParseError::kFragmentWithoutFirst : result;
  }
  return result;
}

// What flows.key does not have.
inline void Worker::leave_out_fields(FlowKey& key) const {
  if (!options_.key_addresses) key.source = key.destination = {};
  if (!options_.key_ports) key.source_port = key.destination_port = 0;
  if (!options_.key_protocol) key.protocol = 0;
}

void Worker::parse_and_hash(std::span<const PacketView> views) {
  HashBehind hashing(hash_, *table_, batch_.packets.data(), batch_.hashes.data());
  std::size_t metered = 0;
  for (const PacketView& view : views) {
    ParsedPacket& packet = batch_.packets[metered];
    PortCounters& port = counters_.ports[static_cast<std::size_t>(view.port)];
    ++port.received.packets;
    port.received.l2_octets += view.wire_octets;
    const ParseError result = take(view, metered);
    if (result != ParseError::kNone) [[unlikely]] {
      FrameCounter& counter = port.results[static_cast<std::size_t>(result)];
      ++counter.packets;
      counter.l2_octets += view.wire_octets;
      if (!is_metered(result)) continue;
    }
    const IpVersion version = packet.key.ip_version();
    MeteredCounter& counter = port.metered[static_cast<std::size_t>(version)];
    ++counter.packets;
    counter.octets += packet.octets;
    counter.l2_octets += packet.wire_octets;
    if (version != IpVersion::kNone) leave_out_fields(packet.key);
    batch_.times[metered++] = view.time;
    hashing.follow(metered);
  }
  hashing.finish(metered);
  if (options_.key_macs) mix_links(metered);
  batch_.size = metered;
}

// flows.key: macs. The lines that were asked for ahead are others; this key is not for speed.
void Worker::mix_links(std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    batch_.hashes[i] = hash_.with_link(batch_.hashes[i], attributes_[i]);
  }
}

bool Worker::in_epoch(TimeNs time) const {
  if (options_.time_base == TimeBase::kMachine) return true;
  return time >= table_->base() && time < epoch_end_;
}

void Worker::open_epoch(TimeNs time) {
  const bool recording = options_.time_base == TimeBase::kPackets;
  // Live stamps may be a little older than the packet that opened the epoch (other queue, kernel),
  // and as old as the last flip if they were counted elsewhere.
  const TimeNs slack = recording ? kRecordingSlack : kNsPerSecond;
  table_->open(std::min(time, counted_since_) - slack, recording ? 0 : kLiveTimeShift,
               flows_expected_);
  epoch_min_ = epoch_max_ = time;
  epoch_end_ = time + options_.tick;
  if (options_.grid == 0) return;
  const TimeNs rest = time % options_.grid;
  epoch_end_ = std::min(epoch_end_, time - rest + (rest < 0 ? 0 : options_.grid));
}

// Turns the times of the packets from `from` to `to` into offsets, as far as they belong to this
// epoch; returns the first that does not.
std::size_t Worker::place_in_epoch(std::size_t from, std::size_t to) {
  const TimeNs base = table_->base();
  const unsigned shift = table_->time_shift();
  std::size_t i = from;
  for (; i < to && in_epoch(batch_.times[i]); ++i) {
    const TimeNs time = batch_.times[i];
    epoch_min_ = std::min(epoch_min_, time);
    epoch_max_ = std::max(epoch_max_, time);
    // Live times outside the range (control held up for an hour) are held at its ends.
    const TimeNs units = std::clamp<TimeNs>((time - base) >> shift, 0, UINT32_MAX);
    batch_.packets[i].time_offset = static_cast<std::uint32_t>(units);
  }
  return i;
}

void Worker::count_batch() {
  for (std::size_t done = 0; done < batch_.size;) {
    if (table_->is_open() && !in_epoch(batch_.times[done])) flip_waiting();
    if (!table_->is_open()) open_epoch(batch_.times[done]);
    const std::size_t placed = place_in_epoch(done, batch_.size);
    const std::span packets(batch_.packets.data() + done, placed - done);
    const std::uint64_t* hashes = batch_.hashes.data() + done;
    std::array<std::uint8_t, kBurstMax> unplaced;
    const std::size_t rest =
        table_->count_all(packets, hashes, unplaced.data(), attributes_at(done));
    for (std::size_t i = 0; i < rest; ++i) count_unplaced(done + unplaced[i]);
    done = placed;
  }
}

// A new flow that found the table full: live it is counted coarsely; a recording goes on in the
// next epoch.
void Worker::count_unplaced(std::size_t index) {
  ParsedPacket& packet = batch_.packets[index];
  if (options_.time_base == TimeBase::kMachine) {
    const CoarseLevel level = table_->count_coarse(packet, hash_, attributes_at(index));
    ++counters_.ports[static_cast<std::size_t>(packet.key.port)]
          .coarse[static_cast<std::size_t>(level)];
    return;
  }
  for (;;) {
    std::uint8_t unplaced;
    if (place_in_epoch(index, index + 1) != index &&
        table_->count_all({&packet, 1}, &batch_.hashes[index], &unplaced, attributes_at(index)) ==
            0) {
      return;
    }
    flip_waiting();
    open_epoch(batch_.times[index]);
  }
}

void Worker::flip_waiting() {
  epochs_.wait_until_other_is_free();
  flip();
}

void Worker::flip() {
  auto& report = epochs_.report();
  report.first = epoch_min_;
  report.last = epoch_max_;
  report.counters = counters_;
  flows_expected_ = table_->entries();
  epochs_.flip();
  table_ = &epochs_.filling();
}

void Worker::take_counted(const CountedFlow& counted) {
  CountedFlow flow = counted;
  FlowKey& key = flow.key;
  if (key.ip_version() != IpVersion::kNone) leave_out_fields(key);
  const TimeNs first = clock_.of_monotonic(flow.first);
  const TimeNs last = clock_.of_monotonic(flow.last);
  if (!table_->is_open()) open_epoch(first);
  epoch_min_ = std::min(epoch_min_, first);
  epoch_max_ = std::max(epoch_max_, last);
  const auto offset = [&](TimeNs time) {
    const TimeNs units = std::clamp<TimeNs>((time - table_->base()) >> table_->time_shift(), 0,
                                            std::numeric_limits<std::uint32_t>::max());
    return static_cast<std::uint32_t>(units);
  };
  const CountSum sum{flow.packets, flow.octets,    flow.l2_octets, offset(first),
                     offset(last), flow.tcp_flags, flow.tos};
  const CoarseLevel level = table_->count_sum(key, sum, hash_);
  if (level == CoarseLevel::kExact || key.level() != CoarseLevel::kExact) return;
  counters_.ports[static_cast<std::size_t>(key.port)].coarse[static_cast<std::size_t>(level)] +=
      flow.packets;
}

void Worker::take_totals(const CountedTotals& totals) {
  PortCounters& port = counters_.ports[static_cast<std::size_t>(totals.port)];
  port.received.packets += totals.received.packets;
  port.received.l2_octets += totals.received.l2_octets;
  for (std::size_t v = 0; v < kIpVersions; ++v) {
    port.metered[v].packets += totals.metered[v].packets;
    port.metered[v].octets += totals.metered[v].octets;
    port.metered[v].l2_octets += totals.metered[v].l2_octets;
  }
  port.coarse[static_cast<std::size_t>(CoarseLevel::kProtocol)] += totals.coarse_packets;
  FrameCounter& unread = port.results[static_cast<std::size_t>(ParseError::kTooManyLinkHeaders)];
  unread.packets += totals.unread.packets;
  unread.l2_octets += totals.unread.l2_octets;
}

bool Worker::still_draining() {
  if (options_.time_base == TimeBase::kPackets) return false;
  const TimeNs now = clock_.now();
  if (stop_seen_ == 0) stop_seen_ = now;
  if (quiet_since_ == 0 || counters_.busy_polls != busy_at_stop_) quiet_since_ = now;
  busy_at_stop_ = counters_.busy_polls;
  return now - quiet_since_ < kQuietBeforeStop && now - stop_seen_ < kStopMax;
}

void Worker::rest_at_end() {
  const timespec pause{0, 1'000'000};
  nanosleep(&pause, nullptr);
}

void Worker::hand_over_last() {
  epochs_.wait_until_other_is_free();
  epochs_.report().final_epoch = true;
  flip();
}

}  // namespace wiretally
