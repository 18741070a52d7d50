// SPDX-License-Identifier: Apache-2.0
// The meter core (parse, hash, prefetch, count) and its variants with one thing taken away.
// Thread: the bench's only one.
#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "dataplane/flow/count_table.hpp"
#include "dataplane/packet/parse.hpp"
#include "perf/lab/machine.hpp"
#include "perf/lab/meter_arms.hpp"

namespace wiretally::perf {
namespace {

struct Batch {
  std::array<ParsedPacket, kBurstMax> packets;
  std::array<std::uint64_t, kBurstMax> hashes;
  std::size_t size = 0;
};

void parse_all(std::span<const PacketView> views, Batch& batch) {
  batch.size = 0;
  for (const PacketView& view : views) {
    if (is_metered(parse(view, {}, batch.packets[batch.size]))) ++batch.size;
  }
}

std::span<const ParsedPacket> packets_of(const Batch& batch) {
  return {batch.packets.data(), batch.size};
}

// CRC32C over the key, spread by one multiplication: linear, so not for the product.
void crc_hash_all(const Batch& batch, std::uint64_t* hashes) __attribute__((target("sse4.2")));
void crc_hash_all(const Batch& batch, std::uint64_t* hashes) {
  for (std::size_t i = 0; i < batch.size; ++i) {
    std::uint64_t words[5];
    std::memcpy(words, &batch.packets[i].key, sizeof words);
    std::uint64_t crc = 0x5eed;
    for (const std::uint64_t word : words) crc = _mm_crc32_u64(crc, word);
    hashes[i] = crc * 0x9e3779b97f4a7c15;
  }
}

// Two tables that take turns like a worker's, and the books of what went in.
class Tables {
 public:
  Tables(const Workload& workload, bool small_pages) : workload_(workload) {
    std::unique_ptr<SmallPagesOnly> small;
    if (small_pages) small = std::make_unique<SmallPagesOnly>();
    const std::size_t tables = flips() ? 2 : 1;
    for (std::size_t i = 0; i < tables; ++i) {
      tables_.push_back(
          std::make_unique<CountTable>(workload.flows, 1, CountTable::Memory::kPopulated));
    }
    open();
  }

  CountTable& current() { return *tables_[current_]; }
  // Flips when an epoch is over: control's work (drain, give back) is not the worker's time.
  void flip_if_due() {
    if (!flips() || current().totals().packets < epoch_packets()) return;
    check();
    current_ ^= 1;
    current().recycle();
    open();
  }
  [[nodiscard]] bool flips() const {
    return workload_.epoch_packets != 0 || workload_.pattern == Pattern::kNew;
  }
  void expect(std::uint64_t packets) { expected_ += packets; }

  // Every packet is in the table, in a line or a row.
  void check() const {
    const CountTable& table = *tables_[current_];
    std::uint64_t packets = 0;
    for (const CountTable::Segment& segment : table.segments()) {
      const std::size_t lines = (std::size_t{1} << segment.lines_log2) + CountTable::kProbeMax;
      for (std::size_t i = 0; i < lines; ++i) {
        if (table.live(segment.lines[i])) packets += segment.lines[i].packets;
      }
    }
    if (packets != expected_ || table.totals().packets != expected_) {
      throw std::runtime_error("the table holds " + std::to_string(packets) + " packets of " +
                               std::to_string(expected_));
    }
  }

 private:
  // Frames come in arenas: an epoch of new flows ends one arena before the table is full.
  [[nodiscard]] std::uint64_t epoch_packets() const {
    if (workload_.pattern != Pattern::kNew) return workload_.epoch_packets;
    return std::max<std::uint64_t>(workload_.flows, 2 * FrameArena::kFrames) - FrameArena::kFrames;
  }
  void open() {
    current().open(0, kTimeShift, workload_.flows);
    expected_ = 0;
  }
  static constexpr unsigned kTimeShift = 10;

  const Workload workload_;
  std::vector<std::unique_ptr<CountTable>> tables_;
  std::size_t current_ = 0;
  std::uint64_t expected_ = 0;
};

template <CoreVariant variant>
class CoreArm : public Arm {
 public:
  CoreArm(Bench& bench, std::string name)
      : Arm(std::move(name)),
        bench_(bench),
        stream_(bench.workload.pattern, bench.workload.flows, bench.workload.seed),
        tables_(bench.workload, variant == CoreVariant::kSmallPages) {
    if (!tables_.flips()) fill();
  }

  void prepare() override {
    tables_.flip_if_due();
    bench_.arena.fill(stream_, bench_.workload.mix);
  }

  std::uint64_t run() override {
    count(bench_.arena.views());
    return bench_.arena.views().size();
  }

  void check() const override { tables_.check(); }

 private:
  void fill() {
    const std::uint32_t flows = bench_.workload.flows;
    for (std::uint32_t first = 0; first < flows;) {
      const auto views = bench_.arena.fill_range(first, flows - first, bench_.workload.mix);
      count(views);
      first += static_cast<std::uint32_t>(views.size());
    }
  }

  void count(std::span<const PacketView> views) {
    CountTable& table = tables_.current();
    for (std::size_t at = 0; at < views.size(); at += kBurstMax) {
      const std::size_t size = std::min(kBurstMax, views.size() - at);
      parse_all(views.subspan(at, size), batch_);
      if constexpr (variant == CoreVariant::kCrcHash) {
        crc_hash_all(batch_, batch_.hashes.data());
      } else {
        bench_.hash.hash_all(packets_of(batch_), batch_.hashes.data());
      }
      count_batch(table);
    }
    tables_.expect(views.size());
  }

  void count_batch(CountTable& table) {
    std::array<std::uint8_t, kBurstMax> unplaced;  // none is: check() would tell
    constexpr std::size_t kAhead = variant == CoreVariant::kPrefetchAhead8    ? 8
                                   : variant == CoreVariant::kPrefetchAhead32 ? 32
                                                                              : 0;
    if constexpr (kAhead != 0) {
      const std::span hashes(batch_.hashes.data(), batch_.size);
      table.prefetch(hashes.first(std::min(kAhead, batch_.size)));
      for (std::size_t i = 0; i < batch_.size; ++i) {
        if (i + kAhead < batch_.size) table.prefetch(hashes.subspan(i + kAhead, 1));
        table.count_all(packets_of(batch_).subspan(i, 1), &batch_.hashes[i], unplaced.data());
      }
    } else {
      if constexpr (variant != CoreVariant::kNoPrefetch) {
        table.prefetch({batch_.hashes.data(), batch_.size});
      }
      table.count_all(packets_of(batch_), batch_.hashes.data(), unplaced.data());
    }
  }

  Bench& bench_;
  FlowStream stream_;
  Tables tables_;
  Batch batch_;
};

class ParseHashArm : public Arm {
 public:
  explicit ParseHashArm(Bench& bench)
      : Arm("parse + hash only"),
        bench_(bench),
        stream_(bench.workload.pattern, bench.workload.flows, bench.workload.seed) {}

  void prepare() override { bench_.arena.fill(stream_, bench_.workload.mix); }

  std::uint64_t run() override {
    const auto views = bench_.arena.views();
    for (std::size_t at = 0; at < views.size(); at += kBurstMax) {
      parse_all(views.subspan(at, std::min(kBurstMax, views.size() - at)), batch_);
      bench_.hash.hash_all(packets_of(batch_), batch_.hashes.data());
      for (std::size_t i = 0; i < batch_.size; ++i) sum_ += batch_.hashes[i];
    }
    return views.size();
  }

  void check() const override {
    if (sum_ == 0) throw std::runtime_error("nothing was hashed");
  }

 private:
  Bench& bench_;
  FlowStream stream_;
  Batch batch_;
  std::uint64_t sum_ = 0;
};

}  // namespace

std::unique_ptr<Arm> make_core_arm(Bench& bench, std::string name, CoreVariant variant) {
  switch (variant) {
    case CoreVariant::kProduct:
      return std::make_unique<CoreArm<CoreVariant::kProduct>>(bench, std::move(name));
    case CoreVariant::kNoPrefetch:
      return std::make_unique<CoreArm<CoreVariant::kNoPrefetch>>(bench, std::move(name));
    case CoreVariant::kPrefetchAhead8:
      return std::make_unique<CoreArm<CoreVariant::kPrefetchAhead8>>(bench, std::move(name));
    case CoreVariant::kPrefetchAhead32:
      return std::make_unique<CoreArm<CoreVariant::kPrefetchAhead32>>(bench, std::move(name));
    case CoreVariant::kCrcHash:
      return std::make_unique<CoreArm<CoreVariant::kCrcHash>>(bench, std::move(name));
    case CoreVariant::kSmallPages:
      return std::make_unique<CoreArm<CoreVariant::kSmallPages>>(bench, std::move(name));
  }
  return nullptr;
}

std::unique_ptr<Arm> make_parse_hash_arm(Bench& bench) {
  return std::make_unique<ParseHashArm>(bench);
}

}  // namespace wiretally::perf
