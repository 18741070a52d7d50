/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* From a frame to a Flow Key, within the verifier's bounds. Either the answer is the one of
 * dataplane/packet (key, octets, flags, no note), or the packet is handed up: everything odd, cut
 * off or deep is user space's to read. What a packet counts as is said in
 * dataplane/packet/README.md. Every path is tested against the C++ parser with the same frames.
 */
#pragma once

#include <bpf/bpf_endian.h>

#include "flow_layout.h"
#include "maps.bpf.h"

/* Deeper ones are handed up. */
#define KERNEL_VLAN_TAGS_MAX 2
#define KERNEL_LABELS_MAX 4
#define KERNEL_EXTENSIONS_MAX 5

enum {
  TYPE_IPV4 = 0x0800,
  TYPE_IPV6 = 0x86dd,
  TYPE_MPLS = 0x8847,
  TYPE_MPLS_UPSTREAM = 0x8848,
  TYPE_PPPOE_SESSION = 0x8864,
};

enum verdict {
  READ_WHOLE,
  TO_HAND_UP,
  TO_HAND_UP_TUNNEL,
  TO_HAND_UP_FRAGMENT,
};

struct cursor {
  const __u8* at;
  const __u8* end;
  __u32 passed; /* octets of the frame before `at` */
  __u32 left;   /* octets from `at` on, on the wire and within what encloses them */
  __u8 has_tag; /* the first VLAN tag is not in the frame, but in the key already */
  __u8 uncut;   /* segments are to be cut of it, so a length of 0 is one over 65,535 */
};

static __always_inline int readable(const struct cursor* c, __u32 octets) {
  return c->at + octets <= c->end;
}

static __always_inline void advance(struct cursor* c, __u32 octets) {
  c->at += octets;
  c->passed += octets;
  c->left -= octets;
}

static __always_inline __u16 be16_at(const __u8* at) {
  return bpf_ntohs(*(const __u16*)at);
}

static __always_inline int is_vlan(__u16 type) {
  return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

/* Ethertypes behind which dataplane/packet looks for an IP header, beside those read here. */
static __always_inline int is_followed(__u16 type) {
  switch (type) {
    case 0x22f3: /* TRILL */
    case 0x4305: /* batman-adv */
    case 0x6558: /* transparent Ethernet */
    case 0x6559: /* raw Frame Relay */
    case 0x880b: /* PPP */
    case 0x8870: /* jumbo LLC */
    case 0x88e5: /* MACsec */
    case 0x88e7: /* 802.1ah */
    case 0x8903: /* FabricPath */
    case 0x8909: /* Cisco metadata */
    case 0x8926: /* VN-Tag */
    case 0x892f: /* HSR */
    case 0x893f: /* 802.1BR */
    case 0x894f: /* NSH */
    case 0xd28b: /* Arista time stamp */
    case 0xf1c1: /* 802.1CB */
      return 1;
    default:
      return is_vlan(type);
  }
}

static __always_inline int is_extension(__u8 protocol) {
  return protocol == 0 || protocol == 43 || protocol == 44 || protocol == 60;
}

/* As tunnel_of_port() of dataplane/packet/tunnel.hpp; asked for flows by the inner header only. */
static __always_inline int is_tunnel_port(__u16 port) {
  switch (port) {
    case 1701:
    case 2123:
    case 2152:
    case 3544:
    case 4341:
    case 4754:
    case 4789:
    case 4790:
    case 5072:
    case 5247:
    case 6081:
    case 6635:
    case 37008:
      return 1;
    default:
      return 0;
  }
}

/* Protocols that carry no packet inside, as far as the parser follows. */
static __always_inline int is_plain(__u8 protocol) {
  switch (protocol) {
    case 1:
    case 2:
    case 6:
    case 17:
    case 33:
    case 58:
    case 89:
    case 132:
      return 1;
    default:
      return 0;
  }
}

/* Ports, or ICMP type and code, and TCP flags; `left`: octets of the IP packet from here on. */
static __always_inline int parse_transport(struct cursor* c, __u32 left, struct parsed* p) {
  const __u8 protocol = p->key.protocol;

  if (options.tunnel_inner && !is_plain(protocol)) return TO_HAND_UP_TUNNEL;
  switch (protocol) {
    case 6:
      if (left < 14 || !readable(c, 14)) return TO_HAND_UP;
      p->tcp_flags = be16_at(c->at + 12) & 0x0fff;
      p->headers = c->passed + (c->at[12] >> 4) * 4;
      break;
    case 17:
      p->headers = c->passed + 8;
      if (options.tunnel_inner && (left < 8 || !readable(c, 8))) return TO_HAND_UP_TUNNEL;
      /* fall through */
    case 33:
    case 132:
    case 136:
      if (left < 4 || !readable(c, 4)) return TO_HAND_UP;
      break;
    case 1:
    case 58:
      if (left < 2 || !readable(c, 2)) return TO_HAND_UP;
      p->key.destination_port = be16_at(c->at);
      return READ_WHOLE;
    default:
      return READ_WHOLE;
  }
  p->key.source_port = be16_at(c->at);
  p->key.destination_port = be16_at(c->at + 2);
  if (options.tunnel_inner && protocol == 17 &&
      (is_tunnel_port(p->key.source_port) || is_tunnel_port(p->key.destination_port)))
    return TO_HAND_UP_TUNNEL;
  return READ_WHOLE;
}

/* RFC 791. Length 0 (segmentation offload), one beyond the frame, nonsense and a version 6 are
 * handed up. */
static __always_inline int parse_ipv4(struct cursor* c, struct parsed* p) {
  __u32 header, total;
  __u16 fragment;

  if (!readable(c, 20) || c->at[0] >> 4 != 4) return TO_HAND_UP;
  header = (c->at[0] & 0x0f) * 4;
  total = be16_at(c->at + 2);
  if (total == 0) { /* alone, for verifiers before 6.8 follow "0 < header" into a dead end */
    if (!c->uncut) return TO_HAND_UP;
    total = c->left;
  }
  if (header < 20 || total < header || total > c->left) return TO_HAND_UP;
  /* With options: they are wholly there, and one octet behind them, which the C++ parser may
   * want to see for a source route at their end. */
  if (header > 20 && !readable(c, header + 1)) return TO_HAND_UP;
  p->ip_version = 1;
  p->octets = total;
  p->tos = c->at[1];
  p->key.protocol = c->at[9];
  __builtin_memcpy(p->key.source + 12, c->at + 12, 4);
  __builtin_memcpy(p->key.destination + 12, c->at + 16, 4);
  fragment = be16_at(c->at + 6);
  if (options.join_fragments && fragment & 0x3fff) return TO_HAND_UP_FRAGMENT;
  if (fragment & 0x1fff) /* a later one: no ports */
    return READ_WHOLE;
  advance(c, header);
  return parse_transport(c, total - header, p);
}

/* RFC 8200. A payload length of 0 may be a jumbogram: handed up. */
static __always_inline int parse_ipv6(struct cursor* c, struct parsed* p) {
  __u32 left, octets;
  __u8 protocol, next;

  if (!readable(c, 40) || c->at[0] >> 4 != 6) return TO_HAND_UP;
  left = be16_at(c->at + 4);
  if (left == 0 && c->uncut && c->left > 40) left = c->left - 40;
  if (left == 0 || left + 40 > c->left) return TO_HAND_UP;
  p->ip_version = 2;
  p->octets = left + 40;
  p->tos = be16_at(c->at) >> 4;
  protocol = c->at[6];
  p->key.protocol = protocol;
  __builtin_memcpy(p->key.source, c->at + 8, 16);
  __builtin_memcpy(p->key.destination, c->at + 24, 16);
  advance(c, 40);
#pragma unroll
  for (int i = 0; i < KERNEL_EXTENSIONS_MAX; i++) {
    if (!is_extension(protocol)) break;
    if (left < 8 || !readable(c, 8)) return TO_HAND_UP;
    next = c->at[0];
    octets = protocol == 44 ? 8 : (c->at[1] + 1) * 8;
    if (left < octets || !readable(c, octets)) return TO_HAND_UP;
    if (options.join_fragments && protocol == 44 && (be16_at(c->at + 2) & 0xfff9))
      return TO_HAND_UP_FRAGMENT;
    if (protocol == 44 && (be16_at(c->at + 2) & 0xfff8)) {
      p->key.protocol = next; /* a later fragment: no ports */
      return READ_WHOLE;
    }
    protocol = next;
    advance(c, octets);
    left -= octets;
  }
  p->key.protocol = protocol;
  if (is_extension(protocol)) return TO_HAND_UP;
  return parse_transport(c, left, p);
}

/* RFC 3032: past the labels; what follows is told by its first nibble (BCP 128). The ethertype of
 * the IP packet that follows, or 0: hand it up. */
static __always_inline __u16 pass_labels(struct cursor* c) {
  __u32 entry = 0;

#pragma unroll
  for (int i = 0; i < KERNEL_LABELS_MAX; i++) {
    if (!readable(c, 4)) return 0;
    entry = bpf_ntohl(*(const __u32*)c->at);
    advance(c, 4);
    if (entry & 0x100) break;
  }
  if (!(entry & 0x100)) return 0;
  entry >>= 12;
  if (entry == 13 || entry == 14 || !readable(c, 1)) /* associated channel, OAM alert */
    return 0;
  if (c->at[0] >> 4 == 4) return TYPE_IPV4;
  if (c->at[0] >> 4 == 6) return TYPE_IPV6;
  return 0;
}

/* RFC 2516: a session's IP packets; the payload's length bounds them. As above. */
static __always_inline __u16 pass_session(struct cursor* c) {
  __u32 octets;
  __u16 protocol;

  if (!readable(c, 8)) return 0;
  octets = be16_at(c->at + 4);
  protocol = be16_at(c->at + 6);
  advance(c, 8);
  if (octets < 2 || octets - 2 > c->left) return 0;
  c->left = octets - 2;
  if (protocol == 0x0021) return TYPE_IPV4;
  if (protocol == 0x0057) return TYPE_IPV6;
  return 0;
}

static __always_inline int parse_layers(struct cursor* c, struct parsed* p) {
  __u16 type;

  if (!readable(c, 14)) return TO_HAND_UP;
  type = be16_at(c->at + 12);
  advance(c, 14);
#pragma unroll
  for (int i = 0; i < KERNEL_VLAN_TAGS_MAX; i++) {
    if (!is_vlan(type)) break;
    if (!readable(c, 4)) return TO_HAND_UP;
    if (i == 0 && !c->has_tag) p->key.vlan_and_kind = be16_at(c->at) & 0x0fff;
    type = be16_at(c->at + 2);
    advance(c, 4);
  }
  if (type == TYPE_MPLS || type == TYPE_MPLS_UPSTREAM)
    type = pass_labels(c);
  else if (type == TYPE_PPPOE_SESSION)
    type = pass_session(c);
  p->network_offset = c->passed;
  if (type == TYPE_IPV4) return parse_ipv4(c, p);
  if (type == TYPE_IPV6) return parse_ipv6(c, p);
  if (type < 0x0600 || is_followed(type)) /* a length (802.3 with LLC), or 0 from above */
    return TO_HAND_UP;
  p->key.destination_port = type;
  return READ_WHOLE;
}

static __always_inline int parse_frame(struct cursor c, struct parsed* p) {
  int verdict = parse_layers(&c, p);

  /* the cursor stands at the transport header, or at the last header before it */
  p->needed = c.passed + 60;
  return verdict;
}
