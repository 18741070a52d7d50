// SPDX-License-Identifier: Apache-2.0
// Readers of everything below IP. Each read_*() takes the header at walk.cursor and returns the
// layer behind it; each layer_of_*() names the layer a number announces, and consumes nothing.
// capture_link.cpp: what a capture file puts before a packet; ethernet.cpp: Ethernet, tags, LLC;
// wide_area.cpp: PPP, PPPoE, HDLC, Frame Relay; wireless.cpp: 802.11; label_stack.cpp: MPLS, NSH.
// Thread: worker. No allocation, no exception; a header that is cut off gives kTruncated.
#pragma once

#include <cstdint>

#include "dataplane/packet/layer.hpp"
#include "dataplane/packet/packet_view.hpp"

namespace wiretally {

// The first layer of a frame from a capture. May skip a fixed pseudo header.
Layer layer_of_link_type(Walk& walk, LinkType type);
Layer layer_of_ethertype(Walk& walk, std::uint16_t type);
// The 802.3 type/length field: a length also bounds what follows.
Layer layer_of_type_or_length(Walk& walk, std::uint16_t value);
// By the version field, where nothing else tells; kNotIp if it is neither 4 nor 6.
Layer layer_of_ip_version(const Walk& walk);

Layer read_null_loopback(Walk& walk);
Layer read_linux_sll(Walk& walk);
Layer read_linux_sll2(Walk& walk);
Layer read_nflog(Walk& walk);
Layer read_juniper(Walk& walk);
Layer read_ipnet(Walk& walk);
Layer read_arcnet(Walk& walk);
Layer read_ppi(Walk& walk);
Layer read_radiotap(Walk& walk);
Layer read_prism(Walk& walk);
Layer read_avs(Walk& walk);
Layer read_raw_ip(Walk& walk);

Layer read_ethernet(Walk& walk);
Layer read_vlan_tag(Walk& walk);
Layer read_service_instance(Walk& walk);
Layer read_macsec(Walk& walk);
// A tag of which only the ethertype behind it matters.
template <class Tag>
Layer read_opaque_tag(Walk& walk) {
  const Tag* tag = walk.cursor.take<Tag>();
  return tag == nullptr ? kTruncated : layer_of_type_or_length(walk, tag->type.value());
}
Layer read_arista_timestamp(Walk& walk);
Layer read_trill(Walk& walk);
Layer read_fabric_path(Walk& walk);
Layer read_batman(Walk& walk);
Layer read_isl(Walk& walk);
Layer read_llc(Walk& walk);
// `bridge_padding`: octets RFC 2684 (2) or RFC 2427 (0) put before a bridged frame.
Layer read_snap(Walk& walk, unsigned bridge_padding);
Layer read_nlpid(Walk& walk);
Layer read_fddi(Walk& walk);
Layer read_token_ring(Walk& walk);

// `swapped`: the two frame control octets are exchanged, as some CAPWAP access points send them.
Layer read_wlan(Walk& walk, bool swapped);

Layer read_pppoe(Walk& walk);
Layer read_ppp_hdlc(Walk& walk);
Layer read_ppp(Walk& walk);
Layer read_cisco_hdlc(Walk& walk);
Layer read_frame_relay(Walk& walk);

Layer read_mpls(Walk& walk);
Layer read_pseudowire(Walk& walk);
Layer read_associated_channel(Walk& walk);
Layer read_nsh(Walk& walk);

}  // namespace wiretally
