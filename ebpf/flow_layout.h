/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What the kernel program and the meter hand each other: one file for both compilers, so that a
 * change of one side alone does not build. Every structure is free of holes (the kernel compares
 * and copies octets) and has its size and offsets asserted by each compiler. Addresses are in
 * network order, all other numbers in host order; both sides run on one machine.
 */
#pragma once

#ifdef __cplusplus
#include <cstddef>
#include <cstdint>
namespace wiretally {
typedef std::uint8_t wt_u8;
typedef std::uint16_t wt_u16;
typedef std::uint32_t wt_u32;
typedef std::uint64_t wt_u64;
#define WT_ASSERT(condition, reason) static_assert(condition, reason)
#else
#include <linux/types.h>
typedef __u8 wt_u8;
typedef __u16 wt_u16;
typedef __u32 wt_u32;
typedef __u64 wt_u64;
#define WT_ASSERT(condition, reason) _Static_assert(condition, reason)
#endif
#define WT_OFFSET(type, member) __builtin_offsetof(struct type, member)

enum {
  WT_GENERATIONS = 2, /* one is counted into, the other drained */
  WT_FIRST_EPOCH = 2, /* not 0, which is what a new table says */
  WT_DIRECTIONS = 2,  /* what the interface receives, what it sends */
  WT_IP_VERSIONS = 3, /* non-IP, IPv4, IPv6: as IpVersion of the data plane */
  WT_PROTOCOLS = 256,
  WT_ROWS = WT_IP_VERSIONS * WT_PROTOCOLS, /* coarse rows of one generation and direction */
  WT_HEAD_OCTETS_MAX = 1024,  /* of a frame that is handed up: a hundred IPv6 extension headers */
  WT_HEAD_OCTETS_SHORT = 128, /* enough where the kernel has read all headers */
  WT_BUCKETS = 8,             /* in an element of a table */
  WT_CHAIN_MAX = 16,          /* flows of a bucket; further ones go up */
  WT_KEY_WORDS = 10,          /* of 32 bits */
};

enum wt_direction { WT_RECEIVED, WT_SENT };

/* Why a packet was handed up. The order is that of wiretally's metric label. */
enum wt_hand_up_reason {
  WT_UP_PARSER,   /* the kernel's parser does not read such headers to their end */
  WT_UP_MAP_FULL, /* a new flow, and the CPU's table has no entry left */
  WT_UP_TUNNEL,   /* keyed by the inner header, and this may be a tunnel */
  WT_UP_FRAGMENT, /* later fragments are to join the flow of their first */
  WT_UP_WANTED,   /* a filter, sampling or attributes: user space looks at every packet */
  WT_UP_REASONS,
};

/* Which packets go up. */
enum wt_hand_up {
  WT_HAND_UP_REST, /* what the kernel cannot count exactly */
  WT_HAND_UP_ALL,  /* all, for their attributes; what finds the ring full is counted without them */
  WT_HAND_UP_MUST, /* all, for a filter or sampling; what finds the ring full is refused */
};

/* The Flow Key exactly as FlowKey of dataplane/flow/flow_key.hpp lays it out. */
struct kernel_flow_key {
  wt_u8 source[16]; /* IPv4: the last four octets, the others 0 */
  wt_u8 destination[16];
  wt_u16 source_port;
  wt_u16 destination_port; /* ICMP: type * 256 + code; non-IP: ethertype */
  wt_u8 protocol;
  wt_u8 port;           /* index of the Observation Point */
  wt_u16 vlan_and_kind; /* low 12 bits: outer VLAN id; high 4: IP version (exact level) */
};
WT_ASSERT(sizeof(struct kernel_flow_key) == 40, "the key has no holes");
WT_ASSERT(WT_OFFSET(kernel_flow_key, source_port) == 32, "ports behind the addresses");
WT_ASSERT(WT_OFFSET(kernel_flow_key, vlan_and_kind) == 38, "VLAN and kind end the key");

/* What an epoch added to a flow. One whose packets would wrap goes up as if the table were full. */
struct kernel_flow_count {
  wt_u64 octets;    /* layer 3 */
  wt_u64 l2_octets; /* frames without FCS */
  wt_u64 first;     /* ns of the monotonic clock; smallest stamp */
  wt_u64 last;
  wt_u32 packets;
  wt_u16 tcp_flags; /* 12 bits, OR */
  wt_u8 tos;        /* of the first packet */
  wt_u8 reserved;
};
WT_ASSERT(sizeof(struct kernel_flow_count) == 40, "a count has no holes");
WT_ASSERT(WT_OFFSET(kernel_flow_count, packets) == 32, "packets behind the stamps");

/* A CPU's flows of an epoch stand in an array map, in the order of their first packets. Element 0
 * is the table's head, then come table_flows flows, then the buckets by which they are found,
 * WT_BUCKETS to an element; the flows of a bucket are a chain. What another epoch has written
 * counts for nothing, so nobody has to clear a table. */
struct kernel_flow {
  struct kernel_flow_key key;
  struct kernel_flow_count count;
  wt_u32 next; /* element of the flow that was in the bucket before; 0: none */
  wt_u32 reserved[3];
};
WT_ASSERT(sizeof(struct kernel_flow) == 96, "a flow is in two cache lines, not three");

struct kernel_table_head {
  wt_u32 epoch; /* of the flows */
  wt_u32 flows;
};

struct kernel_bucket {
  wt_u32 epoch; /* of its flows */
  wt_u32 first; /* element of the one that came last */
};
WT_ASSERT(WT_BUCKETS * sizeof(struct kernel_bucket) <= sizeof(struct kernel_flow),
          "the buckets of an element have room in it");

/* What it added to a coarse row. Nothing here wraps. */
struct kernel_row_count {
  wt_u64 packets;
  wt_u64 octets;
  wt_u64 l2_octets;
  wt_u64 first;
  wt_u64 last;
  wt_u64 tcp_flags;
};
WT_ASSERT(sizeof(struct kernel_row_count) == 48, "a row has no holes");

struct kernel_volume {
  wt_u64 packets;
  wt_u64 octets;
  wt_u64 l2_octets;
};

/* A CPU's own sums, by generation and direction; they only grow. received = counted + coarse +
 * handed_up. */
struct kernel_totals {
  struct kernel_volume received; /* octets unused */
  struct kernel_volume counted[WT_IP_VERSIONS];
  struct kernel_volume coarse[WT_IP_VERSIONS];
  struct kernel_volume handed_up;     /* octets unused */
  struct kernel_volume unread;        /* of coarse[0]: frames nobody could read further */
  struct kernel_volume refused;       /* nobody could look at it, and it had to be (MUST) */
  wt_u64 handed_up_by[WT_UP_REASONS]; /* packets */
};
WT_ASSERT(sizeof(struct kernel_totals) == 10 * 24 + WT_UP_REASONS * 8, "totals have no holes");

/* A record of the ring buffer: this head, then `captured` octets of the frame. A frame that the
 * card is still to cut (TSO, GSO) has `segments` > 1: all but the last have `segment_octets`, all
 * of them together `wire_octets`, and the IP header stands at `network_offset`. */
struct handed_up_packet {
  wt_u64 time; /* ns of the monotonic clock */
  wt_u32 wire_octets;
  wt_u32 segment_octets;
  wt_u16 segments;
  wt_u16 network_offset;
  wt_u16 captured;
  wt_u8 reason;
  wt_u8 generation : 4;
  wt_u8 direction : 4; /* enum wt_direction */
};
WT_ASSERT(sizeof(struct handed_up_packet) == 24, "octets of the frame follow at 24");

/* Fixed before the program is loaded, so that the verifier removes what is switched off. */
struct kernel_options {
  wt_u64 hash_key[WT_KEY_WORDS + 1]; /* random: see hash_of() */
  wt_u32 cpus;                       /* tables in a generation */
  wt_u32 table_flows;                /* of a CPU and an epoch */
  wt_u32 bucket_mask;                /* buckets less 1: a power of two, and at most table_flows */
  wt_u8 port;                        /* Observation Point of what is received */
  wt_u8 tunnel_inner;                /* flows are keyed by the inner header */
  wt_u8 join_fragments;   /* every fragment goes up: user space knows the ports of the first */
  wt_u8 hand_up;          /* enum wt_hand_up: which packets user space has to look at */
  wt_u8 has_frame_octets; /* bpf_xdp_get_buff_len() is there (Linux 5.18) */
  wt_u8 port_sent;        /* Observation Point of what is sent */
  wt_u8 reserved[6];
};
WT_ASSERT(sizeof(struct kernel_options) == 112, "options have no holes");

/* Written by user space while the program runs. */
struct kernel_control {
  wt_u32 epoch; /* another each tick; the even ones are generation 0, the odd ones 1 */
  wt_u32 reserved;
};
WT_ASSERT(sizeof(struct kernel_control) == 8, "control has no holes");

#ifdef __cplusplus
}  // namespace wiretally
#endif
