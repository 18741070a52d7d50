// SPDX-License-Identifier: Apache-2.0
// One packet as the parser reads it, in lines: each header with its place, the key, what is counted
// and how it ended. Made by the parser that counts, which tells of each header on its way
// (WalkObserver). Thread: main.
#pragma once

#include <cstdint>
#include <string>

#include "dataplane/packet/parse.hpp"

namespace wiretally {

struct ExplainedPacket {
  ParsedPacket packet;
  ParseError result = ParseError::kNone;
  bool agrees = true;  // with parse(), which counts: always, or one of the two is wrong
  std::string text;    // several lines, each with its end
};

// `number`: of the packet in its captures, from 1.
ExplainedPacket explain_packet(const PacketView& view, const ParseOptions& options,
                               std::uint64_t number);

}  // namespace wiretally
