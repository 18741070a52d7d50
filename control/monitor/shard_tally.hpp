// SPDX-License-Identifier: Apache-2.0
// What the flows of one shard have been told by the monitors, beside the flow cache, and what they
// have counted since the last settle(). Thread: the task of the shard; settle() of the set between
// two ticks. Memory: 16 octets a flow and 4 for each row it may be counted in.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "control/merge/slab.hpp"
#include "control/monitor/monitor_set.hpp"

namespace wiretally {

class ShardTally {
 public:
  struct ClassCell {
    const FlowClass* flow_class = nullptr;
    Volume volume;
    std::uint64_t flows = 0;
  };

  explicit ShardTally(MonitorSet& set);

  // Counts what came of the flow at `place` of the shard's cache. `flow`: as this delta has it.
  // `begins`: the flow is new there.
  void count(std::uint32_t place, const FlowKey& key, const FlowAttributes* attributes,
             std::uint8_t tos, const Volume& volume, bool begins);
  void prefetch(std::uint32_t place) const {
    if (place < places_) __builtin_prefetch(&notes_[place * note_words_], 1, 3);
  }
  [[nodiscard]] std::span<ClassCell> classes() { return classes_; }

 private:
  // A flow's note: these words, then its rows.
  enum Word : std::size_t { kGeneration, kClass, kLabels, kFrames, kRows };

  void tell_rows(std::uint32_t* note, const FlowView& flow);
  std::uint32_t classify(const FlowView& flow);
  std::uint32_t class_number();
  void find_rows(const Grouping& grouping, const FlowView& flow, std::uint32_t* rows);
  void make_room(std::uint32_t place);

  MonitorSet& set_;
  const std::size_t note_words_;
  Slab<std::uint32_t> notes_;
  std::size_t places_ = 0;
  std::vector<ClassCell> classes_;
  std::unordered_map<MonitorSet::ClassCode, std::uint32_t> class_index_;
  // Scratch of classify() and find_rows().
  std::vector<std::uint8_t> answers_;
  MonitorSet::ClassCode code_;
  std::vector<std::uint8_t> source_key_;
  std::vector<std::uint8_t> destination_key_;
};

}  // namespace wiretally
