// SPDX-License-Identifier: Apache-2.0
// Damaged packets through the whole count: every truncation and every value of every octet of every
// sample goes through a worker, its count tables and the drain into flows that all end. Whatever a
// packet says, it is counted once: packets, octets and layer-2 octets are the same at every stage,
// and at the first one what the test itself put in.
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <set>
#include <thread>

#include "control/merge/merger.hpp"
#include "control/status.hpp"
#include "dataplane/worker.hpp"
#include "samples.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kSamplesMin = 200;
constexpr std::size_t kTableEntries = 2000;  // fills up often
constexpr TimeNs kPacketInterval = 100'000;  // ten thousand packets a second: some hundred epochs

// Every damaged form of every sample, one after the other: first cut to 0, 1, 2 ... octets, then
// whole with one octet changed to each other value. Each view ends where its buffer ends.
class DamageSource {
 public:
  explicit DamageSource(const std::vector<Sample>& samples) : samples_(samples) {}

  std::size_t poll(std::span<PacketView> views) {
    std::size_t count = 0;
    while (count < views.size() && sample_ < samples_.size()) {
      views[count++] = next();
      sent_.packets += 1;
      sent_.l2_octets += views[count - 1].wire_octets;
    }
    return count;
  }
  void release() { buffers_.clear(); }
  [[nodiscard]] bool exhausted() const { return sample_ == samples_.size(); }
  [[nodiscard]] const Volume& sent() const { return sent_; }

 private:
  PacketView next() {
    const Sample& sample = samples_[sample_];
    const std::size_t size = sample.octets.size();
    const bool cutting = cut_ <= size;
    const std::size_t octets = cutting ? cut_ : size;
    auto& buffer = buffers_.emplace_back(new std::uint8_t[octets]);
    std::copy_n(sample.octets.begin(), octets, buffer.get());
    PacketView view = view_of(sample);
    view.data = buffer.get();
    view.captured = static_cast<std::uint32_t>(octets);
    view.time = kPacketInterval * static_cast<TimeNs>(sent_.packets);
    view.port = PortIndex{0};
    if (cutting) {
      ++cut_;
    } else {
      buffer[at_] = static_cast<std::uint8_t>(buffer[at_] + change_);
      if (++change_ == 256) {
        change_ = 1;
        ++at_;
      }
    }
    if (cut_ > size && at_ == size) {
      ++sample_;
      cut_ = at_ = 0;
    }
    return view;
  }

  const std::vector<Sample>& samples_;
  std::deque<std::unique_ptr<std::uint8_t[]>> buffers_;
  std::size_t sample_ = 0;
  std::size_t cut_ = 0;
  std::size_t at_ = 0;
  unsigned change_ = 1;
  Volume sent_;
};
static_assert(PacketSource<DamageSource>);

// What the parser alone makes of the same packets.
Volume parsed_volume(const std::vector<Sample>& samples, const ParseOptions& options) {
  DamageSource source(samples);
  Volume volume;
  std::array<PacketView, kBurstMax> views;
  while (!source.exhausted()) {
    const std::size_t count = source.poll(views);
    for (const PacketView& view : std::span(views).first(count)) {
      ParsedPacket packet;
      if (is_metered(parse(view, options, packet))) {
        volume += {1, packet.octets, packet.wire_octets};
      }
    }
    source.release();
  }
  return volume;
}

struct Stages {
  WorkerCounters counters;
  Volume drained;
  Volume records;
};

Stages count(DamageSource& source, const ParseOptions& options) {
  WorkerOptions worker_options;
  worker_options.parse = options;
  worker_options.time_base = TimeBase::kPackets;
  const FlowHash hash(FlowHash::fixed_seed(), {});
  const MeterClock clock;
  WorkerEpochs epochs(kTableEntries, 1, CountTable::Memory::kLazy);
  Worker worker(worker_options, hash, epochs, clock, 1);
  MergerOptions merger_options;
  merger_options.recording = true;
  merger_options.ifindex = {1};
  Merger merger(merger_options, hash);
  const std::atomic<bool> never{false};
  std::thread thread([&] { worker.run(source, never); });
  Stages stages;
  std::uint32_t tick = 0;
  for (bool last = false; !last;) {
    epochs.wait_published();
    const CountTable* table = &epochs.published();
    last = epochs.published_report().final_epoch;
    const TickOutput output =
        merger.run({{&table, 1}, epochs.published_report().last, 0, ++tick, last});
    EXPECT_TRUE(output.drained.at(0).totals == table->totals());
    const CountTotals& totals = output.drained.at(0).totals;
    stages.drained += {totals.packets, totals.octets, static_cast<std::uint64_t>(totals.l2_octets)};
    for (const RecordBatchPtr& batch : output.batches) {
      for (const FlowRecord& record : *batch) {
        stages.records += {record.packets, record.octets, record.l2_octets};
      }
    }
    stages.counters = epochs.published_report().counters;
    epochs.give_back();
  }
  thread.join();
  EXPECT_GT(tick, 100u) << "tables were to be filled and flipped";
  return stages;
}

void expect_exact_totals(const ParseOptions& options) {
  const std::vector<Sample> samples = all_samples();
  DamageSource source(samples);
  const Stages stages = count(source, options);
  const PortCounters& port = stages.counters.ports.at(0);
  EXPECT_EQ(port.received.packets, source.sent().packets);
  EXPECT_EQ(port.received.l2_octets, source.sent().l2_octets);
  Volume metered;
  for (const MeteredCounter& each : port.metered) {
    metered += {each.packets, each.octets, each.l2_octets};
  }
  Volume all = metered;
  for (std::size_t e = 1; e < kParseErrors; ++e) {
    if (is_metered(static_cast<ParseError>(e))) continue;
    all += {port.results[e].packets, 0, port.results[e].l2_octets};
  }
  EXPECT_EQ(all.packets, source.sent().packets) << "in a flow or under a reason";
  EXPECT_EQ(all.l2_octets, source.sent().l2_octets);
  EXPECT_TRUE(metered == parsed_volume(samples, options));
  EXPECT_TRUE(stages.drained == metered);
  EXPECT_TRUE(stages.records == metered);
}

TEST(DamageTotals, the_samples_are_many_and_different) {
  std::set<std::pair<LinkType, std::vector<std::uint8_t>>> different;
  for (const Sample& sample : all_samples()) different.emplace(sample.link_type, sample.octets);
  EXPECT_GE(different.size(), kSamplesMin);
}

TEST(DamageTotals, are_exact_by_the_outer_header) {
  expect_exact_totals({.tunnel = TunnelView::kOuter});
}

TEST(DamageTotals, are_exact_by_the_inner_header) {
  expect_exact_totals({.tunnel = TunnelView::kInner});
}

}  // namespace
}  // namespace wiretally
