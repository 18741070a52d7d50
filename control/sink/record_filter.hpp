// SPDX-License-Identifier: Apache-2.0
// A tcpdump expression asked about a Flow Record: libpcap's program runs on a frame built from the
// record's key, so the syntax is the one users know. What a key does not hold (payload, lengths,
// TTL, MAC addresses) reads as zero there. Coarse records answer with the fields they kept. Thread:
// one at a time (the sink's). Errors: StartupError (kUsage) for an expression that is none.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "control/merge/flow_record.hpp"
#include "dataplane/source/packet_filter.hpp"

namespace wiretally {

class RecordFilter {
 public:
  explicit RecordFilter(std::string expression) : filter_(std::move(expression)) {}

  [[nodiscard]] bool matches(const FlowRecord& record);

 private:
  // Ethernet, one VLAN tag, IPv6, and as much of TCP as a filter can ask for.
  static constexpr std::size_t kFrameMax = 14 + 4 + 40 + 20;
  using Frame = std::array<std::uint8_t, kFrameMax>;
  static std::size_t build(const FlowRecord& record, Frame& frame);

  PacketFilter filter_;
};

}  // namespace wiretally
