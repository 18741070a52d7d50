// SPDX-License-Identifier: Apache-2.0
// One packet view to one ParsedPacket, or to the reason why it is in no flow.
// Conventions (what is a flow, which octets, which ports): tests/corpus conventions in README of
// dataplane/packet. Every header read is bounds-checked through Cursor; every depth has a named limit.
// Thread: worker. No allocation, no exception, no state between packets.
#pragma once

#include <cstdint>

#include "dataplane/packet/packet_view.hpp"
#include "dataplane/packet/parse_error.hpp"
#include "dataplane/packet/parsed_packet.hpp"

namespace wiretally {

enum class TunnelView : std::uint8_t { kOuter, kInner };

struct ParseOptions {
  TunnelView tunnel = TunnelView::kOuter;
};

// Fills `out` (whole, padding zeroed) and returns how it went: kNone or a note ("metered, but ...")
// if the packet belongs to a flow, or the reason why it does not (see is_metered()). `out.time_offset`
// is left 0.
ParseError parse(const PacketView& view, const ParseOptions& options, ParsedPacket& out);

}  // namespace wiretally
