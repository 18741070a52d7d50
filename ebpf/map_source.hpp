// SPDX-License-Identifier: Apache-2.0
// Drains what the kernel counted: begins the next epoch, waits until no program writes the old one
// any more, then reads its flows where they are. Thread: one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "ebpf/xdp_loader.hpp"

namespace wiretally {

// A row of the last resort, with what it stands for.
struct KernelRow {
  wt_direction direction = WT_RECEIVED;
  std::uint8_t ip_version = 0;
  std::uint8_t protocol = 0;
  kernel_row_count count{};
};

using DirectionTotals = std::array<kernel_totals, WT_DIRECTIONS>;  // by wt_direction

class MapSource {
 public:
  explicit MapSource(XdpLoader& loader);

  using TakeFlows = std::function<void(std::span<const kernel_flow>)>;  // of one CPU
  using TakeRow = std::function<void(const KernelRow&)>;

  // Begins an epoch, and hands over everything that was counted in the one before. Returns the sums
  // that the program made of the same packets, over all CPUs. Throws XdpError if a map cannot be
  // read.
  DirectionTotals drain(const TakeFlows& take_flows, const TakeRow& take_row);

  // All the programs ever did, over generations, directions and CPUs; exact while detached.
  [[nodiscard]] kernel_totals totals_so_far() const;

 private:
  [[nodiscard]] std::vector<kernel_totals> read_totals(std::uint32_t generation,
                                                       std::size_t direction) const;
  void drain_rows(std::uint32_t generation, std::size_t direction, const TakeRow& take_row);

  XdpLoader& loader_;
  // By generation, direction and CPU, at the drain before.
  std::array<std::array<std::vector<kernel_totals>, WT_DIRECTIONS>, WT_GENERATIONS> seen_;
};

kernel_totals operator-(const kernel_totals& a, const kernel_totals& b);
kernel_totals operator+(const kernel_totals& a, const kernel_totals& b);

}  // namespace wiretally
