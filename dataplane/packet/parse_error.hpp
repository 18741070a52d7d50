// SPDX-License-Identifier: Apache-2.0
// Every way a packet can be not metered, or metered with something missing. Each value is a counter
// index, a label of wiretally_not_metered_packets_total / wiretally_parse_notes_total, and a line of
// help. The first group says "in no flow"; the second is a note on a packet that *is* in a flow.
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wiretally {

enum class ParseError : std::uint8_t {
  kNone = 0,
  // -- not metered
  kTruncatedLink,       // cut off inside the link-layer headers
  kTruncatedIp,         // cut off inside the fixed IP header
  kBadIpVersion,        // an IP ethertype, but the version field is neither 4 nor 6
  kBadIpHeaderLength,   // IPv4 header length below 20 octets
  kBadIpTotalLength,    // IPv4 total length shorter than its header
  kUnknownLinkType,     // the capture's link type is not known to the meter
  kFiltered,            // taken out by capture.filter
  kSelf,                // the meter's own export
  // -- metered, with a note
  kTruncatedTransport,  // too short for its ports: counted under ports 0
};
inline constexpr std::size_t kParseErrors = static_cast<std::size_t>(ParseError::kTruncatedTransport) + 1;

// True if a packet with this result was counted in a flow.
constexpr bool is_metered(ParseError e) {
  return e == ParseError::kNone || e >= ParseError::kTruncatedTransport;
}

// Label value (snake_case) and one sentence of help. Total functions: every value has both.
std::string_view label(ParseError e);
std::string_view help(ParseError e);

}  // namespace wiretally
