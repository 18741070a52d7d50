/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The table of flows of one CPU and epoch: a hash table in an array map, laid out in flow_layout.h.
 * The kernel's own hash map would do as well, but a new flow costs more in it alone than all of
 * reading and counting it here, for it takes a lock and copies what is written in place here, and
 * user space has to ask for every flow.
 *
 * Runs: in softirq or with softirqs off, so nobody else is in the CPU's table meanwhile.
 */
#pragma once

#include "flow_layout.h"
#include "maps.bpf.h"

typedef __u64 __attribute__((may_alias)) key_word;
typedef __u32 __attribute__((may_alias)) key_half_word;

/* A sum that is strongly universal in its upper half, so that nobody who does not know the random
 * words can choose keys whose sums are the same (pair-multiply-shift: Thorup, High Speed Hashing
 * for Integers and Strings, 2015); then mixed, for the sums of regular keys, as those of a scan,
 * are regular (the finalizer of Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators,
 * 2014). */
static __always_inline __u32 hash_of(const struct kernel_flow_key* key) {
  const key_half_word* words = (const key_half_word*)key;
  __u64 sum = options.hash_key[WT_KEY_WORDS];

  for (int i = 0; i < WT_KEY_WORDS; i += 2)
    sum += (options.hash_key[i] + words[i + 1]) * (options.hash_key[i + 1] + words[i]);
  sum = (sum ^ sum >> 30) * 0xbf58476d1ce4e5b9ULL;
  sum = (sum ^ sum >> 27) * 0x94d049bb133111ebULL;
  return sum ^ sum >> 31;
}

static __always_inline int same_key(const struct kernel_flow_key* a,
                                    const struct kernel_flow_key* b) {
  const key_word* x = (const key_word*)a;
  const key_word* y = (const key_word*)b;

  return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]));
}

static __always_inline void* element(void* table, __u32 index) {
  return bpf_map_lookup_elem(table, &index);
}

/* The flow's count in this epoch, zero if it is new; null if there is no room for it. */
static __always_inline struct kernel_flow_count* flow_in(void* table, __u32 epoch,
                                                         const struct kernel_flow_key* key) {
  const __u32 place = hash_of(key) & options.bucket_mask;
  struct kernel_bucket* bucket = element(table, 1 + options.table_flows + place / WT_BUCKETS);
  struct kernel_table_head* head = element(table, 0);
  struct kernel_flow* flow;
  __u32 first, index, flows, passed;

  if (!bucket || !head) return 0;
  bucket += place % WT_BUCKETS;
  index = first = bucket->epoch == epoch ? bucket->first : 0;
  for (passed = 0; passed < WT_CHAIN_MAX && index; passed++) {
    flow = element(table, index);
    if (!flow) return 0;
    if (same_key(&flow->key, key)) return &flow->count;
    index = flow->next;
  }
  flows = head->epoch == epoch ? head->flows : 0;
  if (passed == WT_CHAIN_MAX || flows >= options.table_flows) return 0;
  flow = element(table, ++flows);
  if (!flow) return 0;
  flow->key = *key;
  __builtin_memset(&flow->count, 0, sizeof(flow->count));
  flow->next = first;
  bucket->epoch = epoch;
  bucket->first = flows;
  head->epoch = epoch;
  head->flows = flows;
  return &flow->count;
}
