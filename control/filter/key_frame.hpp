// SPDX-License-Identifier: Apache-2.0
// A frame with the headers that a flow's packets have, as far as key and attributes tell: Ethernet
// type fields, VLAN tags, MPLS labels or PPPoE, IPv4 or IPv6, ports or ICMP type and code. What is
// not known is zero; program_analysis sees to it that no filter asks. Thread: any (a value).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "dataplane/flow/flow_attributes.hpp"
#include "dataplane/flow/flow_key.hpp"

namespace wiretally {

// What many frames have in common: all octets but those of VLAN ids, addresses, ports (ICMP: type
// and code), which are 0 here. Most traffic has a handful of shapes: one for each protocol, without
// a tag and with one.
struct FrameShape {
  // Ethernet, two tags, ten labels, PPPoE, IPv6, a fragment header, a transport header. Programs
  // read octets that a shorter frame would not have, so there is room behind.
  static constexpr std::size_t kOctetsMax = 14 + 2 * 4 + 10 * 4 + 8 + 40 + 8 + 24;
  static constexpr std::size_t kVaryingMax = 4;  // two tags, addresses, ports
  struct Span {
    std::uint8_t at = 0;
    std::uint8_t octets = 0;
  };

  std::array<std::uint8_t, kOctetsMax> octets{};
  std::uint8_t size = 0;  // of the frame
  std::array<Span, kVaryingMax> varying{};

  // Any of `count` octets at `at`.
  [[nodiscard]] bool varies(std::size_t at, std::size_t count) const {
    return std::ranges::any_of(varying, [&](const Span& span) {
      return span.at < at + count && at < std::size_t{span.at} + span.octets;
    });
  }
  friend bool operator==(const FrameShape& a, const FrameShape& b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
  }
};
static_assert(std::has_unique_object_representations_v<FrameShape>, "compared by octets");
static_assert(FrameShape::kOctetsMax <= UINT8_MAX);

class KeyFrame {
 public:
  KeyFrame(const FlowKey& key, const FlowAttributes* attributes);

  [[nodiscard]] const std::uint8_t* data() const { return octets_.data(); }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] bool has_ip() const { return has_ip_; }
  [[nodiscard]] FrameShape shape() const;

 private:
  static constexpr std::size_t kOctetsMax = FrameShape::kOctetsMax;

  void octet(std::uint8_t value) { octets_[size_++] = value; }
  void be16(std::uint16_t value);
  void copy(const std::uint8_t* from, std::size_t count);
  // The next `count` octets differ between frames of one shape.
  void vary(std::size_t count) {
    varying_[spans_++] = {static_cast<std::uint8_t>(size_), static_cast<std::uint8_t>(count)};
  }
  void write_link(const FlowKey& key, const FlowAttributes* attributes);
  void write_known_link(const FlowKey& key, const FlowAttributes& attributes);
  void write_type(const FlowKey& key, std::uint16_t type, const FlowAttributes* attributes);
  void write_ipv4(const FlowKey& key);
  void write_ipv6(const FlowKey& key, const FlowAttributes* attributes);

  std::array<std::uint8_t, kOctetsMax> octets_{};
  std::uint32_t size_ = 0;
  bool has_ip_ = false;
  std::array<FrameShape::Span, FrameShape::kVaryingMax> varying_{};
  std::size_t spans_ = 0;
};

}  // namespace wiretally
