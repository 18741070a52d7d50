// SPDX-License-Identifier: Apache-2.0
// New flows that a full cache refused, summed by the overload rule (coarsen.hpp): at most 128 rows
// a level, then one per port, IP version and protocol. A count table that holds no exact flow does
// it, so control drains them as it drains a worker's. One a shard, which fills it while it merges;
// all shards read it afterwards. Thread: control. Memory: fixed, 0.2 MB.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "control/merge/flow_cache.hpp"
#include "dataplane/flow/count_table.hpp"

namespace wiretally {

class CoarseFlows {
 public:
  explicit CoarseFlows(std::size_t ports);

  // Forgets the tick before.
  void open(TimeNs now);
  void take(const FlowDelta& delta, const FlowHash& hash);

  [[nodiscard]] bool empty() const { return empty_; }
  [[nodiscard]] const CountTable& table() const { return table_; }
  // Since start.
  [[nodiscard]] std::uint64_t packets(std::size_t port, CoarseLevel level) const {
    return packets_[port][static_cast<std::size_t>(level)];
  }

 private:
  CountTable table_;
  bool empty_ = true;
  TimeNs now_ = 0;
  std::vector<std::array<std::uint64_t, kCoarseLevels>> packets_;  // by port
};

}  // namespace wiretally
