/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The maps. All of them are made once, at start; user space drains, the program fills. */
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "flow_layout.h"

/* A CPU's flows of one generation; only that CPU writes, so no count is atomic. The size given here
 * is replaced when the maps are made. */
struct flow_map {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __uint(key_size, sizeof(struct kernel_flow_key));     /* clang 14 leaves the types of an inner */
  __uint(value_size, sizeof(struct kernel_flow_count)); /* map out of the object */
};

/* generation * cpus + cpu -> that CPU's flows. The place behind the last serves user space: writing
 * it waits until no program runs that began before. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 1);
  __type(key, __u32);
  __array(values, struct flow_map);
} flows SEC(".maps");

/* (generation, direction) -> the CPU's sums: what the drained entries are held against. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WT_GENERATIONS* WT_DIRECTIONS);
  __type(key, __u32);
  __type(value, struct kernel_totals);
} totals SEC(".maps");

/* (generation, direction, IP version, protocol) -> what found neither a map entry nor room in the
 * ring. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WT_GENERATIONS* WT_DIRECTIONS* WT_ROWS);
  __type(key, __u32);
  __type(value, struct kernel_row_count);
} rows SEC(".maps");

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
volatile struct kernel_control control SEC(".data.control") = {0, 0};
