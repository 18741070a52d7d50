// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/* The counting program, and others beside it for xdp_bench: one that does nothing, one that gives
 * every frame another IPv4 source address first, so that each is a new flow, and two that do no
 * more for a new flow than look for it in a hash map of the kernel's and put it there. Runs: by
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

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 10000);
  __type(key, struct kernel_flow_key);
  __type(value, struct kernel_flow_count);
} kernel_10k SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 200000);
  __type(key, struct kernel_flow_key);
  __type(value, struct kernel_flow_count);
} kernel_200k SEC(".maps");

static __always_inline int new_flow(void* map) {
  struct kernel_flow_key key = {.source_port = 1};
  const struct kernel_flow_count fresh = {.packets = 1};

  *(__u32*)key.source = ++next_address * 2654435761U;
  if (bpf_map_lookup_elem(map, &key)) return XDP_ABORTED;
  return bpf_map_update_elem(map, &key, &fresh, BPF_NOEXIST) == 0 ? XDP_PASS : XDP_ABORTED;
}

SEC("xdp")
int wt_kernel_10k(struct xdp_md* ctx) {
  (void)ctx;
  return new_flow(&kernel_10k);
}

SEC("xdp")
int wt_kernel_200k(struct xdp_md* ctx) {
  (void)ctx;
  return new_flow(&kernel_200k);
}
