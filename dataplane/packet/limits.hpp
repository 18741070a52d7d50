// SPDX-License-Identifier: Apache-2.0
// Every depth the parser follows has its bound here, so that no packet can make it loop. Past a
// bound the packet is still counted, under what was read so far, with a note (see parse_error.hpp).
// Thread: any.
#pragma once

namespace wiretally {

inline constexpr unsigned kVlanTagsMax = 16;     // 802.1Q, 802.1ad and older tags in one frame
inline constexpr unsigned kMplsLabelsMax = 16;   // labels in one stack
inline constexpr unsigned kLinkHeadersMax = 48;  // headers between two IP headers, tags included
inline constexpr unsigned kIpv6ExtensionsMax = 128;  // extension headers behind one IPv6 header
inline constexpr unsigned kTunnelsMax = 8;           // IP headers inside the outermost one
inline constexpr unsigned kIpv6OptionsMax = 64;      // options looked at for a jumbo length
inline constexpr unsigned kHeaderElementsMax =
    64;  // attributes, tags or options of one link header

}  // namespace wiretally
