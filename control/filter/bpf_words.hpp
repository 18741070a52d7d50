// SPDX-License-Identifier: Apache-2.0
// What the words of a BPF program mean for two numbers, as bpf_filter() has it. Thread: any.
#pragma once

#include <pcap/pcap.h>

#include <cstdint>

namespace wiretally {

// BPF_ALU. Division by nothing gives 0 here; the machine ends the program with "no".
inline std::uint32_t bpf_computed(std::uint16_t op, std::uint32_t a, std::uint32_t b) {
  switch (op) {
    case BPF_ADD:
      return a + b;
    case BPF_SUB:
      return a - b;
    case BPF_MUL:
      return a * b;
    case BPF_DIV:
      return b == 0 ? 0 : a / b;
    case BPF_MOD:
      return b == 0 ? 0 : a % b;
    case BPF_OR:
      return a | b;
    case BPF_AND:
      return a & b;
    case BPF_XOR:
      return a ^ b;
    case BPF_LSH:
      return b < 32 ? a << b : 0;
    case BPF_RSH:
      return b < 32 ? a >> b : 0;
    default:  // BPF_NEG
      return 0 - a;
  }
}

// BPF_JMP: the branch is taken.
inline bool bpf_jumps(std::uint16_t op, std::uint32_t a, std::uint32_t b) {
  switch (op) {
    case BPF_JEQ:
      return a == b;
    case BPF_JGT:
      return a > b;
    case BPF_JGE:
      return a >= b;
    default:  // BPF_JSET
      return (a & b) != 0;
  }
}

}  // namespace wiretally
