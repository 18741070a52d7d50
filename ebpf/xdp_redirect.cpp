// SPDX-License-Identifier: Apache-2.0
// See xdp_redirect.hpp.
#include "ebpf/xdp_redirect.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <vector>

#include "ebpf/embedded_object.hpp"
#include "ebpf/libbpf_words.hpp"

namespace wiretally {
namespace {

// Since Linux 5.18, as the helper.
bool kernel_has_fragments() {
  return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_get_buff_len, nullptr) == 1;
}

}  // namespace

XdpRedirect::XdpRedirect(std::uint32_t queues) : queues_(queues) {
  try {
    load();
  } catch (...) {
    if (object_ != nullptr) bpf_object__close(object_);
    throw;
  }
}

XdpRedirect::~XdpRedirect() {
  detach();
  bpf_object__close(object_);
}

void XdpRedirect::load() {
  const LibbpfWords words;
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0) throw XdpError("the kernel does not say how many CPUs there are");
  cpus_ = static_cast<unsigned>(cpus);
  LIBBPF_OPTS(bpf_object_open_opts, open_options, .object_name = "wiretally");
  const auto object = redirect_object();
  object_ = bpf_object__open_mem(object.data(), object.size(), &open_options);
  if (object_ == nullptr) {
    throw XdpError("the embedded eBPF object cannot be read: " + xdp_error_text(errno) + "\n" +
                   words.last());
  }
  bpf_program* program = bpf_object__find_program_by_name(object_, "wt_redirect");
  bpf_map* sockets = bpf_object__find_map_by_name(object_, "sockets");
  // A program that knows of fragments may be attached whatever the MTU is.
  if (kernel_has_fragments()) bpf_program__set_flags(program, BPF_F_XDP_HAS_FRAGS);
  bpf_map__set_max_entries(sockets, queues_);
  const int error = bpf_object__load(object_);
  if (error != 0) {
    throw XdpError("the kernel does not take the redirecting program: " + xdp_error_text(error) +
                   xdp_cure(error, kCapabilities) + "\n" + words.last());
  }
  program_ = bpf_program__fd(program);
  sockets_ = bpf_map__fd(sockets);
  redirects_ = bpf_map__fd(bpf_object__find_map_by_name(object_, "redirects"));
}

bool XdpRedirect::set_socket(std::uint32_t queue, int socket) {
  return bpf_map_update_elem(sockets_, &queue, &socket, BPF_ANY) == 0;
}

kernel_redirects XdpRedirect::counts() const {
  std::vector<kernel_redirects> each(cpus_);
  const std::uint32_t zero = 0;
  kernel_redirects sum{};
  if (bpf_map_lookup_elem(redirects_, &zero, each.data()) != 0) return sum;
  for (const kernel_redirects& one : each) {
    sum.seen += one.seen;
    sum.passed += one.passed;
  }
  return sum;
}

}  // namespace wiretally
