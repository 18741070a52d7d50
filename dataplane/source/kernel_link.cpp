// SPDX-License-Identifier: Apache-2.0
// One RTM_GETLINK at a time. Thread: control.
#include "dataplane/source/kernel_link.hpp"

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>

namespace wiretally {
namespace {

using Octets = std::span<const char>;

// The value of one attribute in a list of attributes; empty if it is not there.
Octets find_attribute(Octets list, unsigned short type) {
  const auto* attribute = reinterpret_cast<const rtattr*>(list.data());
  int left = static_cast<int>(list.size());
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    if ((attribute->rta_type & NLA_TYPE_MASK) != type) continue;
    return {static_cast<const char*>(RTA_DATA(attribute)), RTA_PAYLOAD(attribute)};
  }
  return {};
}

template <class Value>
std::optional<Value> value_of(Octets octets) {
  if (octets.empty()) return std::nullopt;
  Value value{};
  std::memcpy(&value, octets.data(), std::min(octets.size(), sizeof(value)));
  return value;
}

// The attributes of the interface, in `reply`; empty if there is no such interface.
Octets ask_for_link(const std::string& interface, std::span<char> reply) {
  struct {
    nlmsghdr header;
    ifinfomsg link;
  } request{};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.link.ifi_index = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (request.link.ifi_index == 0) return {};
  const int descriptor = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  ssize_t length = ::send(descriptor, &request, sizeof(request), 0);
  if (length > 0) length = ::recv(descriptor, reply.data(), reply.size(), 0);
  if (descriptor >= 0) ::close(descriptor);
  const auto* message = reinterpret_cast<const nlmsghdr*>(reply.data());
  if (length <= 0 || !NLMSG_OK(message, static_cast<std::size_t>(length)) ||
      message->nlmsg_type != RTM_NEWLINK) {
    return {};
  }
  const auto* link = static_cast<const ifinfomsg*>(NLMSG_DATA(message));
  return {reinterpret_cast<const char*>(IFLA_RTA(link)),
          message->nlmsg_len - NLMSG_LENGTH(sizeof(ifinfomsg))};
}

constexpr std::size_t kReplyOctets = 32768;

std::optional<rtnl_link_stats64> statistics_of(const std::string& interface) {
  alignas(nlmsghdr) std::array<char, kReplyOctets> reply;
  return value_of<rtnl_link_stats64>(find_attribute(ask_for_link(interface, reply), IFLA_STATS64));
}

std::string program_name(std::uint32_t id) {
  bpf_attr by_id{};
  by_id.prog_id = id;
  const auto descriptor =
      static_cast<int>(::syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &by_id, sizeof(by_id)));
  if (descriptor < 0) return {};
  bpf_prog_info info{};
  bpf_attr ask{};
  ask.info.bpf_fd = static_cast<std::uint32_t>(descriptor);
  ask.info.info_len = sizeof(info);
  ask.info.info = reinterpret_cast<std::uint64_t>(&info);
  const long result = ::syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &ask, sizeof(ask));
  ::close(descriptor);
  return result == 0 ? std::string(info.name, ::strnlen(info.name, sizeof(info.name))) : "";
}

}  // namespace

std::optional<unsigned> interface_number(const std::string& interface) {
  const unsigned number = ::if_nametoindex(interface.c_str());
  if (number == 0 && errno != ENODEV) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> nic_missed_packets(const std::string& interface) {
  const auto stats = statistics_of(interface);
  return stats ? std::optional(stats->rx_missed_errors) : std::nullopt;
}

std::optional<std::uint64_t> received_packets(const std::string& interface) {
  const auto stats = statistics_of(interface);
  return stats ? std::optional(stats->rx_packets) : std::nullopt;
}

std::string master_of(const std::string& interface) {
  alignas(nlmsghdr) std::array<char, kReplyOctets> reply;
  const auto master =
      value_of<std::uint32_t>(find_attribute(ask_for_link(interface, reply), IFLA_MASTER));
  std::array<char, IF_NAMESIZE> name{};
  return master && ::if_indextoname(*master, name.data()) != nullptr ? name.data() : "";
}

unsigned stands_on(const std::string& interface) {
  alignas(nlmsghdr) std::array<char, kReplyOctets> reply;
  const Octets link = ask_for_link(interface, reply);
  const auto lower = value_of<std::uint32_t>(find_attribute(link, IFLA_LINK));
  const Octets kind = find_attribute(find_attribute(link, IFLA_LINKINFO), IFLA_INFO_KIND);
  const bool elsewhere = !find_attribute(link, IFLA_LINK_NETNSID).empty();
  if (!lower || elsewhere || std::string_view(kind.data(), kind.size()).starts_with("veth")) {
    return 0;
  }
  return *lower;
}

std::optional<std::uint64_t> sent_packets(const std::string& interface) {
  const auto stats = statistics_of(interface);
  return stats ? std::optional(stats->tx_packets) : std::nullopt;
}

std::optional<XdpProgram> attached_xdp_program(const std::string& interface) {
  alignas(nlmsghdr) std::array<char, kReplyOctets> reply;
  const Octets xdp = find_attribute(ask_for_link(interface, reply), IFLA_XDP);
  const auto mode = value_of<std::uint8_t>(find_attribute(xdp, IFLA_XDP_ATTACHED));
  if (!mode || *mode == XDP_ATTACHED_NONE) return std::nullopt;
  const auto id = value_of<std::uint32_t>(find_attribute(xdp, IFLA_XDP_PROG_ID));
  return XdpProgram{id.value_or(0), id ? program_name(*id) : ""};
}

}  // namespace wiretally
