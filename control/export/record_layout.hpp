// SPDX-License-Identifier: Apache-2.0
// Record layouts: which elements a Flow Record is sent with, by name (`layout`) or listed
// (`fields`). A layout has one Template for each kind of record, with ids that never change: a
// layout by name has 256 + 16 * layout + kind, a list one of the ranges from 1024 on, chosen by
// its contents. So a restart, a second collector or another layout does not give one id two
// meanings. Thread: any (values).
#pragma once

#include <cstdint>
#include <vector>

#include "config/config.hpp"
#include "control/export/record_template.hpp"

namespace wiretally {

enum class RecordKind : std::uint8_t {
  kIpv4 = 0,
  kIpv6 = 1,
  kIcmpIpv4 = 2,  // with IE 32: nfdump reads that in v9, nfacctd only the destination port
  kIcmpIpv6 = 3,  // with IE 139, and 178 and 179, which nfdump reads in v9 (it skips 139)
  kNonIp = 4,
  kCoarseIpv4 = 5,  // with IE 173: which elements the overloaded table still told apart
  kCoarseIpv6 = 6,
  kCoarseNonIp = 7,
  // RFC 5103, in that order of the first four; only a layout with `biflow` has them.
  kBiflowIpv4 = 8,
  kBiflowIpv6 = 9,
  kBiflowIcmpIpv4 = 10,
  kBiflowIcmpIpv6 = 11,
};
inline constexpr std::size_t kRecordKinds = 8;
inline constexpr std::size_t kBiflowKinds = 4;

RecordKind record_kind(const FlowKey& key);
// Of two directions in one record; `kind` is that of an exact IP record.
RecordKind biflow_kind(RecordKind kind);

// What decides the layout of a collector's records.
struct LayoutChoice {
  RecordLayout layout = RecordLayout::kBasic;
  std::vector<std::string> fields;    // IANA names; not empty: they are the layout
  TunnelKey key = TunnelKey::kOuter;  // whose other end is the inner header, or the outer one
  RecordTimes times = RecordTimes::kMilliseconds;
  bool system_init_time = false;  // IPFIX: what uptimes count from (IE 160) stands beside them
  bool biflow = false;
  KeyConfig identity{};     // what a flow is told apart by; not the usual: flowKeyIndicator says it
  bool directions = false;  // a layout by name has egressInterface and flowDirection too
};

// As a collector is configured.
LayoutChoice layout_choice(const CollectorConfig& collector, TunnelKey key,
                           const KeyConfig& identity, bool directions);

// The id of the Template for `kind`.
std::uint16_t template_id(const LayoutChoice& choice, RecordKind kind);

// One Template per RecordKind that the layout has, in that order. A list's elements that a kind
// cannot have (an IPv6 address in an IPv4 record) are left out of it; names must be known (config
// checks them).
std::vector<RecordTemplate> make_layout(const LayoutChoice& choice);

// True if records need FlowAttributes to fill this layout.
bool wants_attributes(const LayoutChoice& choice);

}  // namespace wiretally
