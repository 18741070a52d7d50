// SPDX-License-Identifier: Apache-2.0
// Two Flow Records of opposite directions to one Biflow (RFC 5103). A record waits up to
// kHoldNs for the other direction; a pair leaves with the initiator first, and the encoder writes
// two records that stand so as one. The initiator is the direction with the first SYN, else that
// with the first packet; of a flow cut by the active timeout, what its first records said. Records
// that nothing answers go out as uniflows. Thread: one link thread.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "control/export/pacer.hpp"
#include "control/export/record_queue.hpp"
#include "control/merge/flow_record.hpp"

namespace wiretally {

// IANA biflowDirection (IE 239).
enum class BiflowDirection : std::uint8_t { kArbitrary = 0, kInitiator = 1 };

// True if `b` is the other direction of `a`: exact keys with the ends exchanged, ICMP with the type
// that answers. VLAN and ingress may differ.
bool is_reverse(const FlowRecord& a, const FlowRecord& b);

// How `forward` came to stand before `reverse`.
BiflowDirection biflow_direction(const FlowRecord& forward, const FlowRecord& reverse);

class BiflowMatcher {
 public:
  static constexpr SteadyNs kHoldNs = 3'000'000'000;
  static constexpr std::size_t kHeldMax = 32'768;        // records waiting for their other half
  static constexpr std::size_t kRememberedMax = 65'536;  // flows whose initiator is known

  // Takes records; returns what may go now. Times of one link's clock.
  std::vector<RecordSlice> match(std::vector<RecordSlice> slices, SteadyNs now);
  // What has waited long enough, or (`all`) everything that waits.
  std::vector<RecordSlice> release(SteadyNs now, bool all);
  [[nodiscard]] std::uint64_t held() const { return held_.size(); }
  [[nodiscard]] SteadyNs due_at() const;

 private:
  struct KeyHash {
    std::size_t operator()(const FlowKey& key) const;
  };
  struct Held {
    FlowRecord record;
    RecordBatchPtr batch;  // owns the record's attributes
    SteadyNs since;
    std::uint64_t number;
  };
  struct Making;  // a batch in the making

  void forget_gone();
  void take(const FlowRecord& record, const RecordBatchPtr& batch, SteadyNs now, Making& out);
  void release_oldest(Making& out);
  bool first_is_initiator(const FlowRecord& a, const FlowRecord& b);

  std::unordered_map<FlowKey, Held, KeyHash> held_;  // by key, without VLAN and ingress
  std::deque<std::pair<FlowKey, std::uint64_t>> order_;
  std::unordered_set<FlowKey, KeyHash> initiators_;  // keys of flows that went on
  std::uint64_t next_number_ = 0;
};

}  // namespace wiretally
