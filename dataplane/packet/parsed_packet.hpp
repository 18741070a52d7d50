// SPDX-License-Identifier: Apache-2.0
// What the parser leaves of a packet: its Flow Key and what is to be added to that flow.
// Thread: worker.
#pragma once

#include <cstdint>

#include "dataplane/flow/flow_key.hpp"

namespace wiretally {

// Which piece of an IP packet this is. kFirst only if others follow; its ports were readable.
enum class FragmentPlace : std::uint8_t { kNone, kFirst, kLater };

struct alignas(64) ParsedPacket {
  FlowKey key;
  std::uint64_t octets = 0;       // layer 3: IP header and payload (IE 1); 0 for non-IP
  std::uint32_t wire_octets = 0;  // layer 2: frame without FCS (IE 352)
  std::uint32_t time_offset = 0;  // set by the worker: epoch units since the epoch's base
  std::uint16_t tcp_flags = 0;    // 12 bits
  std::uint8_t tos = 0;           // IPv4 ToS / IPv6 traffic class
  FragmentPlace fragment = FragmentPlace::kNone;
  std::uint32_t fragment_id = 0;  // IP identification, of fragments
};
static_assert(sizeof(ParsedPacket) == 64, "one line a packet in the burst");

}  // namespace wiretally
