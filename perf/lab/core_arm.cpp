// SPDX-License-Identifier: Apache-2.0
// The meter core (parse, hash, prefetch, count) and its variants with one thing taken away.
// Thread: the bench's only one.
#include <immintrin.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <stdexcept>
#include <type_traits>

#include "dataplane/flow/count_table.hpp"
#include "dataplane/flow/hash_behind.hpp"
#include "dataplane/packet/parse.hpp"
#include "perf/lab/gigabyte_pages.hpp"
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
    const FlowKey& key = packets_[parsed - 1].key;
    const std::uint64_t hash = variant == CoreVariant::kCrcHash ? crc_hash(key) : hash_(key);
    hashes_[parsed - 1] = hash;
    if (variant == CoreVariant::kWhileParsing) table_.prefetch(hash);
    if (variant == CoreVariant::kCrcHash && parsed % HashBehind::kTogether == 0) {
      for (std::size_t i = parsed - HashBehind::kTogether; i < parsed; ++i) {
        table_.prefetch(hashes_[i]);
      }
    }
    if (variant == CoreVariant::kTwoDistances) {
      const CountEntry* lines = table_.segments()[0].lines;
      asm volatile("prefetcht1 %0" : : "m"(lines[hash >> (64 - table_.lines_log2())].packets));
    }
  }
  void finish(std::size_t parsed) {
    if (variant != CoreVariant::kAfterBurst) return;
    for (std::size_t i = 0; i < parsed; ++i) table_.prefetch(hashes_[i]);
  }

 private:
  const FlowHash& hash_;
  const CountTable& table_;
  const ParsedPacket* packets_;
  std::uint64_t* hashes_;
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

std::uint64_t packets_in(const CountTable& table) {
  std::uint64_t packets = 0;
  for (const CountTable::Segment& segment : table.segments()) {
    const std::size_t lines = (std::size_t{1} << segment.lines_log2) + CountTable::kProbeMax;
    for (std::size_t i = 0; i < lines; ++i) {
      if (table.live(segment.lines[i])) packets += segment.lines[i].packets;
    }
  }
  return packets;
}

void hold(std::uint64_t packets, std::uint64_t expected) {
  if (packets == expected) return;
  throw std::runtime_error("the table holds " + std::to_string(packets) + " packets of " +
                           std::to_string(expected));
}

// Two tables that take turns like a worker's, and the books of what went in.
class TurningTables {
 public:
  explicit TurningTables(Bench& bench) : workload_(bench.workload) {
    const std::uint32_t churned = workload_.pattern == Pattern::kChurn ? workload_.flows / 4 : 0;
    for (auto& table : tables_) {
      table = std::make_unique<CountTable>(std::max(kTableEntries, workload_.flows + churned), 1,
                                           CountTable::Memory::kPopulated);
    }
    open();
  }

  CountTable& current() { return *tables_[current_]; }
  // Flips when an epoch is over: control's work (drain, give back) is not the worker's time.
  void prepare() {
    if (current().totals().packets < epoch_packets()) return;
    check();
    current_ ^= 1;
    current().recycle();
    open();
  }
  void expect(std::uint64_t packets) { expected_ += packets; }

  // Every packet is in the table, in a line.
  void check() const {
    hold(packets_in(*tables_[current_]), expected_);
    hold(tables_[current_]->totals().packets, expected_);
  }

 private:
  // Frames come in arenas: an epoch of new flows ends one arena before the table is full.
  [[nodiscard]] std::uint64_t epoch_packets() const {
    if (workload_.pattern != Pattern::kNew) return kPacketsPerSecond10G;
    return std::max<std::uint64_t>(workload_.flows, 2 * FrameArena::kFrames) - FrameArena::kFrames;
  }
  void open() {
    current().open(0, 10, workload_.flows);
    expected_ = 0;
  }

  const Workload workload_;
  std::array<std::unique_ptr<CountTable>, 2> tables_;
  std::size_t current_ = 0;
  std::uint64_t expected_ = 0;
};

// The table that all share, or one of a variant's own.
class SharedTable {
 public:
  explicit SharedTable(Bench& bench) : resident_(bench.resident()) {}
  explicit SharedTable(std::shared_ptr<ResidentTable> own) : resident_(std::move(own)) {}
  CountTable& current() { return resident_->table; }
  void prepare() {}
  void expect(std::uint64_t packets) { resident_->expected += packets; }
  void check() const { resident_->check(); }

 private:
  std::shared_ptr<ResidentTable> resident_;
};

using Unplaced = std::array<std::uint8_t, kBurstMax>;  // none is: check() would tell

template <CoreVariant variant>
void count_batch(CountTable& table, Batch& batch) {
  Unplaced unplaced;
  if constexpr (variant == CoreVariant::kTwoDistances) {
    constexpr std::size_t kAhead = 8;
    const auto ask = [&](std::size_t from) {
      for (std::size_t i = from; i < std::min(from + kAhead, batch.size); ++i) {
        table.prefetch(batch.hashes[i]);
      }
    };
    ask(0);
    for (std::size_t at = 0; at < batch.size; at += kAhead) {
      ask(at + kAhead);
      table.count_all({batch.packets.data() + at, std::min(kAhead, batch.size - at)},
                      batch.hashes.data() + at, unplaced.data());
    }
  } else {
    table.count_all({batch.packets.data(), batch.size}, batch.hashes.data(), unplaced.data());
  }
}

template <CoreVariant variant, class Tables>
class CoreArm : public Arm {
 public:
  CoreArm(Bench& bench, std::string name, Tables tables)
      : Arm(std::move(name)),
        bench_(bench),
        stream_(bench.workload.pattern, bench.workload.flows, bench.workload.seed),
        tables_(std::move(tables)) {}

  void prepare() override {
    tables_.prepare();
    bench_.arena.fill(stream_, bench_.workload.mix);
  }

  std::uint64_t run() override {
    const auto views = bench_.arena.views();
    count(bench_.hash, tables_.current(), views, batch_);
    tables_.expect(views.size());
    return views.size();
  }

  void check() const override { tables_.check(); }

  static void count(const FlowHash& hash, CountTable& table, std::span<const PacketView> views,
                    Batch& batch) {
    constexpr bool kAsIs = variant == CoreVariant::kProduct || variant >= CoreVariant::kSmallPages;
    using Hashing = std::conditional_t<kAsIs, HashBehind, HashVariant<variant>>;
    for (std::size_t at = 0; at < views.size(); at += kBurstMax) {
      const std::size_t size = std::min(kBurstMax, views.size() - at);
      parse_and_hash(views.subspan(at, size), batch,
                     Hashing(hash, table, batch.packets.data(), batch.hashes.data()));
      count_batch<variant>(table, batch);
    }
  }

 private:
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

Instructions instructions_of(CoreVariant variant) {
  switch (variant) {
    case CoreVariant::kSse:
      return Instructions::kSse;
    case CoreVariant::kAvx2:
      return Instructions::kAvx2;
    case CoreVariant::kAvx512:
      return Instructions::kAvx512;
    default:
      return instructions_to_use();
  }
}

// A table of its own, with every flow of a workload where `variant` places it.
template <CoreVariant variant>
std::shared_ptr<ResidentTable> filled_table(Bench& bench) {
  const Workload& workload = bench.workload;
  const std::uint32_t entries = std::max(kTableEntries, workload.flows);
  const std::uint32_t expected = variant == CoreVariant::kFullSize ? entries
                                 : variant == CoreVariant::kDense  ? workload.flows / 2
                                                                   : workload.flows;
  auto resident = std::make_shared<ResidentTable>(entries, expected, instructions_of(variant));
  if (!is_resident(workload.pattern)) return resident;
  Batch batch;
  for (std::uint32_t first = 0; first < workload.flows;) {
    const auto views = bench.arena.fill_range(first, workload.flows - first, workload.mix);
    CoreArm<variant, SharedTable>::count(bench.hash, resident->table, views, batch);
    first += static_cast<std::uint32_t>(views.size());
  }
  resident->expected = workload.flows;
  return resident;
}

}  // namespace

ResidentTable::ResidentTable(std::uint32_t entries, std::uint32_t expected,
                             Instructions instructions)
    : table(entries, 1, CountTable::Memory::kPopulated, CountTable::Attributes::kNone,
            instructions) {
  table.open(0, 10, expected);
}

std::shared_ptr<ResidentTable> Bench::resident() {
  if (!resident_) resident_ = filled_table<CoreVariant::kProduct>(*this);
  return resident_;
}

void ResidentTable::check() const {
  std::uint64_t packets = 0;  // of lines without a flow too: the roofline asks nobody
  const CountTable::Segment& segment = table.segments()[0];
  const std::size_t lines = (std::size_t{1} << segment.lines_log2) + CountTable::kProbeMax;
  for (std::size_t i = 0; i < lines; ++i) packets += segment.lines[i].packets;
  hold(packets, expected);
}

std::unique_ptr<Arm> make_core_arm(Bench& bench, std::string name) {
  if (is_resident(bench.workload.pattern)) {
    return std::make_unique<CoreArm<CoreVariant::kProduct, SharedTable>>(bench, std::move(name),
                                                                         SharedTable(bench));
  }
  return make_turning_core_arm(bench, std::move(name));
}

std::unique_ptr<Arm> make_turning_core_arm(Bench& bench, std::string name) {
  return std::make_unique<CoreArm<CoreVariant::kProduct, TurningTables>>(bench, std::move(name),
                                                                         TurningTables(bench));
}

std::unique_ptr<Arm> make_core_variant(Bench& bench, std::string name, CoreVariant variant) {
  const auto arm = [&]<CoreVariant kVariant>(SharedTable table) -> std::unique_ptr<Arm> {
    return std::make_unique<CoreArm<kVariant, SharedTable>>(bench, std::move(name),
                                                            std::move(table));
  };
  const auto shared = [&]<CoreVariant kVariant>() {
    return arm.operator()<kVariant>(SharedTable(bench));
  };
  const auto own = [&]<CoreVariant kVariant>() {
    return arm.operator()<kVariant>(SharedTable(filled_table<kVariant>(bench)));
  };
  switch (variant) {
    case CoreVariant::kProduct:
      return shared.operator()<CoreVariant::kProduct>();
    case CoreVariant::kNoPrefetch:
      return shared.operator()<CoreVariant::kNoPrefetch>();
    case CoreVariant::kAfterBurst:
      return shared.operator()<CoreVariant::kAfterBurst>();
    case CoreVariant::kWhileParsing:
      return shared.operator()<CoreVariant::kWhileParsing>();
    case CoreVariant::kTwoDistances:
      return shared.operator()<CoreVariant::kTwoDistances>();
    case CoreVariant::kCrcHash:
      return own.operator()<CoreVariant::kCrcHash>();
    case CoreVariant::kSmallPages: {
      const SmallPagesOnly small;
      return own.operator()<CoreVariant::kSmallPages>();
    }
    case CoreVariant::kGigabytePages:
      try {
        const GigabytePages pages;
        return own.operator()<CoreVariant::kGigabytePages>();
      } catch (const std::bad_alloc&) {
        return nullptr;
      }
    case CoreVariant::kFullSize:
      if (bench.workload.flows >= kTableEntries) return nullptr;
      return own.operator()<CoreVariant::kFullSize>();
    case CoreVariant::kDense:
      if (bench.workload.flows >= kTableEntries) return nullptr;
      return own.operator()<CoreVariant::kDense>();
    case CoreVariant::kSse:
      return own.operator()<CoreVariant::kSse>();
    case CoreVariant::kAvx2:
      if (instructions_of_cpu() < Instructions::kAvx2) return nullptr;
      return own.operator()<CoreVariant::kAvx2>();
    case CoreVariant::kAvx512:
      if (instructions_of_cpu() < Instructions::kAvx512) return nullptr;
      return own.operator()<CoreVariant::kAvx512>();
  }
  return nullptr;
}

std::unique_ptr<Arm> make_parse_hash_arm(Bench& bench) {
  return std::make_unique<ParseHashArm>(bench);
}

}  // namespace wiretally::perf
