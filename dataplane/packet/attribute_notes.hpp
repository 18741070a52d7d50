// SPDX-License-Identifier: Apache-2.0
// What the readers of link and tunnel headers leave in a packet's FlowAttributes, if the walk has
// any to fill: one predicted branch where nobody asked. Link attributes are those of the frame on
// the tap, so nothing inside a tunnel changes them. Thread: worker.
#pragma once

#include <cstring>

#include "dataplane/packet/layer.hpp"
#include "dataplane/packet/link_headers.hpp"

namespace wiretally {

// True where the headers at the cursor are the frame's own and somebody asked.
inline bool wants_link(const Walk& walk) {
  return walk.attributes != nullptr && walk.below_first_ip;
}

// Addresses of six octets; nullptr: the capture does not have that one. The outermost count.
inline void note_macs(const Walk& walk, const std::uint8_t* destination,
                      const std::uint8_t* source) {
  if (!wants_link(walk) || walk.attributes->has_macs) return;
  FlowAttributes& attributes = *walk.attributes;
  if (destination != nullptr) std::memcpy(attributes.destination_mac.data(), destination, 6);
  if (source != nullptr) std::memcpy(attributes.source_mac.data(), source, 6);
  attributes.has_macs = true;
}

// The type or length field behind the frame's own addresses or tags.
inline void note_type(const Walk& walk, std::uint16_t type) {
  if (!wants_link(walk)) return;
  FlowAttributes& attributes = *walk.attributes;
  if (attributes.link_types < FlowAttributes::kLinkTypesMax) {
    attributes.link_type[attributes.link_types++] = type;
  }
}

// Tag control: priority, DEI, id.
inline void note_tag(const Walk& walk, std::uint16_t control) {
  if (!wants_link(walk)) return;
  FlowAttributes& attributes = *walk.attributes;
  if (attributes.tags == 0) attributes.outer_tag = control;
  if (attributes.tags == 1) attributes.inner_tag = control;
  ++attributes.tags;
}

// A label of the frame's stack, or of one that a tunnel begins with: then it names the tunnel.
inline void note_label(Walk& walk, const MplsLabel& entry, bool top) {
  if (walk.attributes == nullptr) return;
  if (!walk.below_first_ip) {
    if (top && walk.hop.id == 0) walk.hop = {TunnelKind::kMpls, entry.label()};
    return;
  }
  FlowAttributes& attributes = *walk.attributes;
  if (attributes.labels < FlowAttributes::kLabelsMax) {
    std::memcpy(attributes.label_stack[attributes.labels].data(), entry.entry.octets, 3);
  }
  ++attributes.labels;
}

// The tunnel header just read; a later one of the same hop (ERSPAN behind GRE) says more.
inline void note_tunnel(Walk& walk, TunnelKind kind, std::uint32_t id) {
  walk.hop = {kind, id};
}

}  // namespace wiretally
