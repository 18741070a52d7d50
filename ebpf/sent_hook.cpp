// SPDX-License-Identifier: Apache-2.0
// bpf_link_create for tcx (Debian's libbpf passes its number through), libbpf's bpf_tc_* for
// clsact, and one dump of filters by rtnetlink. Thread: see sent_hook.hpp.
#include "ebpf/sent_hook.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "ebpf/xdp_loader.hpp"

namespace wiretally {
namespace {

constexpr auto kTcxEgress = static_cast<bpf_attach_type>(47);  // BPF_TCX_EGRESS
constexpr std::uint32_t kBefore = 1u << 3;                     // BPF_F_BEFORE; of no other: first
constexpr std::uint32_t kHandle = 0x7754;
constexpr std::uint32_t kPriority = 1;
constexpr const char* kProgramName = "wt_flow_sent";

std::string error_text(int error) {
  return std::strerror(error < 0 ? -error : error);
}

bpf_tc_hook hook_of(unsigned ifindex) {
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = static_cast<int>(ifindex);
  hook.attach_point = BPF_TC_EGRESS;
  return hook;
}

// libbpf prints what it does not get; here it is an answer like others.
int silent(libbpf_print_level, const char*, va_list) {
  return 0;
}

// "name, id 7" of the program in our place; empty: nobody's.
std::string program_in_place(bpf_tc_hook& hook, std::string& name) {
  LIBBPF_OPTS(bpf_tc_opts, found, .handle = kHandle, .priority = kPriority);
  if (bpf_tc_query(&hook, &found) != 0) return {};
  const Descriptor program(bpf_prog_get_fd_by_id(found.prog_id));
  bpf_prog_info info{};
  __u32 length = sizeof info;
  if (program.is_open() && bpf_obj_get_info_by_fd(program.get(), &info, &length) == 0) {
    name.assign(info.name, strnlen(info.name, sizeof info.name));
  }
  return name + ", id " + std::to_string(found.prog_id);
}

// A name that one process of the namespace holds, until it ends. Not open: another has it.
Descriptor take_name(unsigned ifindex) {
  Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "wiretally/sent/" + std::to_string(ifindex);  // behind a 0: abstract
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
    socket.close();
  return socket;
}

// Filters on one side of the clsact qdisc.
unsigned count_filters(unsigned ifindex, std::uint32_t side) {
  struct {
    nlmsghdr header;
    tcmsg message;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETTFILTER;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.message.tcm_family = AF_UNSPEC;
  request.message.tcm_ifindex = static_cast<int>(ifindex);
  request.message.tcm_parent = TC_H_MAKE(TC_H_CLSACT, side);
  const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (::send(socket.get(), &request, sizeof request, 0) < 0) return 1;  // not known: leave it
  unsigned count = 0;
  alignas(nlmsghdr) std::array<char, 16384> reply;
  for (;;) {
    const ssize_t got = ::recv(socket.get(), reply.data(), reply.size(), 0);
    if (got <= 0) return 1;
    auto left = static_cast<unsigned>(got);
    for (auto* at = reinterpret_cast<nlmsghdr*>(reply.data()); NLMSG_OK(at, left);
         at = NLMSG_NEXT(at, left)) {
      if (at->nlmsg_type == NLMSG_DONE || at->nlmsg_type == NLMSG_ERROR) return count;
      if (at->nlmsg_type == RTM_NEWTFILTER) ++count;
    }
  }
}

}  // namespace

SentHook::~SentHook() {
  detach();
}

void SentHook::attach(unsigned ifindex, const std::string& name) {
  if (!attach_link(ifindex, name)) attach_filter(ifindex, name);
}

// False: this kernel has no tcx.
bool SentHook::attach_link(unsigned ifindex, const std::string& name) {
  if (!tcx_) return false;
  LIBBPF_OPTS(bpf_link_create_opts, options, .flags = kBefore);
  link_ = Descriptor(bpf_link_create(program_, static_cast<int>(ifindex), kTcxEgress, &options));
  if (link_.is_open()) return true;
  const int error = errno;
  if (error == EINVAL || error == EOPNOTSUPP) return false;
  throw XdpError("the kernel does not attach to what " + name + " sends: " + error_text(error) +
                 " (tcx)");
}

void SentHook::attach_filter(unsigned ifindex, const std::string& name) {
  const libbpf_print_fn_t before = libbpf_set_print(silent);
  bpf_tc_hook hook = hook_of(ifindex);
  made_qdisc_ = bpf_tc_hook_create(&hook) == 0;
  std::string program;
  const std::string there = program_in_place(hook, program);
  owner_ = take_name(ifindex);
  if (!there.empty() && program == kProgramName && owner_.is_open()) {
    // Of a meter that was killed: only its filter is left, and the qdisc it had made for it.
    LIBBPF_OPTS(bpf_tc_opts, old, .handle = kHandle, .priority = kPriority);
    bpf_tc_detach(&hook, &old);
    made_qdisc_ = true;
  } else if (!there.empty() || !owner_.is_open()) {
    owner_.close();
    libbpf_set_print(before);
    throw XdpError(name + " is metered already by " + (there.empty() ? "another meter" : there) +
                   "; it is not replaced. Stop its owner, or `tc filter del dev " + name +
                   " egress`");
  }
  LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program_, .handle = kHandle, .priority = kPriority);
  const int error = bpf_tc_attach(&hook, &options);
  filtered_ = ifindex;
  libbpf_set_print(before);
  if (error == 0) return;
  detach_filter();
  throw XdpError("the kernel does not attach to what " + name + " sends: " + error_text(error) +
                 " (clsact; it takes CONFIG_NET_CLS_BPF and CONFIG_NET_SCH_INGRESS)");
}

void SentHook::detach() {
  if (link_.is_open()) {
    bpf_link_detach(link_.get());
    link_.close();
  }
  if (filtered_ != 0) detach_filter();
}

void SentHook::detach_filter() {
  const libbpf_print_fn_t before = libbpf_set_print(silent);
  bpf_tc_hook hook = hook_of(filtered_);
  LIBBPF_OPTS(bpf_tc_opts, options, .handle = kHandle, .priority = kPriority);
  bpf_tc_detach(&hook, &options);
  const bool others = count_filters(filtered_, TC_H_MIN_INGRESS) != 0 ||
                      count_filters(filtered_, TC_H_MIN_EGRESS) != 0;
  if (made_qdisc_ && !others) {
    hook.attach_point = static_cast<bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
    bpf_tc_hook_destroy(&hook);
  }
  libbpf_set_print(before);
  filtered_ = 0;
  made_qdisc_ = false;
  owner_.close();
}

// What bpf_link_info has for tcx begins as what it has for XDP: with the interface.
unsigned SentHook::attached_ifindex() const {
  if (!link_.is_open()) return filtered_;
  bpf_link_info info{};
  __u32 length = sizeof info;
  return bpf_obj_get_info_by_fd(link_.get(), &info, &length) == 0 ? info.xdp.ifindex : 0;
}

}  // namespace wiretally
