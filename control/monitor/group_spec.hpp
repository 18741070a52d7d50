// SPDX-License-Identifier: Apache-2.0
// What a monitor counts apart: the fields of `group_by`, the octets that name a group in a table,
// and how a group is written. Groups read as the same fields read in `read --output csv`: numbers
// for protocol, ports, VLAN, type of service and ingress (ifindex); several fields have a blank
// between them. Thread: values; any.
//
// host, net, port and mac are of both ends of a flow: it counts once at its source (out) and once
// at its destination (in). All other fields are of the flow.
// Ports are 0 where the protocol has none, and in later fragments. A flow that has not such a field
// at all (the address of a non-IP frame, MAC addresses that are not known, the address that a
// coarse row has lost) is in no group: the monitor's `other` row has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dataplane/flow/flow_attributes.hpp"
#include "dataplane/flow/flow_key.hpp"

namespace wiretally {

enum class GroupField : std::uint8_t {
  kSourceHost,
  kDestinationHost,
  kHost,
  kSourcePort,
  kDestinationPort,
  kPort,
  kProtocol,
  kVlan,
  kMac,
  kTos,
  kIngress,
};

// The part of a flow that groups are made of.
struct FlowView {
  const FlowKey& key;                // labels included
  const FlowAttributes* attributes;  // null: not known
  std::uint32_t ingress_ifindex = 0;
  std::uint8_t tos = 0;
};

enum class FlowEnd : std::uint8_t { kSource, kDestination };

class GroupSpec {
 public:
  // `words`: as in the configuration, and checked there.
  explicit GroupSpec(const std::vector<std::string>& words);

  [[nodiscard]] bool is_empty() const { return parts_.empty(); }
  // Some field is of both ends.
  [[nodiscard]] bool has_two_ends() const { return two_ends_; }
  [[nodiscard]] bool wants(GroupField field) const;
  [[nodiscard]] std::size_t key_octets() const { return key_octets_; }
  // Writes key_octets() to `out`; false: the flow has not all of the fields. `end` matters only to
  // fields of both ends.
  bool key_of(const FlowView& flow, FlowEnd end, std::uint8_t* out) const;
  [[nodiscard]] std::string text(std::span<const std::uint8_t> key) const;

  friend bool operator==(const GroupSpec&, const GroupSpec&) = default;

 private:
  struct Part {
    GroupField field = GroupField::kHost;
    std::uint8_t prefix = 0;  // of addresses, in bits
    bool is_net = false;
    friend bool operator==(const Part&, const Part&) = default;
  };
  static Part part_of(const std::string& word);

  std::vector<Part> parts_;
  std::size_t key_octets_ = 0;
  bool two_ends_ = false;
};

}  // namespace wiretally
