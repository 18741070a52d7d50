// SPDX-License-Identifier: Apache-2.0
// The six steps of a tick. Thread: control.
#include "control/tick.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <thread>

#include "control/version.hpp"

namespace wiretally {
namespace {

constexpr auto kFlipPoll = std::chrono::microseconds(50);
constexpr TimeNs kPublishPause = kNsPerSecond / 10;

// Downwards, before 1970 too.
std::int64_t whole_seconds(TimeNs time) {
  return time / kNsPerSecond - (time % kNsPerSecond < 0 ? 1 : 0);
}

double seconds(TimeNs time) {
  return static_cast<double>(time) / static_cast<double>(kNsPerSecond);
}

}  // namespace

Tick::Tick(Parts parts)
    : parts_(std::move(parts)),
      books_(parts_.workers.size()),
      finished_(parts_.workers.size(), false),
      started_(parts_.clock->now()) {
  for (std::size_t w = 0; w < books_.size(); ++w) books_[w].core = parts_.cores[w];
  for (CapturePort* port : parts_.ports) ports_.push_back({port, {}});
  republish();
}

// Step 1: ask for the flip and wait for it.
void Tick::request_flips(TimeNs wait) {
  for (std::size_t w = 0; w < parts_.workers.size(); ++w) {
    if (!finished_[w]) parts_.workers[w]->request_flip();
  }
  const TimeNs began = parts_.clock->now();
  const TimeNs until = began + wait;
  for (std::size_t w = 0; w < parts_.workers.size(); ++w) {
    while (!finished_[w] && !parts_.workers[w]->has_published() && parts_.clock->now() < until) {
      std::this_thread::sleep_for(kFlipPoll);
    }
  }
  count_step(TickStep::kFlip, parts_.clock->now() - began);
}

void Tick::run(bool end) {
  const TimeNs began = parts_.clock->now();
  const std::vector<Taken> taken = take_published();
  std::vector<const CountTable*> tables;
  for (const Taken& t : taken) tables.push_back(t.table);
  const TimeNs utc_step = parts_.time_base == TimeBase::kMachine ? parts_.clock->utc_step() : 0;
  const TimeNs now = time_of_tick(taken);
  const bool recording = parts_.time_base == TimeBase::kPackets;
  // An epoch of a recording lies in one period of all dumps, so it says what is over before it.
  if (parts_.dumps && recording && recording_seen_ != 0) parts_.dumps->advance(whole_seconds(now));
  // Steps 2 to 4: drain, merge, end what is due - in parallel over the shards.
  const TickOutput output = parts_.merger->run({tables, now, utc_step, ++ticks_, end});
  give_back(taken, output);
  if (parts_.monitors) parts_.monitors->end_tick(now, parts_.interval);
  if (parts_.dumps && !recording) parts_.dumps->advance(whole_seconds(now + utc_step));
  const TimeNs merged = parts_.clock->now();
  // Step 5: hand the records on.
  offer(output.batches);
  // Step 6: say how it stands. A recording may tick thousands of times a second; its readers need
  // not.
  count_step(TickStep::kDrainMerge, output.merge_ns);
  count_step(TickStep::kLifecycle, output.lifecycle_ns);
  const TimeNs handed_over = parts_.clock->now();
  count_step(TickStep::kHandOver, handed_over - merged);
  count_tick(seconds(handed_over - began));
  if (recording && !end && began - published_ < kPublishPause) return;
  published_ = began;
  ended_ = end;
  republish();
  count_step(TickStep::kPublish, parts_.clock->now() - handed_over);
}

void Tick::offer(const std::vector<RecordBatchPtr>& batches) {
  for (const RecordBatchPtr& batch : batches) {
    for (const SinkBooks& books : sinks_) {
      if (books.takes) books.sink->offer(batch);
    }
  }
}

SweepOutput Tick::sweep(const Sweep& order) {
  SweepOutput output = parts_.merger->sweep(order);
  offer(output.batches);
  republish();
  return output;
}

std::uint64_t Tick::records_made() const {
  std::uint64_t records = 0;
  for (const std::uint64_t ended : parts_.merger->totals().ended_flows) records += ended;
  return records;
}

// The books of a sink as they go on, or new ones.
Tick::SinkBooks Tick::books_of(RecordSink* sink, bool takes) const {
  const std::uint64_t records = records_made();
  const auto known = std::ranges::find(sinks_, sink, &SinkBooks::sink);
  if (known == sinks_.end()) return {sink, takes, records, 0};
  SinkBooks books = *known;
  if (books.takes && !takes) books.before += records - books.joined_at;
  if (!books.takes && takes) books.joined_at = records;
  books.takes = takes;
  return books;
}

void Tick::set_sinks(const std::vector<RecordSink*>& taking,
                     const std::vector<RecordSink*>& removed) {
  std::vector<SinkBooks> sinks;
  for (RecordSink* sink : taking) sinks.push_back(books_of(sink, true));
  for (RecordSink* sink : removed) sinks.push_back(books_of(sink, false));
  sinks_ = std::move(sinks);
}

std::vector<Tick::Taken> Tick::take_published() {
  std::vector<Taken> taken;
  for (std::size_t w = 0; w < parts_.workers.size(); ++w) {
    if (!finished_[w] && parts_.workers[w]->has_published()) {
      taken.push_back({w, &parts_.workers[w]->published()});
    }
  }
  return taken;
}

// Live: now. On a recording: the latest stamp; played into a running meter, it walks on at the
// machine's pace while nothing comes, so that flows end there too.
TimeNs Tick::time_of_tick(const std::vector<Taken>& taken) {
  const TimeNs now = parts_.clock->now();
  if (parts_.time_base == TimeBase::kMachine) return now;
  TimeNs latest = 0;
  bool any = false;
  for (const Taken& t : taken) {
    if (t.table->entries() == 0) continue;
    const TimeNs last = parts_.workers[t.worker]->published_report().last;
    latest = any ? std::max(latest, last) : last;
    any = true;
  }
  if (any) {
    recording_time_ = latest;
    recording_seen_ = now;
  } else if (parts_.recording_walks && recording_seen_ != 0) {
    return recording_time_ + (now - recording_seen_);
  }
  return recording_time_;
}

void Tick::give_back(const std::vector<Taken>& taken, const TickOutput& output) {
  for (std::size_t i = 0; i < taken.size(); ++i) {
    WorkerEpochs& epochs = *parts_.workers[taken[i].worker];
    WorkerBooks& books = books_[taken[i].worker];
    assert(output.drained[i].totals == taken[i].table->totals() &&
           "an entry was lost in the drain");
    books.capacity = taken[i].table->entries_max();
    books.take(epochs.published_report().counters, output.drained[i]);
    if (epochs.published_report().final_epoch) finished_[taken[i].worker] = true;
    epochs.give_back();
  }
}

bool Tick::all_finished() const {
  return std::all_of(finished_.begin(), finished_.end(), [](bool f) { return f; });
}

bool Tick::anything_published() const {
  for (std::size_t w = 0; w < parts_.workers.size(); ++w) {
    if (!finished_[w] && parts_.workers[w]->has_published()) return true;
  }
  return false;
}

void Tick::read_ports() {
  for (PortReading& reading : ports_) {
    reading.missed.clear();
    for (const MissedCount& missed : reading.port->missed()) {
      reading.missed.push_back({std::string(missed.reason), missed.packets});
    }
  }
}

void Tick::count_tick(double seconds_spent) {
  ++tick_status_.count;
  tick_status_.sum_s += seconds_spent;
  tick_status_.last_s = seconds_spent;
  const auto bucket = std::lower_bound(kTickBuckets.begin(), kTickBuckets.end(), seconds_spent);
  ++tick_status_.buckets[static_cast<std::size_t>(bucket - kTickBuckets.begin())];
}

void Tick::republish() {
  read_ports();
  auto status = std::make_shared<Status>();
  status->version = version();
  status->driver = parts_.driver;
  status->driver_note = parts_.driver_note;
  status->time = parts_.clock->now() + parts_.clock->utc_step();
  status->uptime_s = seconds(parts_.clock->now() - started_);
  status->tick_interval_s = seconds(parts_.interval);
  status->tick = tick_status_;
  status->flows.max = parts_.flows_max;
  status->paused = paused_;
  std::vector<SinkReading> sinks;
  const std::uint64_t records = records_made();
  for (const SinkBooks& books : sinks_) {
    sinks.push_back(
        {books.sink->account(), books.before + (books.takes ? records - books.joined_at : 0)});
  }
  fill_status(books_, ports_, parts_.merger->totals(), parts_.merger->statistics(), sinks, *status);
  for (std::size_t p = 0; p < status->ports.size(); ++p) {
    for (std::size_t level = 1; level < kCoarseLevels; ++level) {
      status->ports[p].coarse_packets[level] +=
          parts_.merger->coarse_packets(p, static_cast<CoarseLevel>(level));
    }
  }
  if (parts_.monitors) status->monitors = parts_.monitors->status();
  if (parts_.quotas) parts_.quotas->update(status->monitors, status->time / kNsPerSecond);
  if (parts_.dumps) status->dumps = parts_.dumps->status();
  if (parts_.history) parts_.history->collect(*status, parts_.interval, ended_);
  parts_.board->publish(std::move(status));
}

}  // namespace wiretally
