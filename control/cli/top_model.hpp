// SPDX-License-Identifier: Apache-2.0
// What `top` on a terminal remembers: the ticks of the last 40 s, so that each row has its rate
// over 2, 10 and 40 s. A tick that is asked for twice counts once; rows beyond what was asked for
// are in `other`, so that sums stay exact. Thread: main. Memory: bounded by rows asked for and 40
// s.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/api/meter_view.hpp"

namespace wiretally {

enum class TopSort : std::uint8_t { kRate2, kRate10, kRate40, kPackets, kOctets, kFlows };

struct TopLine {
  std::string name;
  std::array<double, 3> octets_per_s{};  // over 2, 10 and 40 s, or as long as there is
  double packets_per_s = 0;              // over 2 s
  Volume total;
  std::uint64_t flows = 0;
};

class TopModel {
 public:
  static constexpr std::array<double, 3> kWindows = {2, 10, 40};

  // The latest tick.
  void add(const TopRows& rows);
  void clear() { samples_.clear(); }
  [[nodiscard]] bool is_empty() const { return samples_.empty(); }
  // The heaviest `limit` by `sort`, those whose names hold `part` only; the last is "other" if
  // there is more.
  [[nodiscard]] std::vector<TopLine> lines(TopSort sort, std::size_t limit,
                                           const std::string& part = {}) const;

 private:
  struct Sample {
    double seconds = 0;
    std::vector<TopRow> rows;
  };

  void forget_old();
  [[nodiscard]] std::unordered_map<std::string, TopLine> sum() const;

  std::deque<Sample> samples_;  // the latest first
};

}  // namespace wiretally
