// SPDX-License-Identifier: Apache-2.0
// Headers in words, for `read --explain`: the name of each layer, and the fields of the common
// ones. Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "dataplane/packet/cursor.hpp"
#include "dataplane/packet/layer.hpp"
#include "dataplane/packet/network.hpp"

namespace wiretally {

// "Ethernet", "802.1Q tag", "GRE"; of what ends a walk, why: "nothing the meter reads further".
std::string_view name_of(LayerKind kind);

// What the header at `before` says, as far as the meter reads it; "" if there is nothing to add.
// `walk` stands behind it.
std::string fields_of(Layer layer, const Cursor& before, const Walk& walk);

std::string_view ip_name(const IpPacket& ip);
// "10.0.0.1 > 10.0.0.2, protocol 17, length 1500, ttl 64, do not fragment"; of IPv6 also the
// extension headers. `walk` stands at the header.
std::string ip_text(const Walk& walk, const IpPacket& ip);
// "443 > 50000, flags 0x012", "type 8 code 0"; "" for UDP, which the walk reads as a header, and
// for what has neither.
std::string transport_text(const IpPacket& ip);

}  // namespace wiretally
