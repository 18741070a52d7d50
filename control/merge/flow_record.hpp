// SPDX-License-Identifier: Apache-2.0
// A Flow Record (RFC 7011 section 2): what control hands to every sink when a flow ends or is cut.
// Thread: written by control, read by any sink; immutable once in a batch.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "dataplane/flow/flow_attributes.hpp"
#include "dataplane/flow/flow_key.hpp"
#include "dataplane/packet/packet_view.hpp"

namespace wiretally {

// IANA flowEndReason (IE 136).
enum class FlowEndReason : std::uint8_t {
  kIdleTimeout = 1,
  kActiveTimeout = 2,
  kEndOfFlow = 3,
  kForcedEnd = 4,
  kLackOfResources = 5,
};
inline constexpr std::size_t kFlowEndReasons = 6;  // index by value; 0 is not used

// The same, as finely as the life-cycle knows it: which timeout it was.
enum class EndCause : std::uint8_t {
  kIdle,         // flows.timeouts.idle: a protocol without a timeout of its own
  kTcp,          // .tcp
  kTcpFin,       // .tcp_fin
  kTcpRst,       // .tcp_rst
  kUdp,          // .udp
  kIcmp,         // .icmp
  kActive,       // .active: the flow itself goes on
  kMaximumLife,  // .maximum_life
  kForced,       // by order, or the meter stops
  kMaxFlows,     // flows.max_flows: the idlest had to go
};
inline constexpr std::size_t kEndCauses = 10;

constexpr FlowEndReason reason_of(EndCause cause) {
  switch (cause) {
    case EndCause::kTcpFin:
    case EndCause::kTcpRst:
      return FlowEndReason::kEndOfFlow;
    case EndCause::kActive:
    case EndCause::kMaximumLife:
      return FlowEndReason::kActiveTimeout;
    case EndCause::kForced:
      return FlowEndReason::kForcedEnd;
    case EndCause::kMaxFlows:
      return FlowEndReason::kLackOfResources;
    default:
      return FlowEndReason::kIdleTimeout;
  }
}

// How a flow leaves by order: with a record (forced end), or without.
enum class Leave : std::uint8_t { kExport, kDelete };

struct FlowRecord {
  FlowKey key;  // fields not selected by flows.key are zero, but VLAN and port: first seen
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;           // layer 3 (IE 1)
  std::uint64_t l2_octets = 0;        // frames without FCS (IE 352)
  TimeNs first = 0;                   // smallest stamp, ns since the Unix epoch, UTC
  TimeNs last = 0;                    // largest stamp
  std::uint32_t ingress_ifindex = 0;  // of the interface it came in by; 0: it is not known
  std::uint32_t egress_ifindex = 0;   // of the one it was seen to leave by
  std::uint16_t tcp_flags = 0;        // OR, 12 bits
  std::uint8_t tos = 0;               // of the first packet
  FlowEndReason end_reason = FlowEndReason::kIdleTimeout;
  std::uint8_t direction = 0;                  // IANA flowDirection (IE 61): 0 ingress, 1 egress
  const FlowAttributes* attributes = nullptr;  // its batch's; null: not kept, or a last-resort row
};

// Records, and the attributes that they point to if any are kept. Not copied, so that no record can
// outlive what it points to: batches are shared whole.
struct RecordBatch : std::vector<FlowRecord> {
  using std::vector<FlowRecord>::vector;
  RecordBatch() = default;
  RecordBatch(RecordBatch&&) = default;
  RecordBatch& operator=(RecordBatch&&) = default;
  RecordBatch(const RecordBatch&) = delete;
  RecordBatch& operator=(const RecordBatch&) = delete;

  std::deque<FlowAttributes> attributes;  // a deque: growing moves none of them
};
using RecordBatchPtr = std::shared_ptr<const RecordBatch>;

}  // namespace wiretally
