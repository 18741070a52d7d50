// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Counts the frames an interface receives (wt_flow_count, XDP) and those it sends (wt_flow_sent,
 * tc) into the flow table of the CPU it runs on, and lets every frame go on. What it cannot count
 * exactly goes up through the ring buffer; what finds no room there is counted in a coarse row,
 * with its octets. Each packet adds to exactly one of counted, coarse, handed up and refused, and
 * to received.
 *
 * Runs: in softirq or with softirqs off, so one of both at a time on a CPU. The epoch is read
 * once a frame; user space waits for a grace period after it has changed it, so a drained
 * generation is never written.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "flow_layout.h"
#include "flow_table.bpf.h"
#include "maps.bpf.h"
#include "parse.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A frame as its hook shows it. One that is still to be cut into segments (TSO, GSO) stands for all
 * the packets that it becomes. */
struct frame {
  struct cursor octets;
  __u64 now;
  __u32 packets;
  __u32 l2_octets; /* of all packets, on the wire */
  __u32 epoch;
  __u32 direction;
};

static __always_inline __u32 generation_of(const struct frame* f) {
  return f->epoch % WT_GENERATIONS;
}

static __always_inline void add_volume(struct kernel_volume* volume, const struct frame* f,
                                       __u64 octets) {
  volume->packets += f->packets;
  volume->octets += octets;
  volume->l2_octets += f->l2_octets;
}

static __always_inline struct parsed* desk(void) {
  const __u32 zero = 0;

  return bpf_map_lookup_elem(&desks, &zero);
}

/* The flow on the desk, into the CPU's table; 1 if it has been found or made. A function of its
 * own, so that the verifier walks its loop once and not for every way in which a frame can be read.
 */
__attribute__((noinline)) int wt_count_flow(__u32 epoch, __u32 packets, __u32 l2_octets,
                                            __u64 now) {
  const __u32 slot = epoch % WT_GENERATIONS * options.cpus + bpf_get_smp_processor_id();
  const struct parsed* p = desk();
  void* table = bpf_map_lookup_elem(&flows, &slot);
  struct kernel_flow_count* count;

  if (!p || !table) return 0;
  count = flow_in(table, epoch, &p->key);
  if (!count || count->packets > 0xffffffff - packets) return 0;
  if (count->packets == 0) {
    count->first = now;
    count->tos = p->tos;
  }
  count->packets += packets;
  count->octets += p->octets;
  count->l2_octets += l2_octets;
  count->last = now;
  count->tcp_flags |= p->tcp_flags;
  return 1;
}

/* Copies the head of the frame, `wanted` octets of it or all there are, by eights and then the
 * rest: no helper for that exists in XDP before 5.18. */
static __always_inline __u32 copy_head(__u8* to, const struct cursor* frame, __u32 wanted) {
  const __u8* at = frame->at;
  __u32 copied = 0;

  for (__u32 i = 0; i < WT_HEAD_OCTETS_MAX / 8; i++) {
    if (copied >= wanted || at + 8 > frame->end) break;
    *(__u64*)to = *(const __u64*)at;
    to += 8;
    at += 8;
    copied += 8;
  }
  if (copied >= wanted) return copied;
  for (__u32 i = 0; i < 7; i++) {
    if (at + 1 > frame->end) break;
    *to++ = *at++;
    copied += 1;
  }
  return copied;
}

/* What a hand-up needs to know, in one word: the octets of the frame that hold all its headers (0:
 * not known), where the IP header stands, and why. */
static __always_inline __u64 order_of(__u32 needed, __u32 network_offset, __u8 reason,
                                      const struct frame* f) {
  return (__u64)(needed & 0xffff) << 32 | (__u64)(network_offset & 0xffff) << 16 |
         (__u64)reason << 8 | f->direction << 4 | generation_of(f);
}

static __always_inline __u32 wanted_octets(__u64 order) {
  const __u32 needed = order >> 32;

  return needed && needed <= WT_HEAD_OCTETS_SHORT ? WT_HEAD_OCTETS_SHORT : WT_HEAD_OCTETS_MAX;
}

/* The record is built beside the ring, which reserves constant sizes only: so it takes no more than
 * it has. */
static __always_inline int send_up(struct head_room* room, __u32 octets, __u32 l2_octets, __u64 now,
                                   __u64 order) {
  if (octets > WT_HEAD_OCTETS_MAX + 4) return 0; /* cannot be; the verifier wants to see it */
  room->head.time = now;
  room->head.wire_octets = l2_octets;
  room->head.captured = octets;
  room->head.network_offset = order >> 16;
  room->head.reason = order >> 8;
  room->head.direction = order >> 4 & 1;
  room->head.generation = order & 1;
  return bpf_ringbuf_output(&ring, room, sizeof(room->head) + octets, 0) == 0;
}

/* A function of its own, so that the verifier walks its loops once and not for every way to here.
 */
__attribute__((noinline)) int wt_hand_up(struct xdp_md* ctx, __u32 l2_octets, __u64 now,
                                         __u64 order) {
  const struct cursor frame = {.at = (const __u8*)(long)ctx->data,
                               .end = (const __u8*)(long)ctx->data_end};
  const __u32 zero = 0;
  struct head_room* room = bpf_map_lookup_elem(&head_rooms, &zero);
  __u32 octets;

  if (!room) return 0;
  room->head.segments = 1;
  room->head.segment_octets = l2_octets;
  octets = copy_head(room->octets, &frame, wanted_octets(order));
  return send_up(room, octets, l2_octets, now, order);
}

/* The tag that the card is to put in stands where it will stand on the wire. */
static __always_inline __u32 copy_tag(struct __sk_buff* skb, __u8* octets) {
  *(__u16*)(octets + 12) =
      bpf_ntohs(skb->vlan_proto & 0xffff) == 0x88a8 ? bpf_htons(0x88a8) : bpf_htons(0x8100);
  *(__u16*)(octets + 14) = bpf_htons(skb->vlan_tci & 0xffff);
  return 4;
}

/* As above, for a frame that is sent. Its octets may be in pieces; the helper finds them. */
__attribute__((noinline)) int wt_hand_up_sent(struct __sk_buff* skb, __u64 packets_and_octets,
                                              __u32 segment_octets, __u64 now, __u64 order) {
  const __u32 zero = 0;
  struct head_room* room = bpf_map_lookup_elem(&head_rooms, &zero);
  __u32 octets = wanted_octets(order), tag = 0;

  if (!room) return 0;
  if (octets > skb->len) octets = skb->len;
  if (octets < 14 || octets > WT_HEAD_OCTETS_MAX) return 0; /* no Ethernet frame */
  octets -= 12;
  barrier_var(octets);
  octets = ((octets - 1) & (WT_HEAD_OCTETS_MAX - 1)) + 1; /* what it is; the verifier sees bounds */
  room->head.segments = packets_and_octets >> 32;
  room->head.segment_octets = segment_octets;
  if (bpf_skb_load_bytes(skb, 0, room->octets, 12)) return 0;
  if (skb->vlan_present) tag = copy_tag(skb, room->octets);
  if (bpf_skb_load_bytes(skb, 12, room->octets + 12 + tag, octets)) return 0;
  return send_up(room, octets + 12 + tag, (__u32)packets_and_octets, now, order);
}

/* The last resort: a row for IP version and protocol, octets exact. */
static __always_inline void count_row(const struct parsed* p, const struct frame* f) {
  const __u32 protocol = p->ip_version ? p->key.protocol : 0;
  const __u32 index = (generation_of(f) * WT_DIRECTIONS + f->direction) * WT_ROWS +
                      p->ip_version * WT_PROTOCOLS + protocol;
  struct kernel_row_count* row = bpf_map_lookup_elem(&rows, &index);

  if (!row) return;
  if (row->packets == 0) row->first = f->now;
  row->packets += f->packets;
  row->octets += p->octets;
  row->l2_octets += f->l2_octets;
  row->last = f->now;
  row->tcp_flags |= p->tcp_flags;
}

/* Into the CPU's table of flows; 0 if there is no room. */
static __always_inline int count_exactly(struct kernel_totals* sums, const struct parsed* p,
                                         const struct frame* f) {
  if (!wt_count_flow(f->epoch, f->packets, f->l2_octets, f->now)) return 0;
  if (p->ip_version < WT_IP_VERSIONS) add_volume(&sums->counted[p->ip_version], f, p->octets);
  return 1;
}

static __always_inline void count_coarsely(struct kernel_totals* sums, const struct parsed* p,
                                           const struct frame* f) {
  count_row(p, f);
  if (p->ip_version < WT_IP_VERSIONS) add_volume(&sums->coarse[p->ip_version], f, p->octets);
}

static __always_inline __u8 reason_of(int verdict) {
  if (options.hand_up != WT_HAND_UP_REST) return WT_UP_WANTED;
  switch (verdict) {
    case READ_WHOLE:
      return WT_UP_MAP_FULL; /* for otherwise it does not go up */
    case TO_HAND_UP_TUNNEL:
      return WT_UP_TUNNEL;
    case TO_HAND_UP_FRAGMENT:
      return WT_UP_FRAGMENT;
    default:
      return WT_UP_PARSER;
  }
}

static __always_inline struct kernel_totals* sums_of(const struct frame* f) {
  const __u32 index = generation_of(f) * WT_DIRECTIONS + f->direction;

  return bpf_map_lookup_elem(&totals, &index);
}

/* What becomes of a frame that went up, or found no room there. */
static __always_inline void settle(struct kernel_totals* sums, const struct parsed* p,
                                   const struct frame* f, int verdict, int went_up) {
  const __u8 reason = reason_of(verdict);

  if (went_up) {
    add_volume(&sums->handed_up, f, 0);
    if (reason < WT_UP_REASONS) sums->handed_up_by[reason] += f->packets;
    return;
  }
  if (options.hand_up == WT_HAND_UP_MUST) {
    add_volume(&sums->refused, f, 0);
    return;
  }
  if (options.hand_up == WT_HAND_UP_ALL && verdict == READ_WHOLE && count_exactly(sums, p, f))
    return;
  if (verdict != READ_WHOLE && p->ip_version == 0) add_volume(&sums->unread, f, 0);
  count_coarsely(sums, p, f);
}

static __always_inline int count_frame(struct xdp_md* ctx) {
  struct frame f = {
      .now = bpf_ktime_get_ns(), .packets = 1, .epoch = control.epoch, .direction = WT_RECEIVED};
  struct parsed* p = desk();
  struct kernel_totals* sums = sums_of(&f);
  int verdict = TO_HAND_UP;

  if (!sums || !p) return XDP_PASS;
  *p = (struct parsed){};
  /* before Linux 5.18 there is but one piece */
  f.l2_octets = options.has_frame_octets ? bpf_xdp_get_buff_len(ctx) : ctx->data_end - ctx->data;
  f.octets = (struct cursor){.at = (const __u8*)(long)ctx->data,
                             .end = (const __u8*)(long)ctx->data_end,
                             .left = f.l2_octets};
  add_volume(&sums->received, &f, 0);
  if (options.hand_up != WT_HAND_UP_MUST) {
    verdict = parse_frame(f.octets, p);
    p->key.port = options.port;
    p->key.vlan_and_kind |= (__u16)(p->ip_version << 12);
  }
  if (options.hand_up == WT_HAND_UP_REST && verdict == READ_WHOLE && count_exactly(sums, p, &f))
    return XDP_PASS;
  settle(sums, p, &f, verdict,
         wt_hand_up(ctx, f.l2_octets, f.now,
                    order_of(verdict == READ_WHOLE ? p->needed : 0, 0, reason_of(verdict), &f)));
  return XDP_PASS;
}

SEC("xdp")
int wt_flow_count(struct xdp_md* ctx) {
  return count_frame(ctx);
}

/* The packets that an uncut frame becomes, if the kernel has not counted them yet (it comes from a
 * virtual machine): the payload in pieces of gso_size. */
static __always_inline __u32 segments_of(struct __sk_buff* skb, const struct parsed* p) {
  __u32 payload, size = skb->gso_size;

  if (skb->gso_segs) return skb->gso_segs;
  payload = skb->len > p->headers ? skb->len - p->headers : 1;
  return size ? (payload + size - 1) / size : 1;
}

/* Octets of an uncut frame are those of its segments on the wire, each with headers of its own: the
 * kernel has them in wire_len, but for the tag that it keeps beside the frame. */
static __always_inline void cut(struct __sk_buff* skb, struct frame* f, struct parsed* p,
                                __u32 tag) {
  const __u32 link = skb->len + tag - p->octets; /* before the IP header */

  f->packets = segments_of(skb, p);
  f->l2_octets = (skb->wire_len > skb->len ? skb->wire_len : skb->len) + tag * f->packets;
  if (p->ip_version) p->octets = f->l2_octets - f->packets * link;
}

/* Layer 2 octets of each segment but the last. */
static __always_inline __u32 segment_octets(struct __sk_buff* skb, const struct frame* f,
                                            __u32 tag) {
  if (f->packets < 2) return f->l2_octets;
  return skb->gso_size + (f->l2_octets - skb->len - tag) / (f->packets - 1);
}

SEC("tc")
int wt_flow_sent(struct __sk_buff* skb) {
  const __u32 tag = skb->vlan_present ? 4 : 0;
  struct frame f = {.now = bpf_ktime_get_ns(),
                    .packets = 1,
                    .l2_octets = skb->len + tag,
                    .epoch = control.epoch,
                    .direction = WT_SENT};
  struct parsed* p = desk();
  struct kernel_totals* sums = sums_of(&f);
  int verdict, went_up = 0;

  if (!sums || !p) return TC_ACT_UNSPEC;
  *p = (struct parsed){};
  if (tag) p->key.vlan_and_kind = skb->vlan_tci & 0x0fff;
  f.octets = (struct cursor){.at = (const __u8*)(long)skb->data,
                             .end = (const __u8*)(long)skb->data_end,
                             .left = skb->len,
                             .has_tag = tag != 0,
                             .uncut = skb->gso_size != 0};
  verdict = parse_frame(f.octets, p);
  p->key.port = options.port_sent;
  p->key.vlan_and_kind |= (__u16)(p->ip_version << 12);
  if (f.octets.uncut) cut(skb, &f, p, tag);
  add_volume(&sums->received, &f, 0);
  if (options.hand_up == WT_HAND_UP_REST && verdict == READ_WHOLE && count_exactly(sums, p, &f))
    return TC_ACT_UNSPEC;
  /* User space cuts an uncut frame itself, if it is told where the IP header stands. */
  if (f.packets == 1 || verdict == READ_WHOLE)
    went_up = wt_hand_up_sent(skb, (__u64)f.packets << 32 | f.l2_octets,
                              segment_octets(skb, &f, tag), f.now,
                              order_of(verdict == READ_WHOLE ? p->needed + tag : 0,
                                       p->network_offset + tag, reason_of(verdict), &f));
  settle(sums, p, &f, verdict, went_up);
  return TC_ACT_UNSPEC;
}
