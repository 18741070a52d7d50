// SPDX-License-Identifier: Apache-2.0
// Whom a dump counts: IPFM's LOG rules asked about the two ends of a flow. For each end, the rules
// are looked through from the last to the first; the first that fits decides, whatever stands above
// it. A rule fits if the end's address is in its network and, where it has `with`, the other end's
// is (or is not) in that. What it says then: nothing counts, what the end sent, what it got, or
// both.
// Thread: any (constant once made). Cost: two masked compares a rule and end. Errors: ValueError.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "config/host_rule.hpp"
#include "dataplane/flow/flow_key.hpp"

namespace wiretally {

class HostRules {
 public:
  struct Counts {
    bool source = false;       // the source has sent it
    bool destination = false;  // the destination has got it
  };

  HostRules() = default;
  // None at all: every host, both ways.
  explicit HostRules(std::span<const std::string> rules);

  // For exact keys and coarse ones: an end that a coarse key does not name counts nothing, and is
  // in no network.
  [[nodiscard]] Counts judge(const FlowKey& key) const;

 private:
  std::vector<HostRule> rules_ = {HostRule{}};  // the last first
};

// Does the key say who sent it, and to whom? Not if it is no IP packet, or is coarse.
[[nodiscard]] bool names_source(const FlowKey& key);
[[nodiscard]] bool names_destination(const FlowKey& key);

}  // namespace wiretally
