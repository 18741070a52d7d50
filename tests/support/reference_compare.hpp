// SPDX-License-Identifier: Apache-2.0
// The product's parser against the reference parser, packet by packet. Thread: any.
#pragma once

#include <string>

#include "dataplane/packet/parse.hpp"
#include "tests/support/reference_parser.hpp"

namespace wiretally::reference {

// What the meter should leave of this packet, by that header; false if it is in no flow. Of a frame
// that is no IP only the VLAN is filled.
bool to_parsed(const Reading& reading, TunnelView tunnel, const PacketView& view,
               ParsedPacket& out);

enum class Verdict { kEqual, kDifferent, kInDoubt };
struct Comparison {
  Verdict verdict = Verdict::kInDoubt;
  std::string difference;  // what each says, for people
};

// kInDoubt: the reference says so, or the packet is deeper than the meter follows.
Comparison compare(const PacketView& view, TunnelView tunnel);

}  // namespace wiretally::reference
