// SPDX-License-Identifier: Apache-2.0
// Flow Records and what they count together: what an Exporting Process tells of those that it did
// not send (IEs 166, 167, 168). Thread: any (a value).
#pragma once

#include <cstdint>
#include <span>

#include "control/merge/flow_record.hpp"

namespace wiretally {

struct RecordSum {
  std::uint64_t records = 0;
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;  // layer 3: none of a non-IP record

  void add(const FlowRecord& record) {
    ++records;
    packets += record.packets;
    octets += record.octets;
  }
  RecordSum& operator+=(const RecordSum& o) {
    records += o.records;
    packets += o.packets;
    octets += o.octets;
    return *this;
  }
  // `o` is part of this.
  RecordSum& operator-=(const RecordSum& o) {
    records -= o.records;
    packets -= o.packets;
    octets -= o.octets;
    return *this;
  }
  friend bool operator==(const RecordSum&, const RecordSum&) = default;
};

inline RecordSum sum_of(std::span<const FlowRecord> records) {
  RecordSum sum;
  for (const FlowRecord& record : records) sum.add(record);
  return sum;
}

}  // namespace wiretally
