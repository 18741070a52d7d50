// SPDX-License-Identifier: Apache-2.0
// Batches of bpf(2), and sums over CPUs. Thread: one.
#include "ebpf/map_source.hpp"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <string>

namespace wiretally {
namespace {

// Every member of kernel_totals is a 64-bit count.
constexpr std::size_t kCounters = sizeof(kernel_totals) / sizeof(wt_u64);

template <class Operation>
kernel_totals combine(const kernel_totals& a, const kernel_totals& b, Operation operation) {
  std::array<wt_u64, kCounters> x;
  std::array<wt_u64, kCounters> y;
  std::memcpy(x.data(), &a, sizeof a);
  std::memcpy(y.data(), &b, sizeof b);
  for (std::size_t i = 0; i < kCounters; ++i) x[i] = operation(x[i], y[i]);
  kernel_totals out;
  std::memcpy(&out, x.data(), sizeof out);
  return out;
}

bool counted_any(const kernel_totals& totals) {
  return std::ranges::any_of(totals.counted, [](const kernel_volume& v) { return v.packets != 0; });
}

bool any_coarse(const kernel_totals& totals) {
  return std::ranges::any_of(totals.coarse, [](const kernel_volume& v) { return v.packets != 0; });
}

void add(kernel_row_count& sum, const kernel_row_count& part) {
  if (part.packets == 0) return;
  sum.first = sum.packets == 0 ? part.first : std::min(sum.first, part.first);
  sum.last = std::max(sum.last, part.last);
  sum.packets += part.packets;
  sum.octets += part.octets;
  sum.l2_octets += part.l2_octets;
  sum.tcp_flags |= part.tcp_flags;
}

[[noreturn]] void fail(const char* what) {
  throw XdpError(std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

kernel_totals operator-(const kernel_totals& a, const kernel_totals& b) {
  return combine(a, b, std::minus<>());
}
kernel_totals operator+(const kernel_totals& a, const kernel_totals& b) {
  return combine(a, b, std::plus<>());
}

MapSource::MapSource(XdpLoader& loader)
    : loader_(loader), keys_(kBatch), counts_(kBatch), position_(sizeof(kernel_flow_key)) {
  for (auto& generation : seen_) {
    for (auto& seen : generation) seen.resize(loader.cpus());
  }
}

DirectionTotals MapSource::drain(const TakeFlows& take_flows, const TakeRow& take_row) {
  const std::uint32_t old = loader_.control().generation & 1;
  loader_.control().generation = old ^ 1;
  loader_.await_grace_period();
  DirectionTotals sums{};
  std::vector<bool> has_flows(loader_.cpus(), false);
  for (std::size_t direction = 0; direction < WT_DIRECTIONS; ++direction) {
    const std::vector<kernel_totals> now = read_totals(old, direction);
    std::vector<kernel_totals>& seen = seen_[old][direction];
    for (unsigned cpu = 0; cpu < loader_.cpus(); ++cpu) {
      const kernel_totals part = now[cpu] - seen[cpu];
      if (counted_any(part)) has_flows[cpu] = true;
      sums[direction] = sums[direction] + part;
    }
    seen = now;
  }
  for (unsigned cpu = 0; cpu < loader_.cpus(); ++cpu) {
    // A CPU that counted nothing leaves an empty map, and walking its buckets costs the same.
    const int map = loader_.flow_map(old, cpu);
    if (map >= 0 && has_flows[cpu]) drain_map(map, take_flows);
  }
  for (std::size_t direction = 0; direction < WT_DIRECTIONS; ++direction) {
    if (any_coarse(sums[direction])) drain_rows(old, direction, take_row);
  }
  return sums;
}

kernel_totals MapSource::totals_so_far() const {
  kernel_totals sum{};
  for (std::uint32_t generation = 0; generation < WT_GENERATIONS; ++generation) {
    for (std::size_t direction = 0; direction < WT_DIRECTIONS; ++direction) {
      for (const kernel_totals& part : read_totals(generation, direction)) sum = sum + part;
    }
  }
  return sum;
}

std::vector<kernel_totals> MapSource::read_totals(std::uint32_t generation,
                                                  std::size_t direction) const {
  std::vector<kernel_totals> totals(loader_.cpus());
  const auto index = static_cast<std::uint32_t>(generation * WT_DIRECTIONS + direction);
  if (bpf_map_lookup_elem(loader_.totals(), &index, totals.data()) != 0) {
    fail("the program's sums cannot be read");
  }
  return totals;
}

// The kernel works bucket by bucket; a bucket that does not fit the batch is asked for again with
// more room.
void MapSource::drain_map(int map, const TakeFlows& take_flows) {
  bool first = true;
  for (;;) {
    auto count = static_cast<std::uint32_t>(keys_.size());
    const int result =
        bpf_map_lookup_and_delete_batch(map, first ? nullptr : position_.data(), position_.data(),
                                        keys_.data(), counts_.data(), &count, nullptr);
    const int error = result == 0 ? 0 : errno;
    if (error == ENOSPC) {
      keys_.resize(2 * keys_.size());
      counts_.resize(2 * counts_.size());
      continue;
    }
    if (error != 0 && error != ENOENT) fail("a map of flows cannot be drained");
    if (count != 0) take_flows({keys_.data(), count}, {counts_.data(), count});
    if (error == ENOENT) return;
    first = false;
  }
}

void MapSource::drain_rows(std::uint32_t generation, std::size_t direction,
                           const TakeRow& take_row) {
  std::vector<kernel_row_count> by_cpu(loader_.cpus());
  const std::vector<kernel_row_count> nothing(loader_.cpus());
  for (std::uint32_t i = 0; i < WT_ROWS; ++i) {
    const auto index =
        static_cast<std::uint32_t>((generation * WT_DIRECTIONS + direction) * WT_ROWS + i);
    if (bpf_map_lookup_elem(loader_.rows(), &index, by_cpu.data()) != 0) {
      fail("a coarse row cannot be read");
    }
    KernelRow row{static_cast<wt_direction>(direction),
                  static_cast<std::uint8_t>(i / WT_PROTOCOLS),
                  static_cast<std::uint8_t>(i % WT_PROTOCOLS),
                  {}};
    for (const kernel_row_count& part : by_cpu) add(row.count, part);
    if (row.count.packets == 0) continue;
    take_row(row);
    if (bpf_map_update_elem(loader_.rows(), &index, nothing.data(), BPF_ANY) != 0) {
      fail("a coarse row cannot be cleared");
    }
  }
}

}  // namespace wiretally
