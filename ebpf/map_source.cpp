// SPDX-License-Identifier: Apache-2.0
// Flows are read in place, sums and rows by bpf(2). Thread: one.
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

MapSource::MapSource(XdpLoader& loader) : loader_(loader) {
  for (auto& generation : seen_) {
    for (auto& seen : generation) seen.resize(loader.cpus());
  }
}

DirectionTotals MapSource::drain(const TakeFlows& take_flows, const TakeRow& take_row) {
  const std::uint32_t epoch = loader_.control().epoch;
  const std::uint32_t old = epoch % WT_GENERATIONS;
  loader_.control().epoch = epoch + 1;
  loader_.await_grace_period();
  DirectionTotals sums{};
  for (std::size_t direction = 0; direction < WT_DIRECTIONS; ++direction) {
    const std::vector<kernel_totals> now = read_totals(old, direction);
    std::vector<kernel_totals>& seen = seen_[old][direction];
    for (unsigned cpu = 0; cpu < loader_.cpus(); ++cpu) {
      sums[direction] = sums[direction] + (now[cpu] - seen[cpu]);
    }
    seen = now;
  }
  for (unsigned cpu = 0; cpu < loader_.cpus(); ++cpu) {
    const FlowTable* const table = loader_.flow_table(old, cpu);
    if (table == nullptr) continue;
    if (const auto flows = table->flows(epoch); !flows.empty()) take_flows(flows);
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
