/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The maps. All of them are made once, at start; user space drains, the program fills. */
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "flow_layout.h"

/* A CPU's flows of one generation (flow_table.bpf.h); only that CPU writes, so no count is atomic.
 * User space makes these maps, and reads them where they are. */
struct flow_table {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, 1024);
  __uint(key_size, sizeof(__u32));                /* clang 14 leaves the types of an inner */
  __uint(value_size, sizeof(struct kernel_flow)); /* map out of the object */
};

/* generation * cpus + cpu -> that CPU's table. The place behind the last serves user space: writing
 * it waits until no program runs that began before. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 1);
  __type(key, __u32);
  __array(values, struct flow_table);
} flows SEC(".maps");

/* (generation, direction) -> the CPU's sums: what the drained entries are held against. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WT_GENERATIONS* WT_DIRECTIONS);
  __type(key, __u32);
  __type(value, struct kernel_totals);
} totals SEC(".maps");

/* (generation, direction, IP version, protocol) -> what found neither room in a table nor in the
 * ring. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WT_GENERATIONS* WT_DIRECTIONS* WT_ROWS);
  __type(key, __u32);
  __type(value, struct kernel_row_count);
} rows SEC(".maps");

/* What a CPU has read of the frame that it works on. `key` and `octets` hold as much as was read
 * when a packet is handed up: a coarse row uses it. */
struct parsed {
  struct kernel_flow_key key;
  __u64 octets;
  __u32 needed;         /* read whole: this much of the frame holds every header */
  __u32 headers;        /* read whole: octets of the frame before the payload of TCP or UDP */
  __u32 network_offset; /* of the IP header */
  __u16 tcp_flags;
  __u8 tos;
  __u8 ip_version; /* 0 none, 1 IPv4, 2 IPv6 */
};
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct parsed);
} desks SEC(".maps");

/* Heads of packets that user space has to read. The size is replaced when it is made. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} ring SEC(".maps");

/* Where a CPU puts a record together. */
struct head_room {
  struct handed_up_packet head;
  __u8 octets[WT_HEAD_OCTETS_MAX + 24]; /* and a tag, and what the verifier thinks of */
};
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct head_room);
} head_rooms SEC(".maps");

const volatile struct kernel_options options SEC(".rodata.options");
volatile struct kernel_control control SEC(".data.control") = {WT_FIRST_EPOCH, 0};
