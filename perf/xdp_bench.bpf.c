// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* The counting program, and two beside it for xdp_bench: one that does nothing, and one that gives
 * every frame another IPv4 source address first, so that each is a new flow. Runs: by
 * BPF_PROG_TEST_RUN.
 */
#include "../ebpf/flow_count.bpf.c"

static __u32 next_address;

SEC("xdp")
int wt_empty(struct xdp_md* ctx) {
  (void)ctx;
  return XDP_PASS;
}

SEC("xdp")
int wt_new_flows(struct xdp_md* ctx) {
  __u8* frame = (__u8*)(long)ctx->data;

  if (frame + 34 > (__u8*)(long)ctx->data_end) return XDP_ABORTED;
  *(__u32*)(frame + 26) = ++next_address * 2654435761U; /* odd: all of them differ */
  return count_frame(ctx);
}
