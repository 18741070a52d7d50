// SPDX-License-Identifier: Apache-2.0
// The words for each outcome of the parser, as metrics and views show them. Thread: any.
#include "dataplane/packet/parse_error.hpp"

namespace wiretally {
namespace {

struct Words {
  ParseError error;
  std::string_view label;
  std::string_view help;
};

constexpr Words kWords[] = {
    {ParseError::kNone, "none", "Metered, nothing to remark."},
    {ParseError::kTruncatedIp, "truncated_ip",
     "The capture or the packet ends inside the IP header, so there is no key to count it under."},
    {ParseError::kBadIpVersion, "bad_ip_version",
     "Announced as IP by the header before it, but its version field is not the one announced."},
    {ParseError::kBadIpHeaderLength, "bad_ip_header_length",
     "The IPv4 header length field is below 20 octets."},
    {ParseError::kBadIpTotalLength, "bad_ip_total_length",
     "The IPv4 total length is shorter than the header."},
    {ParseError::kFiltered, "filtered", "Taken out by capture.filter."},
    {ParseError::kNotSampled, "not_sampled", "Left out by capture.sampling."},
    {ParseError::kPaused, "paused", "Came between `wiretally pause` and `wiretally resume`."},
    {ParseError::kUnknownLinkType, "unknown_link_type",
     "The link type of the capture is not known to the meter: counted as a non-IP frame."},
    {ParseError::kTruncatedLink, "truncated_link",
     "The frame ends inside its link-layer headers: counted as a non-IP frame."},
    {ParseError::kTooManyLinkHeaders, "too_many_link_headers",
     "More tags, labels or link headers than the parser follows: counted as a non-IP frame."},
    {ParseError::kTruncatedExtension, "truncated_extension",
     "The packet ends inside its IPv6 extension headers: counted without ports."},
    {ParseError::kTooManyExtensions, "too_many_extensions",
     "More IPv6 extension headers than the parser follows: counted without ports."},
    {ParseError::kTruncatedTransport, "truncated_transport",
     "The packet is too short for its ports or flags: what is missing counts as 0."},
    {ParseError::kTruncatedTunnel, "truncated_tunnel",
     "The packet ends inside a tunnel's headers: counted under the IP header outside of it."},
    {ParseError::kBadInnerIp, "bad_inner_ip",
     "What the tunnel carries is no valid IP header: counted under the IP header outside of it."},
    {ParseError::kTooManyTunnels, "too_many_tunnels",
     "Tunnels nested deeper than the parser follows: counted under the deepest IP header read."},
    {ParseError::kUnreadTunnel, "unread_tunnel",
     "A version or kind of tunnel that is not opened: counted under the IP header outside of it."},
    {ParseError::kEncryptedLink, "encrypted_link",
     "A frame with encrypted content: counted as a non-IP frame, inside a tunnel under the IP "
     "header outside of it."},
    {ParseError::kLinkFragment, "link_fragment",
     "A piece of a link-layer frame, which is not put together: counted as a non-IP frame, inside "
     "a tunnel under the IP header outside of it."},
    {ParseError::kNoIpLength, "no_ip_length",
     "The IP length is 0, as segmentation offload leaves it: the octets on the wire are counted."},
    {ParseError::kFragmentWithoutFirst, "fragment_without_first",
     "A later fragment whose first one is not known (flows.fragment_ports: first): counted with "
     "ports 0."},
    {ParseError::kIpLengthBeyondFrame, "ip_length_beyond_frame",
     "The IP length says more than was on the wire: its octets are counted as the header has "
     "them."},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kParseErrors; ++i) {
    if (static_cast<std::size_t>(kWords[i].error) != i) return false;
  }
  return true;
}
static_assert(std::size(kWords) == kParseErrors && in_order(), "one entry a value, in its place");

const Words& words(ParseError e) {
  const auto index = static_cast<std::size_t>(e);
  return kWords[index < kParseErrors ? index : 0];
}

}  // namespace

std::string_view label(ParseError e) {
  return words(e).label;
}
std::string_view help(ParseError e) {
  return words(e).help;
}

}  // namespace wiretally
