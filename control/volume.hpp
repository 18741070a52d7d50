// SPDX-License-Identifier: Apache-2.0
// How much: packets and octets, the one triple that views, metrics, monitors and history add up.
// Thread: any (a value).
#pragma once

#include <cstdint>

namespace wiretally {

struct Volume {
  std::uint64_t packets = 0;
  std::uint64_t octets = 0;     // layer 3; 0 where only frames are counted
  std::uint64_t l2_octets = 0;  // frames without FCS

  Volume& operator+=(const Volume& o) {
    packets += o.packets;
    octets += o.octets;
    l2_octets += o.l2_octets;
    return *this;
  }
  // `o` is part of this.
  Volume& operator-=(const Volume& o) {
    packets -= o.packets;
    octets -= o.octets;
    l2_octets -= o.l2_octets;
    return *this;
  }
  friend Volume operator-(Volume a, const Volume& b) { return a -= b; }
  [[nodiscard]] bool is_zero() const { return packets == 0 && octets == 0 && l2_octets == 0; }
  friend bool operator==(const Volume&, const Volume&) = default;
};

// `total` is everything, also what has no direction. `in` and `out` are parts of it: of a monitor
// with `local:` networks, or of an interface that is metered both ways. Through traffic is the
// rest.
struct DirectedVolume {
  Volume total;
  Volume in;
  Volume out;

  DirectedVolume& operator+=(const DirectedVolume& o) {
    total += o.total;
    in += o.in;
    out += o.out;
    return *this;
  }
  friend bool operator==(const DirectedVolume&, const DirectedVolume&) = default;
};

}  // namespace wiretally
