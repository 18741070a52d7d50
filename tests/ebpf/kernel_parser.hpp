// SPDX-License-Identifier: Apache-2.0
// The kernel program as a function from a frame to what became of it, by BPF_PROG_TEST_RUN on one
// CPU. Nothing is attached. Thread: the one that made it, which it pins.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ebpf/map_source.hpp"
#include "ebpf/ring_reader.hpp"
#include "ebpf/xdp_loader.hpp"

namespace wiretally {

// Programs that this thread runs then count into the table of CPU 0.
void pin_to_cpu_0();

struct KernelVerdict {
  bool refused = false;  // the kernel makes no skb with an IP ethertype of less than an IP header
  std::optional<kernel_flow> counted;  // in the table of flows
  std::vector<std::uint8_t> head;      // handed up: the octets user space gets
  handed_up_packet handed_up{};
  kernel_totals totals{};  // what the frame added
};

class KernelParser {
 public:
  // `sent`: the program for what is sent.
  explicit KernelParser(const XdpLoaderOptions& options, bool sent = false);
  // At least 14 octets, as a frame of a kernel interface has. Aborts the process on system errors.
  KernelVerdict parse(std::span<const std::uint8_t> frame);
  // A frame that is still to be cut; sent only. `segments` 0: the kernel has not counted them.
  KernelVerdict parse_uncut(std::span<const std::uint8_t> frame, std::uint32_t segment_size,
                            std::uint32_t segments, std::uint32_t wire_octets);

  // Empty if this process may load programs; else why not.
  static std::string why_not_here();

 private:
  KernelVerdict verdict();

  XdpLoader loader_;
  bool sent_;
  RingReader ring_;
  kernel_totals before_{};
};

}  // namespace wiretally
