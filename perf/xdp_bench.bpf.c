// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* The counting program, and three beside it for xdp_bench: one that does nothing, one that gives
 * every frame another IPv4 source address first, so that each is a new flow, and one that does no
 * more for a new flow than look for it in the map and put it there, which is the kernel's part of
 * the cost. Runs: by BPF_PROG_TEST_RUN.
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

SEC("xdp")
int wt_bare_map(struct xdp_md* ctx) {
  const __u32 slot = control.generation * options.cpus + bpf_get_smp_processor_id();
  const __u32 index = control.generation * WT_DIRECTIONS;
  struct kernel_totals* sums = bpf_map_lookup_elem(&totals, &index);
  struct kernel_flow_key key = {.source_port = 1};
  const struct kernel_flow_count fresh = {.packets = 1};
  void* map = bpf_map_lookup_elem(&flows, &slot);

  (void)ctx;
  *(__u32*)key.source = ++next_address * 2654435761U;
  if (!map || !sums) return XDP_ABORTED;
  sums->received.packets += 1;
  sums->counted[1].packets += 1; /* or the drain finds nothing to do */
  if (bpf_map_lookup_elem(map, &key)) return XDP_ABORTED;
  return bpf_map_update_elem(map, &key, &fresh, BPF_NOEXIST) == 0 ? XDP_PASS : XDP_ABORTED;
}
