// SPDX-License-Identifier: Apache-2.0
// Every way a packet can be not metered, or metered with something missing. Each value is a counter
// index, a label of wiretally_not_metered_packets_total / wiretally_parse_notes_total, and a line
// of help. The first group says "in no flow"; the second is a note on a packet that *is* in a flow.
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wiretally {

enum class ParseError : std::uint8_t {
  kNone = 0,
  // -- not metered
  kTruncatedIp,        // cut off inside the IP header (IPv4 options included)
  kBadIpVersion,       // announced as IP, but the version field says otherwise
  kBadIpHeaderLength,  // IPv4 header length below 20 octets
  kBadIpTotalLength,   // IPv4 total length shorter than its header
  kFiltered,           // taken out by capture.filter
  kNotSampled,         // left out by capture.sampling
  kPaused,             // came while metering was paused by order
  // -- metered, with a note
  kUnknownLinkType,     // the capture's link type is not known to the meter: counted as non-IP
  kTruncatedLink,       // cut off inside the link-layer headers: counted as non-IP
  kTooManyLinkHeaders,  // more tags, labels or link headers than the parser follows: as non-IP
  kTruncatedExtension,  // cut off inside the IPv6 extension headers: no ports
  kTooManyExtensions,   // more IPv6 extension headers than the parser follows: no ports
  kTruncatedTransport,  // too short for its ports or flags: those are counted as 0
  kTruncatedTunnel,     // the tunnel's payload is cut off: counted under the header outside of it
  kBadInnerIp,      // the tunnel's payload is no valid IP header: under the header outside of it
  kTooManyTunnels,  // nested deeper than the parser follows: under the deepest header read
  kUnreadTunnel,    // a version or kind of tunnel that the parser does not open: under the outside
  kEncryptedLink,   // the frame's content is encrypted: as non-IP, in a tunnel under the outside
  kLinkFragment,    // a piece of a frame, not put together: as non-IP, or under the outside
  kNoIpLength,      // the IP length is 0 (segmentation offload): the octets on the wire count
  kFragmentWithoutFirst,  // flows.fragment_ports: first, and the first fragment is not known
  kIpLengthBeyondFrame,  // the IP length is more than there was on the wire: it counts all the same
};
inline constexpr ParseError kFirstNote = ParseError::kUnknownLinkType;
inline constexpr std::size_t kParseErrors =
    static_cast<std::size_t>(ParseError::kIpLengthBeyondFrame) + 1;

// True if a packet with this result was counted in a flow.
constexpr bool is_metered(ParseError e) {
  return e == ParseError::kNone || e >= kFirstNote;
}

// Label value (snake_case) and one sentence of help. Total functions: every value has both.
std::string_view label(ParseError e);
std::string_view help(ParseError e);

}  // namespace wiretally
