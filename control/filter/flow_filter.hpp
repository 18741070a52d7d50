// SPDX-License-Identifier: Apache-2.0
// A tcpdump expression asked about flows. libpcap compiles it for Ethernet; the program is run once
// on a frame built from the flow's key (key_frame.hpp), so one answer holds for all packets of the
// flow. At construction the program is followed along every path (program_analysis.hpp): one whose
// answer depends on octets that a key does not hold (payload, TTL, lengths, single TCP flags, MAC
// addresses) is refused with the reason.
// What an expression means is tcpdump's: `ip` alone does not look behind a VLAN tag, MPLS or PPPoE,
// `tcp` does not look behind IPv6 options. That needs the flow's attributes; without them a key is
// taken for a plain frame. Conventions where a key says less than a frame: a later fragment has no
// ports; ARP has no addresses, so `host` and `net` never match it.
// Thread: constructed by any; matches() is const and may be called by any number of threads at
// once. Cost: 20 to 60 ns a flow. Errors: StartupError (kUsage).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "control/filter/cut_program.hpp"
#include "control/filter/key_frame.hpp"
#include "control/merge/flow_record.hpp"

namespace wiretally {

class FlowFilter {
 public:
  // Names of hosts and networks are resolved at construction, as tcpdump does it. Blank: everything
  // matches.
  explicit FlowFilter(const std::string& expression);

  // `attributes` may be null: not known.
  [[nodiscard]] bool matches(const FlowKey& key, const FlowAttributes* attributes) const {
    return matches_all_ || matches(KeyFrame(key, attributes));
  }
  [[nodiscard]] bool matches(const FlowRecord& record) const {
    return matches(record.key, record.attributes);
  }
  // For one flow and many filters: the frame is built once.
  [[nodiscard]] bool matches(const KeyFrame& frame) const;
  // What is left of it for frames of one shape (filter_bank.hpp); nullopt: all of it.
  [[nodiscard]] std::optional<CutProgram> cut(const FrameShape& shape) const;

  // True if an answer can depend on FlowAttributes: whenever the expression is not blank.
  [[nodiscard]] bool wants_attributes() const { return !matches_all_; }
  // What the user should know of a good expression ("host does not match ARP here"), or empty.
  [[nodiscard]] const std::string& note() const;

 private:
  struct Program;
  struct Programs;
  friend class KeepFilterPrograms;

  static std::shared_ptr<const Program> compile(const std::string& expression);

  bool matches_all_;
  std::shared_ptr<const Program> program_;  // of all filters with this expression
};

// A long expression takes a while to compile. Filters of the same expression share one program as
// long as one of them lives; while such a keeper lives, also if none does: so that who checks a
// configuration first and uses it afterwards waits once. Thread: any.
class KeepFilterPrograms {
 public:
  KeepFilterPrograms();
  ~KeepFilterPrograms();
  KeepFilterPrograms(const KeepFilterPrograms&) = delete;
  KeepFilterPrograms& operator=(const KeepFilterPrograms&) = delete;
};

// Why the expression cannot be a flow filter; empty if it can. `note` is FlowFilter::note().
struct FilterVerdict {
  std::string error;
  std::string note;
};
FilterVerdict check_flow_filter(const std::string& expression);

}  // namespace wiretally
