// SPDX-License-Identifier: Apache-2.0
// What the targets share: a claim that must hold, an input's leading octets as choices, and a
// packet in a buffer of exactly its size, so that the address sanitizer sees the first octet too
// far. Thread: the fuzzer's.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>

#include "dataplane/packet/packet_view.hpp"
#include "tests/support/known_link_types.hpp"

namespace wiretally::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// The front of an input, octet by octet; zeros once it is used up.
class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> octets) : rest_(octets) {}
  std::uint8_t octet() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_.front();
    rest_ = rest_.subspan(1);
    return value;
  }
  std::uint32_t number(unsigned octets) {
    std::uint32_t value = 0;
    while (octets-- > 0) value = value << 8 | octet();
    return value;
  }
  [[nodiscard]] std::span<const std::uint8_t> rest() const { return rest_; }

 private:
  std::span<const std::uint8_t> rest_;
};

// An input of the packet targets: link type (an index of kKnownLinkTypes, or 255 and a number of
// two octets), whether more was on the wire than captured (0: no; n: n * 251 octets), the packet.
// seeds.cpp writes this form.
class PacketInput {
 public:
  static constexpr std::uint8_t kAnyLinkType = 255;
  static constexpr std::uint32_t kMissingStep = 251;

  explicit PacketInput(std::span<const std::uint8_t> octets) {
    Choices choices(octets);
    const std::uint8_t index = choices.octet();
    view_.link_type =
        LinkType{index == kAnyLinkType
                     ? static_cast<std::uint16_t>(choices.number(2))
                     : static_cast<std::uint16_t>(kKnownLinkTypes[index % kKnownLinkTypes.size()])};
    const std::uint32_t missing = choices.octet() * kMissingStep;
    const std::span packet = choices.rest();
    copy_.reset(new std::uint8_t[packet.size()]);
    std::copy(packet.begin(), packet.end(), copy_.get());
    view_.data = copy_.get();
    view_.captured = static_cast<std::uint32_t>(packet.size());
    view_.wire_octets = view_.captured + missing;
    view_.port = PortIndex{5};
  }
  [[nodiscard]] const PacketView& view() const { return view_; }

 private:
  std::unique_ptr<std::uint8_t[]> copy_;
  PacketView view_;
};

}  // namespace wiretally::fuzz
