// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* Counts the frames an interface receives into the flow map of the CPU it runs on, and lets every
 * frame pass. What it cannot count exactly goes up through the ring buffer; what finds no room
 * there is counted in a coarse row, with its octets. Each frame adds to exactly one of counted,
 * coarse, handed up and refused, and to received.
 *
 * Runs: in softirq, one at a time on a CPU. The generation is read once a frame; user space waits
 * for a grace period after it has changed it, so a drained generation is never written.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "flow_layout.h"
#include "maps.bpf.h"
#include "parse.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void add_volume(struct kernel_volume* volume, __u64 octets,
                                       __u32 l2_octets) {
  volume->packets += 1;
  volume->octets += octets;
  volume->l2_octets += l2_octets;
}

static __always_inline void add_count(struct kernel_flow_count* count, const struct parsed* p,
                                      __u32 l2_octets, __u64 now) {
  count->packets += 1;
  count->octets += p->octets;
  count->l2_octets += l2_octets;
  count->last = now;
  count->tcp_flags |= p->tcp_flags;
}

/* 1 if the flow has been found or made. */
static __always_inline int count_flow(const struct parsed* p, __u32 slot, __u32 l2_octets,
                                      __u64 now) {
  struct kernel_flow_count* count;
  struct kernel_flow_count fresh = {};
  void* map = bpf_map_lookup_elem(&flows, &slot);

  if (!map) return 0;
  count = bpf_map_lookup_elem(map, &p->key);
  if (count) {
    add_count(count, p, l2_octets, now);
    return 1;
  }
  fresh.first = now;
  fresh.tos = p->tos;
  add_count(&fresh, p, l2_octets, now);
  return bpf_map_update_elem(map, &p->key, &fresh, BPF_NOEXIST) == 0;
}

/* Copies the head of the frame, `wanted` octets of it or all there are, by eights and then the
 * rest: no helper for that exists before 5.18. */
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

/* `needed`: octets of the frame that hold all its headers, if that is known; else 0. The record is
 * built beside the ring, which reserves constant sizes only: so it takes no more than it has. A
 * function of its own, so that the verifier walks its loops once and not for every way to here. */
__attribute__((noinline)) int wt_hand_up(struct xdp_md* ctx, __u32 needed, __u32 l2_octets,
                                         __u64 now, __u32 reason_and_generation) {
  const struct cursor frame = {(const __u8*)(long)ctx->data, (const __u8*)(long)ctx->data_end, 0,
                               l2_octets};
  const __u32 zero = 0;
  struct head_room* room = bpf_map_lookup_elem(&head_rooms, &zero);
  __u32 octets;

  if (!room) return 0;
  octets = copy_head(
      room->octets, &frame,
      needed && needed <= WT_HEAD_OCTETS_SHORT ? WT_HEAD_OCTETS_SHORT : WT_HEAD_OCTETS_MAX);
  if (octets > WT_HEAD_OCTETS_MAX) return 0; /* cannot be; the verifier wants to see it */
  room->head.time = now;
  room->head.wire_octets = l2_octets;
  room->head.captured = octets;
  room->head.reason = reason_and_generation >> 8;
  room->head.generation = reason_and_generation & 1;
  return bpf_ringbuf_output(&ring, room, sizeof(room->head) + octets, 0) == 0;
}

/* The last resort: a row for IP version and protocol, octets exact. */
static __always_inline void count_row(const struct parsed* p, __u32 generation, __u32 l2_octets,
                                      __u64 now) {
  const __u32 protocol = p->ip_version ? p->key.protocol : 0;
  const __u32 index = generation * WT_ROWS + p->ip_version * WT_PROTOCOLS + protocol;
  struct kernel_flow_count* row = bpf_map_lookup_elem(&rows, &index);

  if (!row) return;
  if (row->packets == 0) row->first = now;
  add_count(row, p, l2_octets, now);
}

static __always_inline __u32 frame_octets(struct xdp_md* ctx) {
  if (options.has_frame_octets) return bpf_xdp_get_buff_len(ctx);
  return ctx->data_end - ctx->data; /* Linux before 5.18 */
}

/* Into the CPU's map of flows; 0 if there is no room. */
static __always_inline int count_exactly(struct kernel_totals* sums, const struct parsed* p,
                                         __u32 generation, __u32 l2_octets, __u64 now) {
  const __u32 slot = generation * options.cpus + bpf_get_smp_processor_id();

  if (!count_flow(p, slot, l2_octets, now)) return 0;
  if (p->ip_version < WT_IP_VERSIONS)
    add_volume(&sums->counted[p->ip_version], p->octets, l2_octets);
  return 1;
}

static __always_inline void count_coarsely(struct kernel_totals* sums, const struct parsed* p,
                                           __u32 generation, __u32 l2_octets, __u64 now) {
  count_row(p, generation, l2_octets, now);
  if (p->ip_version < WT_IP_VERSIONS)
    add_volume(&sums->coarse[p->ip_version], p->octets, l2_octets);
}

static __always_inline __u8 reason_of(int verdict) {
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

static __always_inline int count_frame(struct xdp_md* ctx) {
  const __u32 generation = control.generation & 1;
  const __u64 now = bpf_ktime_get_ns();
  const __u32 l2_octets = frame_octets(ctx);
  const struct cursor frame = {(const __u8*)(long)ctx->data, (const __u8*)(long)ctx->data_end, 0,
                               l2_octets};
  struct kernel_totals* sums = bpf_map_lookup_elem(&totals, &generation);
  struct parsed p = {};
  __u8 reason = WT_UP_WANTED;
  int verdict = TO_HAND_UP;

  if (!sums) return XDP_PASS;
  add_volume(&sums->received, 0, l2_octets);
  if (options.hand_up != WT_HAND_UP_MUST) {
    verdict = parse_frame(frame, &p);
    p.key.port = options.port;
    p.key.vlan_and_kind |= (__u16)(p.ip_version << 12);
  }
  if (options.hand_up == WT_HAND_UP_REST) {
    reason = reason_of(verdict);
    if (verdict == READ_WHOLE && count_exactly(sums, &p, generation, l2_octets, now))
      return XDP_PASS;
  }
  if (wt_hand_up(ctx, verdict == READ_WHOLE ? p.needed : 0, l2_octets, now,
                 (__u32)reason << 8 | generation)) {
    add_volume(&sums->handed_up, 0, l2_octets);
    if (reason < WT_UP_REASONS) sums->handed_up_by[reason] += 1;
    return XDP_PASS;
  }
  if (options.hand_up == WT_HAND_UP_MUST) {
    add_volume(&sums->refused, 0, l2_octets);
    return XDP_PASS;
  }
  if (options.hand_up == WT_HAND_UP_ALL && verdict == READ_WHOLE &&
      count_exactly(sums, &p, generation, l2_octets, now))
    return XDP_PASS;
  if (verdict != READ_WHOLE && p.ip_version == 0) add_volume(&sums->unread, 0, l2_octets);
  count_coarsely(sums, &p, generation, l2_octets, now);
  return XDP_PASS;
}

SEC("xdp")
int wt_flow_count(struct xdp_md* ctx) {
  return count_frame(ctx);
}
