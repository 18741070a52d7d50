// SPDX-License-Identifier: Apache-2.0
// The flows that one CPU counts in one generation: an array map that the kernel program fills
// (flow_table.bpf.h) and user space reads where it is. Made once; nothing is cleared, the next
// epoch of the generation writes over it. Thread: one.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "dataplane/descriptor.hpp"
#include "ebpf/flow_layout.h"

namespace wiretally {

class FlowTable {
 public:
  // Takes the memory for `flows` flows, 108 octets each. At least WT_BUCKETS. Throws
  // std::system_error with the kernel's error number.
  explicit FlowTable(std::uint32_t flows);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  // Of a table of that size: a power of two, one or two flows to each when it is full.
  static constexpr std::uint32_t buckets(std::uint32_t flows) { return std::bit_floor(flows); }
  [[nodiscard]] int map() const { return map_.get(); }
  // What was counted in this epoch, in order of first packets. It stands still from a grace period
  // after the epoch's end on until the generation's next epoch begins.
  [[nodiscard]] std::span<const kernel_flow> flows(std::uint32_t epoch) const;

 private:
  Descriptor map_;
  std::size_t octets_;
  void* entries_;
};

}  // namespace wiretally
