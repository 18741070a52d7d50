// SPDX-License-Identifier: Apache-2.0
// The parts of the reference parser, one function a header. See reference_parser.hpp. Thread: any.
#pragma once

#include <algorithm>
#include <stdexcept>

#include "tests/support/reference_parser.hpp"

namespace wiretally::reference {

// Octets that were captured, and how many were on the wire from the same place on. Reading past the
// captured ones throws std::out_of_range, which ends the walk.
class Bytes {
 public:
  Bytes(std::vector<std::uint8_t> captured, std::uint64_t wire)
      : captured_(std::move(captured)), wire_(std::max<std::uint64_t>(wire, captured_.size())) {}
  [[nodiscard]] std::size_t size() const { return captured_.size(); }
  [[nodiscard]] std::uint64_t wire() const { return wire_; }
  [[nodiscard]] unsigned u8(std::size_t at) const { return captured_.at(at); }
  [[nodiscard]] unsigned u16(std::size_t at) const { return u8(at) << 8 | u8(at + 1); }
  [[nodiscard]] unsigned u16_little(std::size_t at) const { return u8(at + 1) << 8 | u8(at); }
  [[nodiscard]] std::uint32_t u32(std::size_t at) const {
    return static_cast<std::uint32_t>(u16(at)) << 16 | u16(at + 2);
  }
  [[nodiscard]] std::vector<std::uint8_t> part(std::size_t at, std::size_t count) const {
    (void)captured_.at(at + count - 1);
    const auto begin = captured_.begin() + static_cast<std::ptrdiff_t>(at);
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
  }
  // Without the first `at` octets.
  [[nodiscard]] Bytes from(std::size_t at) const {
    if (at > size()) throw std::out_of_range("past what was captured");
    return {{captured_.begin() + static_cast<std::ptrdiff_t>(at), captured_.end()}, wire_ - at};
  }
  // Not more than `count` octets.
  [[nodiscard]] Bytes first(std::uint64_t count) const {
    Bytes cut = *this;
    if (count < cut.captured_.size()) cut.captured_.resize(static_cast<std::size_t>(count));
    cut.wire_ = std::min(wire_, count);
    return cut;
  }

 private:
  std::vector<std::uint8_t> captured_;
  std::uint64_t wire_;
};

struct Walk {
  Reading reading;
  std::uint64_t frame_octets = 0;
  bool tagged = false;

  [[nodiscard]] bool in_tunnel() const { return !reading.ips.empty(); }
  void doubt() {
    reading.doubts_inner = true;
    if (!in_tunnel()) reading.doubts_outer = true;
  }
  // What claims to be an IP header is none. Inside a tunnel the packet counts for the header
  // before.
  void malformed() {
    if (!in_tunnel()) reading.malformed = true;
  }
};

// Counts the options, attributes or extensions of one header. The meter follows a named number of
// them, above this one; past it the reference doubts.
class Elements {
 public:
  explicit Elements(Walk& walk) : walk_(walk) {}
  void next() {
    if (++count_ > kAlwaysFollowed) walk_.doubt();
  }

 private:
  static constexpr unsigned kAlwaysFollowed = 32;
  Walk& walk_;
  unsigned count_ = 0;
};

void link(LinkType type, const Bytes& in, Walk& walk);

// -- reference_link.cpp, reference_wireless.cpp
void ethernet(const Bytes& in, Walk& walk);
void ethertype(unsigned type, const Bytes& in, Walk& walk);
void ppp(const Bytes& in, Walk& walk);           // address and control may be there
void ppp_protocol(const Bytes& in, Walk& walk);  // protocol field first
void mpls(const Bytes& in, Walk& walk);
void nsh(const Bytes& in, Walk& walk);
void llc(const Bytes& in, Walk& walk);
// `padded`: the header is filled up to a multiple of four octets.
void wlan(const Bytes& in, Walk& walk, bool padded = false);
void radiotap(const Bytes& in, Walk& walk);
void ppi(const Bytes& in, Walk& walk);

// -- reference_network.cpp
void ipv4_or_6(const Bytes& in, Walk& walk);  // announced as IPv4: a 6 in the version is IPv6 there
void ipv6(const Bytes& in, Walk& walk);
void by_version(const Bytes& in, Walk& walk);  // announced as IP

// -- reference_tunnel.cpp
void payload(unsigned protocol, const Bytes& in, Walk& walk);

}  // namespace wiretally::reference
