// SPDX-License-Identifier: Apache-2.0
// bpf_link on XDP, and whose program is there. Thread: see xdp_attachment.hpp.
#include "ebpf/xdp_attachment.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace wiretally {
namespace {

std::string program_name(std::uint32_t id) {
  const Descriptor program(bpf_prog_get_fd_by_id(id));
  bpf_prog_info info{};
  __u32 length = sizeof info;
  if (!program.is_open() || bpf_obj_get_info_by_fd(program.get(), &info, &length) != 0) {
    return "(its name may be asked for by CAP_SYS_ADMIN only)";
  }
  return std::string(info.name, strnlen(info.name, sizeof info.name));
}

// Empty if no XDP program is attached there.
std::string foreign_program(unsigned ifindex) {
  LIBBPF_OPTS(bpf_xdp_query_opts, found);
  if (bpf_xdp_query(static_cast<int>(ifindex), 0, &found) != 0) return {};
  const std::uint32_t ids[] = {found.prog_id, found.drv_prog_id, found.skb_prog_id,
                               found.hw_prog_id};
  for (const std::uint32_t id : ids) {
    if (id != 0) return program_name(id) + ", id " + std::to_string(id);
  }
  return {};
}

// 0: not known.
unsigned mtu_of(const std::string& name) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(socket.get(), SIOCGIFMTU, &request) != 0) return 0;
  return static_cast<unsigned>(request.ifr_mtu);
}

}  // namespace

// Drivers answer a too large MTU as each of them likes; what is beyond a page without the room that
// XDP wants is what most of them cannot do.
std::string native_refusal_text(int error, unsigned mtu, const std::string& name) {
  constexpr unsigned kPageMtu = 3498;  // 4096 - 256 (head room) - 320 (skb_shared_info) - 22
  const std::string why = xdp_error_text(error);
  const bool may_be_mtu = error == ERANGE || error == E2BIG || error == EMSGSIZE ||
                          ((error == EINVAL || error == ENOMEM) && mtu > kPageMtu);
  if (!may_be_mtu || mtu <= 1500) return why;
  return why + "; the MTU of " + std::to_string(mtu) +
         " may be too large for native XDP with this driver: `ip link set dev " + name + " mtu " +
         std::to_string(mtu > kPageMtu ? kPageMtu : 1500u) + "`";
}

const char* label(XdpMode mode) {
  return mode == XdpMode::kNative ? "native" : "generic";
}

std::string xdp_error_text(int error) {
  return std::strerror(error < 0 ? -error : error);
}

std::string xdp_cure(int error, const std::string& capabilities) {
  switch (error < 0 ? -error : error) {
    case EPERM:
    case EACCES:
      return "; it takes root, or the capabilities " + capabilities;
    case ENOSYS:
    case EINVAL:
      return "; it takes Linux 5.15 or later with CONFIG_BPF_SYSCALL";
    default:
      return "";
  }
}

XdpMode XdpAttachment::attach(int program, unsigned ifindex, const std::string& name) {
  native_refusal_.clear();
  const auto try_mode = [&](std::uint32_t flags) {
    LIBBPF_OPTS(bpf_link_create_opts, link_options, .flags = flags);
    link_ = Descriptor(bpf_link_create(program, static_cast<int>(ifindex), BPF_XDP, &link_options));
    return link_.is_open() ? 0 : errno;
  };
  const std::string foreign = foreign_program(ifindex);
  if (!foreign.empty()) {
    throw XdpError(name + " has an XDP program already: " + foreign +
                   "; it is not replaced. Stop its owner, or `ip link set dev " + name +
                   " xdp off`, or use driver pcap, which can share the interface");
  }
  const int native = try_mode(XDP_FLAGS_DRV_MODE);
  if (native == 0) return XdpMode::kNative;
  native_refusal_ = native_refusal_text(native, mtu_of(name), name);
  const int generic = try_mode(XDP_FLAGS_SKB_MODE);
  if (generic == 0) return XdpMode::kGeneric;
  throw XdpError("the kernel does not attach to " + name + ": " + native_refusal_ + " (native), " +
                 xdp_error_text(generic) + " (generic)" + xdp_cure(generic, capabilities_));
}

bool XdpAttachment::detach() {
  if (!link_.is_open()) return false;
  bpf_link_detach(link_.get());
  link_.close();
  return true;
}

unsigned XdpAttachment::ifindex() const {
  bpf_link_info info{};
  __u32 length = sizeof info;
  if (!link_.is_open() || bpf_obj_get_info_by_fd(link_.get(), &info, &length) != 0) return 0;
  return info.xdp.ifindex;
}

}  // namespace wiretally
