// SPDX-License-Identifier: Apache-2.0
// The worker: one thread per queue set. A burst goes through phases - poll, parse and hash, count -
// and control gets the counts by the flip (flow/epoch.hpp). No lock, no allocation, no system
// call of its own per packet; one clock read a burst. Thread: worker (run), main (the rest).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>

#include "dataplane/clock.hpp"
#include "dataplane/flow/epoch.hpp"
#include "dataplane/flow/flow_hash.hpp"
#include "dataplane/flow/fragment_cache.hpp"
#include "dataplane/packet/parse.hpp"
#include "dataplane/source/counting_source.hpp"
#include "dataplane/source/packet_source.hpp"
#include "dataplane/worker_counters.hpp"

namespace wiretally {

class PacketFilter;

struct WorkerOptions {
  ParseOptions parse;
  TimeBase time_base = TimeBase::kMachine;
  TimeNs tick =
      kNsPerSecond;         // recordings: packet time an epoch may span; at most kRecordingTickMax
  TimeNs grid = 0;          // recordings: no epoch crosses a whole multiple of it; 0: none
  bool attributes = false;  // the count tables keep them
  bool join_fragments = false;  // flows.fragment_ports: first
  bool key_addresses = true;    // false: flows.key leaves the field out
  bool key_protocol = true;
  bool key_ports = true;
  bool key_macs = false;            // true: the MAC addresses too; needs attributes
  std::uint32_t sampling_rate = 1;  // 1: every packet
  bool sampling_random = true;
  bool profile = false;     // phases are timed: four clock reads a burst
  bool stop_at_end = true;  // false: a recording that ended keeps the worker, and its views, up
  PacketFilter* filter = nullptr;  // owned by the caller, used by this worker only
};

using WorkerEpochs = EpochPair<WorkerCounters>;

class Worker {
 public:
  // On a recording, epochs hold exact nanoseconds in 32 bits: 4.29 s around the first packet. This
  // much is kept for stamps that go back, the rest is for the tick.
  static constexpr TimeNs kRecordingSlack = 2 * kNsPerSecond;
  static constexpr TimeNs kRecordingTickMax = 2 * kNsPerSecond;
  // Told to stop, a live worker goes on until nothing has come for so long (the kernel hands a
  // block of packets over after 10 ms at the latest), so that what reached the box is counted; at
  // most a second.
  static constexpr TimeNs kQuietBeforeStop = 30'000'000;
  static constexpr TimeNs kStopMax = kNsPerSecond;
  // A source that counts by itself may do so for so long before its worker is there.
  static constexpr TimeNs kStartMax = 10 * kNsPerSecond;
  // Stamps of a recording are held within +-146 years of 1970, so that no sum of times overflows.
  static constexpr TimeNs kStampMax = TimeNs{1} << 62;
  // Live: no packet waits longer for its worker.
  static constexpr TimeNs kWaitMax = 10 * kNsPerSecond;
  // Live: units of 1.024 us, so that an epoch may last 73 minutes if control is held up.
  static constexpr unsigned kLiveTimeShift = 10;

  Worker(const WorkerOptions& options, const FlowHash& hash, WorkerEpochs& epochs,
         const MeterClock& clock, std::size_t ports);

  // Paused: what comes is received and counted as not metered. Thread: main.
  void set_paused(bool paused) { paused_.store(paused, std::memory_order_relaxed); }

  // The loop. Ends when `stop` is set or the source is exhausted; hands the last epoch over.
  template <PacketSource Source>
  void run(Source& source, const std::atomic<bool>& stop) {
    if (options_.profile) {
      phase_since_ = clock_.now();
      loop<true>(source, stop);
    } else {
      loop<false>(source, stop);
    }
  }

 private:
  template <bool kProfile, class Source>
  void loop(Source& source, const std::atomic<bool>& stop) {
    std::array<PacketView, kBurstMax> views;
    if constexpr (CountingSource<Source>) counted_since_ = clock_.now() - kStartMax;
    while (!stop.load(std::memory_order_relaxed) || still_draining()) {
      if (epochs_.flip_requested()) {
        flip_if_free(source);
        spent<kProfile>(WorkerPhase::kFlip);
      }
      const std::size_t polled = source.poll(views);
      spent<kProfile>(polled == 0 ? WorkerPhase::kIdle : WorkerPhase::kPoll);
      ++counters_.polls;
      if (polled == 0) {
        if (!source.exhausted()) continue;
        if (options_.stop_at_end) break;
        rest_at_end();
        continue;
      }
      meter<kProfile>(source, {views.data(), polled});
    }
    if constexpr (CountingSource<Source>) finish_counts(source, views);
    hand_over_last();
  }

  // The time since the last call was spent in `phase`.
  template <bool kProfile>
  void spent(WorkerPhase phase) {
    if constexpr (kProfile) {
      const TimeNs now = clock_.now();
      counters_.phase_ns[static_cast<std::size_t>(phase)] += now - phase_since_;
      phase_since_ = now;
    }
  }
  template <bool kProfile, class Source>
  void meter(Source& source, std::span<PacketView> views) {
    ++counters_.busy_polls;
    if (paused_.load(std::memory_order_relaxed)) [[unlikely]] {
      leave_out(views);
      source.release();
      return;
    }
    stamp(views);
    parse_and_hash(views);
    spent<kProfile>(WorkerPhase::kParseHash);
    source.release();
    spent<kProfile>(WorkerPhase::kPoll);
    count_batch();
    spent<kProfile>(WorkerPhase::kCount);
  }
  template <class Source>
  void flip_if_free(Source& source) {
    if (!epochs_.other_is_free()) return;
    if constexpr (CountingSource<Source>) take_counts(source);
    flip();
  }

  // A source that counts by itself gives its counts to the table that is about to be handed over.
  class Taker final : public CountTaker {
   public:
    Taker(Worker& worker, bool paused) : worker_(worker), paused_(paused) {}
    void take(std::span<const CountedFlow> flows) override {
      if (paused_) return;  // their totals say what there was
      for (const CountedFlow& flow : flows) worker_.take_counted(flow);
    }
    void take(const CountedTotals& totals) override {
      if (paused_) return worker_.leave_out(totals);
      worker_.take_totals(totals);
    }

   private:
    Worker& worker_;
    const bool paused_;
  };
  template <class Source>
  void take_counts(Source& source) {
    Taker taker(*this, paused_.load(std::memory_order_relaxed));
    const TimeNs now = clock_.now();
    source.hand_over(taker);
    counted_since_ = now;
  }
  // What the source still shows, then both of the generations it counts into.
  template <class Source>
  void finish_counts(Source& source, std::span<PacketView> views) {
    source.stop_counting();
    for (std::size_t polled; (polled = source.poll(views)) != 0;) {
      meter<false>(source, views.first(polled));
    }
    take_counts(source);
    take_counts(source);
  }
  void take_counted(const CountedFlow& counted);
  void take_totals(const CountedTotals& totals);
  void leave_out(const CountedTotals& totals);

  struct Batch {
    std::array<ParsedPacket, kBurstMax> packets;
    std::array<std::uint64_t, kBurstMax> hashes;
    std::array<TimeNs, kBurstMax> times;
    std::size_t size = 0;
  };

  void leave_out(std::span<const PacketView> views);
  void stamp(std::span<PacketView> views);
  void parse_and_hash(std::span<const PacketView> views);
  ParseError take(const PacketView& view, std::size_t place);
  ParseError take_choosy(const PacketView& view, std::size_t place);
  ParseError join_fragment(const PacketView& view, ParsedPacket& packet, ParseError result);
  [[nodiscard]] const FlowAttributes* attributes_at(std::size_t place) const {
    return attributes_ == nullptr ? nullptr : &attributes_[place];
  }
  void mix_links(std::size_t size);
  bool sampled();
  void leave_out_fields(FlowKey& key) const;
  void count_batch();
  void count_unplaced(std::size_t index);
  std::size_t place_in_epoch(std::size_t from, std::size_t to);
  bool in_epoch(TimeNs time) const;
  void open_epoch(TimeNs time);
  void flip_waiting();
  void flip();
  void hand_over_last();
  static void rest_at_end();
  bool still_draining();

  const WorkerOptions options_;
  const FlowHash& hash_;
  WorkerEpochs& epochs_;
  const MeterClock& clock_;
  CountTable* table_;
  Batch batch_;
  WorkerCounters counters_;
  TimeNs epoch_end_ = 0;  // recordings: what comes later is the next epoch's
  TimeNs epoch_min_ = 0;
  TimeNs epoch_max_ = 0;
  std::unique_ptr<FlowAttributes[]> attributes_;  // of the batch's packets; null: not wanted
  std::unique_ptr<FragmentCache> fragments_;      // null: later fragments have ports 0
  std::atomic<bool> paused_{false};
  const bool plain_take_;  // no filter, no sampling, no attributes, no fragments to join
  // A counting source: nothing that it has yet to hand over is older.
  TimeNs counted_since_ = std::numeric_limits<TimeNs>::max();
  std::size_t flows_expected_ = 0;  // entries of the last epoch
  TimeNs phase_since_ = 0;          // profile: since when the phase goes on
  TimeNs stop_seen_ = 0;            // when a stop was seen first,
  TimeNs quiet_since_ = 0;          // and since when no packet has come after it
  std::uint64_t busy_at_stop_ = 0;
  std::uint64_t sampling_state_ = 0x9e3779b97f4a7c15;
};

}  // namespace wiretally
