// SPDX-License-Identifier: Apache-2.0
// A frame with the headers that a flow's packets have, as far as key and attributes tell: Ethernet
// type fields, VLAN tags, MPLS labels or PPPoE, IPv4 or IPv6, ports or ICMP type and code. What is
// not known is zero; program_analysis sees to it that no filter asks. Thread: any (a value).
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/flow/flow_attributes.hpp"
#include "dataplane/flow/flow_key.hpp"

namespace wiretally {

class KeyFrame {
 public:
  KeyFrame(const FlowKey& key, const FlowAttributes* attributes);

  [[nodiscard]] const std::uint8_t* data() const { return octets_.data(); }
  [[nodiscard]] std::uint32_t size() const { return size_; }

 private:
  // Ethernet, two tags, ten labels, PPPoE, IPv6, a fragment header, a transport header. Programs
  // read octets that a shorter frame would not have, so there is room behind.
  static constexpr std::size_t kOctetsMax = 14 + 2 * 4 + 10 * 4 + 8 + 40 + 8 + 24;

  void octet(std::uint8_t value) { octets_[size_++] = value; }
  void be16(std::uint16_t value);
  void copy(const std::uint8_t* from, std::size_t count);
  void write_link(const FlowKey& key, const FlowAttributes* attributes);
  void write_known_link(const FlowKey& key, const FlowAttributes& attributes);
  void write_type(const FlowKey& key, std::uint16_t type, const FlowAttributes* attributes);
  void write_ipv4(const FlowKey& key);
  void write_ipv6(const FlowKey& key, const FlowAttributes* attributes);

  std::array<std::uint8_t, kOctetsMax> octets_{};
  std::uint32_t size_ = 0;
};

}  // namespace wiretally
