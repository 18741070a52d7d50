// SPDX-License-Identifier: Apache-2.0
// The baseline: DPDK's own flow table used as its guide says - bulk lookup of a burst (which
// prefetches), then the records, prefetched, then one update each; unknown keys are added. Same
// parser, same key, same 64-octet record. rte_hash gets its memory from an external heap on 2 MiB
// pages, so that it is no worse off than the count table. Thread: the bench's only one.
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "dataplane/flow/count_entry.hpp"
#include "dataplane/packet/parse.hpp"
#include "perf/lab/meter_arms.hpp"

namespace wiretally::perf {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr const char* kHeapName = "bench";

// Anonymous memory on huge pages, touched.
class HugeMemory {
 public:
  explicit HugeMemory(std::size_t octets) : octets_((octets + kHugePage - 1) & ~(kHugePage - 1)) {
    const std::size_t mapped = octets_ + kHugePage;
    map_ = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map_ == MAP_FAILED) throw std::bad_alloc();
    const auto address = reinterpret_cast<std::uintptr_t>(map_);
    start_ = reinterpret_cast<void*>((address + kHugePage - 1) & ~(kHugePage - 1));
    madvise(start_, octets_, MADV_HUGEPAGE);
    std::memset(start_, 0, octets_);
  }
  ~HugeMemory() { munmap(map_, octets_ + kHugePage); }
  HugeMemory(const HugeMemory&) = delete;
  HugeMemory& operator=(const HugeMemory&) = delete;

  [[nodiscard]] void* start() const { return start_; }
  [[nodiscard]] std::size_t octets() const { return octets_; }

 private:
  std::size_t octets_;
  void* map_;
  void* start_;
};

void must(int result, const char* what) {
  if (result != 0) throw std::runtime_error(std::string(what) + ": " + rte_strerror(rte_errno));
}

// A DPDK heap on huge pages for as long as it lives.
class BenchHeap {
 public:
  explicit BenchHeap(std::size_t octets) : memory_(octets) {
    must(rte_malloc_heap_create(kHeapName), "heap");
    must(rte_malloc_heap_memory_add(kHeapName, memory_.start(), memory_.octets(), nullptr,
                                    static_cast<unsigned>(memory_.octets() / kHugePage), kHugePage),
         "heap memory");
  }
  ~BenchHeap() {
    rte_malloc_heap_memory_remove(kHeapName, memory_.start(), memory_.octets());
    rte_malloc_heap_destroy(kHeapName);
  }
  BenchHeap(const BenchHeap&) = delete;
  BenchHeap& operator=(const BenchHeap&) = delete;
  static int socket() { return rte_malloc_heap_get_socket(kHeapName); }

 private:
  HugeMemory memory_;
};

class RteHashArm : public Arm {
 public:
  explicit RteHashArm(Bench& bench) : Arm("rte_hash + record"), bench_(bench) {
    rte_hash_parameters parameters{};
    parameters.name = "baseline";
    parameters.entries = capacity_;
    parameters.key_len = sizeof(FlowKey);
    parameters.hash_func = rte_hash_crc;
    parameters.socket_id = BenchHeap::socket();
    table_ = rte_hash_create(&parameters);
    if (table_ == nullptr) must(-1, "rte_hash_create");
    if (is_resident(bench.workload.pattern)) fill();
  }
  ~RteHashArm() override { rte_hash_free(table_); }

  void prepare() override {
    if (used_ + FrameArena::kFrames > capacity_) {  // a flood: start anew, not in its time
      rte_hash_reset(table_);
      used_ = 0;
    }
    bench_.arena.fill(stream_, bench_.workload.mix);
  }
  std::uint64_t run() override {
    count(bench_.arena.views());
    return bench_.arena.views().size();
  }
  void check() const override {
    if (counted_ != sent_) throw std::runtime_error("rte_hash lost packets");
  }

 private:
  static_assert(kBurstMax <= RTE_HASH_LOOKUP_BULK_MAX);
  // Buckets (64 octets for 8), key slots (48 with the data pointer), the ring of free slots; twice.
  static std::size_t heap_octets(std::size_t capacity) { return capacity * 200 + (64U << 20); }

  void fill() {
    const std::uint32_t flows = bench_.workload.flows;
    for (std::uint32_t first = 0; first < flows;) {
      const auto views = bench_.arena.fill_range(first, flows - first, bench_.workload.mix);
      count(views);
      first += static_cast<std::uint32_t>(views.size());
    }
  }

  void count(std::span<const PacketView> views) {
    for (std::size_t at = 0; at < views.size(); at += kBurstMax) {
      count_burst(views.subspan(at, std::min(kBurstMax, views.size() - at)));
    }
    sent_ += views.size();
  }

  void count_burst(std::span<const PacketView> views) {
    std::size_t size = 0;
    for (const PacketView& view : views) {
      keys_[size] = &packets_[size].key;
      if (is_metered(parse(view, {}, packets_[size]))) ++size;
    }
    std::uint64_t hits = 0;
    void* found[kBurstMax];
    rte_hash_lookup_bulk_data(table_, keys_.data(), static_cast<std::uint32_t>(size), &hits, found);
    for (std::size_t i = 0; i < size; ++i) {
      if ((hits >> i & 1) != 0) __builtin_prefetch(found[i], 1, 3);
    }
    for (std::size_t i = 0; i < size; ++i) {
      if ((hits >> i & 1) != 0) {
        counted_ +=
            static_cast<CountEntry*>(found[i])->add(packets_[i], extra(packets_[i])) ? 1 : 0;
      } else {
        add(packets_[i]);
      }
    }
  }

  void add(const ParsedPacket& packet) {
    void* data = nullptr;
    if (rte_hash_lookup_data(table_, &packet.key, &data) >= 0) {  // added earlier in this burst
      counted_ += static_cast<CountEntry*>(data)->add(packet, extra(packet)) ? 1 : 0;
      return;
    }
    CountEntry* record = &records_[used_++];
    if (rte_hash_add_key_data(table_, &packet.key, record) != 0) {
      throw std::runtime_error("rte_hash is full at " + std::to_string(used_));
    }
    record->start(packet.key, packet.octets, extra(packet), packet, 1, 1);
    ++counted_;
  }

  static std::int32_t extra(const ParsedPacket& packet) {
    return static_cast<std::int32_t>(packet.wire_octets) - static_cast<std::int32_t>(packet.octets);
  }

  Bench& bench_;
  FlowStream stream_{bench_.workload.pattern, bench_.workload.flows, bench_.workload.seed};
  const std::uint32_t capacity_ =
      bench_.workload.flows + bench_.workload.flows / 4 + 2 * FrameArena::kFrames;
  BenchHeap heap_{heap_octets(capacity_)};
  HugeMemory records_memory_{capacity_ * sizeof(CountEntry)};
  CountEntry* records_ = static_cast<CountEntry*>(records_memory_.start());
  rte_hash* table_ = nullptr;
  std::size_t used_ = 0;
  std::array<ParsedPacket, kBurstMax> packets_;
  std::array<const void*, kBurstMax> keys_;
  std::uint64_t sent_ = 0;
  std::uint64_t counted_ = 0;
};

}  // namespace

std::unique_ptr<Arm> make_rte_hash_arm(Bench& bench) {
  return std::make_unique<RteHashArm>(bench);
}

void start_eal(int core) {
  std::string cores = std::to_string(core);
  std::array<std::string, 9> words = {"bench",    "-l",        cores,         "-m",           "128",
                                      "--no-pci", "--no-huge", "--no-shconf", "--log-level=4"};
  std::array<char*, 9> arguments;
  std::transform(words.begin(), words.end(), arguments.begin(), [](auto& w) { return w.data(); });
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
    throw std::runtime_error(std::string("EAL: ") + rte_strerror(rte_errno));
  }
}

}  // namespace wiretally::perf
