// SPDX-License-Identifier: Apache-2.0
// The one bounds-checked reader: a place in a packet, how many octets may be read from there, and
// how many were there on the wire (more, if the capture was cut). Every header read goes through
// it. It owns nothing and never moves backwards. Thread: worker.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace wiretally {

class Cursor {
 public:
  Cursor(const std::uint8_t* data, std::size_t captured, std::uint64_t on_wire)
      : at_(data), end_(data + captured), on_wire_(std::max<std::uint64_t>(captured, on_wire)) {}

  [[nodiscard]] const std::uint8_t* at() const { return at_; }
  [[nodiscard]] std::size_t readable() const { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] std::uint64_t on_wire() const { return on_wire_; }

  // The header `offset` octets further on, or nullptr if it is not wholly readable.
  template <class Header>
  [[nodiscard]] const Header* peek(std::size_t offset = 0) const {
    static_assert(alignof(Header) == 1, "a header can stand at any octet");
    if (readable() < offset + sizeof(Header)) return nullptr;
    return reinterpret_cast<const Header*>(at_ + offset);
  }

  // peek(), and past it.
  template <class Header>
  [[nodiscard]] const Header* take() {
    const Header* header = peek<Header>();
    if (header != nullptr) skip(sizeof(Header));
    return header;
  }

  // Past `octets`. False, and at the end of what is readable, if there are not so many.
  bool skip(std::size_t octets) {
    const std::size_t step = std::min(octets, readable());
    at_ += step;
    on_wire_ -= step;
    return step == octets;
  }

  // What follows belongs to an enclosing header that says it is `octets` long: trailers, padding
  // and checksums behind it are out of reach from now on. A longer claim than the rest changes
  // nothing.
  void limit(std::uint64_t octets) {
    if (octets < readable()) end_ = at_ + octets;
    on_wire_ = std::min(on_wire_, octets);
  }

  // The last `octets` of the rest are not payload (a frame check sequence).
  void drop_tail(std::uint64_t octets) { limit(on_wire_ - std::min(on_wire_, octets)); }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  std::uint64_t on_wire_;
};

}  // namespace wiretally
