// SPDX-License-Identifier: Apache-2.0
// The meter core (parse, hash, prefetch, count) and its variants with one thing taken away.
// Thread: the bench's only one.
#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <type_traits>

#include "dataplane/flow/count_table.hpp"
#include "dataplane/flow/hash_behind.hpp"
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

// CRC32C over the key, spread by one multiplication: linear, so not for the product.
[[gnu::target("sse4.2")]] std::uint64_t crc_hash(const FlowKey& key) {
  std::uint64_t words[5];
  std::memcpy(words, &key, sizeof words);
  std::uint64_t crc = 0x5eed;
  for (const std::uint64_t word : words) crc = _mm_crc32_u64(crc, word);
  return crc * 0x9e3779b97f4a7c15;
}

// What HashBehind does, with one thing changed.
template <CoreVariant variant>
class HashVariant {
 public:
  HashVariant(const FlowHash& hash, const CountTable& table, const ParsedPacket* packets,
              std::uint64_t* hashes)
      : hash_(hash), table_(table), packets_(packets), hashes_(hashes) {}

  void follow(std::size_t parsed) {
    if (hashed_ + kBehind < parsed) hash_next();
  }
  void finish(std::size_t parsed) {
    while (hashed_ < parsed) hash_next();
  }

 private:
  static constexpr std::size_t kBehind = variant == CoreVariant::kBehind4    ? 4
                                         : variant == CoreVariant::kBehind32 ? 32
                                         : variant == CoreVariant::kBehind64 ? 64
                                                                             : HashBehind::kBehind;

  void hash_next() {
    const FlowKey& key = packets_[hashed_].key;
    hashes_[hashed_] = variant == CoreVariant::kCrcHash ? crc_hash(key) : hash_(key);
    if (variant != CoreVariant::kNoPrefetch) table_.prefetch(hashes_[hashed_]);
    ++hashed_;
  }

  const FlowHash& hash_;
  const CountTable& table_;
  const ParsedPacket* packets_;
  std::uint64_t* hashes_;
  std::size_t hashed_ = 0;
};

template <class Hashing>
void parse_and_hash(std::span<const PacketView> views, Batch& batch, Hashing hashing) {
  batch.size = 0;
  for (const PacketView& view : views) {
    if (!is_metered(parse(view, {}, batch.packets[batch.size]))) continue;
    hashing.follow(++batch.size);
  }
  hashing.finish(batch.size);
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
    constexpr bool kAsIs = variant == CoreVariant::kProduct || variant == CoreVariant::kSmallPages;
    using Hashing = std::conditional_t<kAsIs, HashBehind, HashVariant<variant>>;
    CountTable& table = tables_.current();
    for (std::size_t at = 0; at < views.size(); at += kBurstMax) {
      const std::size_t size = std::min(kBurstMax, views.size() - at);
      parse_and_hash(views.subspan(at, size), batch_,
                     Hashing(bench_.hash, table, batch_.packets.data(), batch_.hashes.data()));
      std::array<std::uint8_t, kBurstMax> unplaced;  // none is: check() would tell
      table.count_all({batch_.packets.data(), batch_.size}, batch_.hashes.data(), unplaced.data());
    }
    tables_.expect(views.size());
  }

  Bench& bench_;
  FlowStream stream_;
  Tables tables_;
  Batch batch_;
};

class ParseHashArm : public Arm {
 public:
  explicit ParseHashArm(Bench& bench)
      : Arm("parse + hash, no table"),
        bench_(bench),
        stream_(bench.workload.pattern, bench.workload.flows, bench.workload.seed),
        table_(1000, 1, CountTable::Memory::kPopulated) {}

  void prepare() override { bench_.arena.fill(stream_, bench_.workload.mix); }

  std::uint64_t run() override {
    const auto views = bench_.arena.views();
    for (std::size_t at = 0; at < views.size(); at += kBurstMax) {
      parse_and_hash(views.subspan(at, std::min(kBurstMax, views.size() - at)), batch_,
                     HashVariant<CoreVariant::kNoPrefetch>(
                         bench_.hash, table_, batch_.packets.data(), batch_.hashes.data()));
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
  CountTable table_;
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
    case CoreVariant::kBehind4:
      return std::make_unique<CoreArm<CoreVariant::kBehind4>>(bench, std::move(name));
    case CoreVariant::kBehind32:
      return std::make_unique<CoreArm<CoreVariant::kBehind32>>(bench, std::move(name));
    case CoreVariant::kBehind64:
      return std::make_unique<CoreArm<CoreVariant::kBehind64>>(bench, std::move(name));
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
