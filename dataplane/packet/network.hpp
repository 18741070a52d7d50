// SPDX-License-Identifier: Apache-2.0
// The network and transport headers: what of them goes into a Flow Key and a flow's counters.
// Thread: worker. No allocation, no exception.
#pragma once

#include <cstdint>

#include "dataplane/flow/flow_key.hpp"
#include "dataplane/packet/cursor.hpp"
#include "dataplane/packet/layer.hpp"
#include "dataplane/packet/parse_error.hpp"

namespace wiretally {

// One IP header, read. The addresses point into the packet.
struct IpPacket {
  const std::uint8_t* source = nullptr;
  const std::uint8_t* destination = nullptr;
  std::uint64_t octets = 0;  // header and payload, as the header says
  IpVersion version = IpVersion::kNone;
  std::uint8_t protocol = 0;     // behind the IPv6 extension headers
  std::uint8_t next_header = 0;  // what the IP header itself names
  std::uint8_t tos = 0;
  std::uint8_t ttl = 0;                        // IPv6: hop limit
  std::uint8_t fragment_flags = 0;             // of FragmentFlag
  bool later_fragment = false;                 // has no transport header
  ParseError note = ParseError::kNone;         // what is missing of it, if anything
  ParseError length_note = ParseError::kNone;  // what is odd about its length
  std::uint32_t flow_label = 0;                // IPv6
  std::uint32_t identification = 0;            // of a fragment
  Cursor payload{nullptr, 0, 0};
};

struct Transport {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint16_t tcp_flags = 0;
  ParseError note = ParseError::kNone;
};

// Reads the header at walk.cursor. kNone, or why it is no valid IP header; then `ip` is not to be
// used.
ParseError read_ip(const Walk& walk, LayerKind kind, IpPacket& ip);

// Source and destination as a key has them: IPv4 in the last four octets of fields that were zero.
void fill_addresses(const IpPacket& ip, FlowKey& key);

// Ports and flags; all 0 where the protocol has none or the packet is a later fragment.
Transport read_transport(const IpPacket& ip);

}  // namespace wiretally
