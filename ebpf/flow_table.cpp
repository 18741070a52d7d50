// SPDX-License-Identifier: Apache-2.0
// An array map, mapped. Thread: one.
#include "ebpf/flow_table.hpp"

#include <bpf/bpf.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace wiretally {
namespace {

constexpr std::uint32_t kHeads = 1;  // element 0

std::uint32_t elements(std::uint32_t flows) {
  return kHeads + flows + FlowTable::buckets(flows) / WT_BUCKETS;
}

Descriptor make_map(std::uint32_t flows) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
  Descriptor map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "wt_flows", sizeof(std::uint32_t),
                                sizeof(kernel_flow), elements(flows), &options));
  if (!map.is_open()) throw std::system_error(errno, std::generic_category());
  return map;
}

}  // namespace

FlowTable::FlowTable(std::uint32_t flows)
    : map_(make_map(flows)),
      octets_(std::size_t{elements(flows)} * sizeof(kernel_flow)),
      entries_(mmap(nullptr, octets_, PROT_READ, MAP_SHARED, map_.get(), 0)) {
  if (entries_ == MAP_FAILED) throw std::system_error(errno, std::generic_category());
}

FlowTable::~FlowTable() {
  munmap(entries_, octets_);
}

std::span<const kernel_flow> FlowTable::flows(std::uint32_t epoch) const {
  kernel_table_head head;
  std::memcpy(&head, entries_, sizeof head);
  if (head.epoch != epoch) return {};
  return {static_cast<const kernel_flow*>(entries_) + kHeads, head.flows};
}

}  // namespace wiretally
