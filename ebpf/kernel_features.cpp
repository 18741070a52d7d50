// SPDX-License-Identifier: Apache-2.0
// Maps and programs of one entry and two instructions; links and sockets for an interface that
// cannot be: the kernel checks flags and types before it looks for it. Thread: main.
#include "ebpf/kernel_features.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "dataplane/descriptor.hpp"
#include "ebpf/libbpf_words.hpp"

namespace wiretally {
namespace {

constexpr int kNoInterface = 0x7ffffffe;
constexpr auto kTcxEgress = static_cast<bpf_attach_type>(47);  // BPF_TCX_EGRESS
constexpr std::uint16_t kUseSg = 1 << 4;                       // XDP_USE_SG

using Answer = std::optional<bool>;

bool may_ask() {
  const Descriptor map(bpf_map_create(BPF_MAP_TYPE_HASH, "wt_probe", 4, 4, 1, nullptr));
  return map.is_open();
}

Answer has_map(bpf_map_type type) {
  const int result = libbpf_probe_bpf_map_type(type, nullptr);
  return result < 0 ? Answer() : Answer(result == 1);
}

Answer has_mapped_arrays() {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
  return Descriptor(bpf_map_create(BPF_MAP_TYPE_ARRAY, "wt_probe", 4, 8, 1, &options)).is_open();
}

Answer has_frame_octets() {
  const int result = libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_get_buff_len, nullptr);
  return result < 0 ? Answer() : Answer(result == 1);
}

Answer has_tcx() {
  const std::array<bpf_insn, 2> let_pass = {
      bpf_insn{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, -1},
      bpf_insn{BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  const Descriptor program(bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "wt_probe", "GPL",
                                         let_pass.data(), let_pass.size(), nullptr));
  if (!program.is_open()) return {};
  const Descriptor link(bpf_link_create(program.get(), kNoInterface, kTcxEgress, nullptr));
  return errno == ENODEV;
}

bool has_xdp_sockets() {
  const Descriptor socket(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
  return socket.is_open() || errno != EAFNOSUPPORT;
}

// The kernel shows rings with flags where it knows of them.
Answer has_need_wakeup() {
  const Descriptor socket(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
  xdp_mmap_offsets offsets{};
  socklen_t length = sizeof offsets;
  if (!socket.is_open() ||
      ::getsockopt(socket.get(), SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length) != 0) {
    return {};
  }
  return length == sizeof offsets;
}

Answer has_socket_pieces() {
  const Descriptor socket(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return {};
  sockaddr_xdp address{};
  address.sxdp_family = AF_XDP;
  address.sxdp_flags = kUseSg;
  address.sxdp_ifindex = kNoInterface;
  const int result =
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return result == 0 || errno != EINVAL;
}

bool has_btf() {
  return ::access("/sys/kernel/btf/vmlinux", R_OK) == 0;
}

}  // namespace

std::vector<KernelFeature> kernel_features() {
  const LibbpfWords words;  // what libbpf says of a try that fails is nobody's business
  const bool ask = may_ask();
  const auto asked = [ask](auto probe) { return ask ? probe() : Answer(); };
  const bool sockets = has_xdp_sockets();
  return {
      {"maps of maps", "4.12", "driver ebpf cannot work",
       asked([] { return has_map(BPF_MAP_TYPE_ARRAY_OF_MAPS); })},
      {"BPF ring buffer", "5.8", "driver ebpf cannot work",
       asked([] { return has_map(BPF_MAP_TYPE_RINGBUF); })},
      {"maps that user space sees", "5.5", "driver ebpf cannot work", asked(has_mapped_arrays)},
      {"XDP on frames in pieces", "5.18",
       "native XDP refuses an MTU larger than a page, about 3,500", asked(has_frame_octets)},
      {"tcx", "6.6",
       "what is sent is counted by a clsact filter, which stays after a kill until the next start",
       asked(has_tcx)},
      {"XDP sockets", "4.18", "driver af_xdp cannot work", sockets},
      {"need-wakeup", "5.4", "driver af_xdp costs more system calls",
       sockets ? has_need_wakeup() : Answer(false)},
      {"XDP sockets with frames in pieces", "6.6",
       "driver af_xdp refuses an MTU larger than its buffers",
       sockets ? has_socket_pieces() : Answer(false)},
      {"BTF", "5.2", "bpftool shows less of the meter's maps", has_btf(), false},
  };
}

}  // namespace wiretally
