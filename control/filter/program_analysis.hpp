// SPDX-License-Identifier: Apache-2.0
// Whether a BPF program, as libpcap compiles it for Ethernet, asks only what a flow key can answer.
// The program is followed along every path. Of each octet it loads, the path so far (type fields,
// protocol) says what the octet is, and so which of its bits a key knows; unknown bits are followed
// through the arithmetic; a branch or an answer that hangs on one is a reason to refuse.
//
// Conventions: that a packet is no later fragment may be asked where its ports are read next, for
// the key of a later fragment has none. ARP addresses may be asked only if `arp_addresses_read`.
// Thread: any.
#pragma once

#include <string>

struct bpf_program;

namespace wiretally {

struct ProgramFindings {
  std::string refusal;              // why a flow key cannot answer; empty: it can
  bool arp_addresses_read = false;  // in passing, as `host` does
};

ProgramFindings analyse_program(const bpf_program& program, bool arp_addresses_allowed);

}  // namespace wiretally
