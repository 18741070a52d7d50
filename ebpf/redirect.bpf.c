/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The kernel's half of driver af_xdp: every frame goes to the socket of its queue, and is counted.
 * A queue that has no socket lets its frames pass, counted by their own name. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "redirect_layout.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Queue -> socket. The size is replaced when it is made. */
struct {
  __uint(type, BPF_MAP_TYPE_XSKMAP);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} sockets SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct kernel_redirects);
} redirects SEC(".maps");

SEC("xdp")
int wt_redirect(struct xdp_md* ctx) {
  const __u32 zero = 0;
  struct kernel_redirects* counts = bpf_map_lookup_elem(&redirects, &zero);
  const int action = bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS);

  if (!counts) return XDP_PASS;
  /* No branch: a choice of addresses takes CAP_PERFMON. */
  counts->seen += 1;
  counts->passed += action != XDP_REDIRECT;
  return action;
}
