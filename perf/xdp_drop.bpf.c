/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What a link can do without any meter: drivers_live attaches it by `ip link`, as xdp-bench's drop.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("xdp")
int wt_drop(struct xdp_md* ctx) {
  (void)ctx;
  return XDP_DROP;
}
