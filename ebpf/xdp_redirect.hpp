// SPDX-License-Identifier: Apache-2.0
// The program that hands frames to AF_XDP sockets (redirect.bpf.c), and its map of sockets: loaded
// once, attached to one interface at a time. Thread: any, one at a time; counts() any.
#pragma once

#include <cstdint>
#include <string>

#include "ebpf/redirect_layout.h"
#include "ebpf/xdp_attachment.hpp"

struct bpf_object;

namespace wiretally {

class XdpRedirect {
 public:
  // What an unprivileged process needs for program, attachment, sockets and their memory.
  static constexpr const char* kCapabilities =
      "CAP_BPF, CAP_NET_ADMIN, CAP_NET_RAW and CAP_IPC_LOCK";

  // `queues`: receive queues there may be at most. Throws XdpError with the kernel's words.
  explicit XdpRedirect(std::uint32_t queues);
  ~XdpRedirect();
  XdpRedirect(const XdpRedirect&) = delete;
  XdpRedirect& operator=(const XdpRedirect&) = delete;

  // See XdpAttachment.
  XdpMode attach(unsigned ifindex, const std::string& name) {
    return attachment_.attach(program_, ifindex, name);
  }
  void detach() { attachment_.detach(); }
  [[nodiscard]] unsigned attached_ifindex() const { return attachment_.ifindex(); }
  [[nodiscard]] const std::string& native_refusal() const { return attachment_.native_refusal(); }

  // From now on the queue's frames go to this socket; false: errno says why not.
  bool set_socket(std::uint32_t queue, int socket);
  [[nodiscard]] int program() const { return program_; }

  // Sums over all CPUs since the start.
  [[nodiscard]] kernel_redirects counts() const;

 private:
  void load();

  const std::uint32_t queues_;
  unsigned cpus_ = 0;
  bpf_object* object_ = nullptr;
  int program_ = -1;
  int sockets_ = -1;
  int redirects_ = -1;
  XdpAttachment attachment_{kCapabilities};
};

}  // namespace wiretally
