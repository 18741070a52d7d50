// SPDX-License-Identifier: Apache-2.0
// Two generic netlink requests: the number of the family "netdev", then the interface. What Debian
// 12's headers do not have yet is written out. Thread: main.
#include "dataplane/source/link_features.hpp"

#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <span>

#include "dataplane/descriptor.hpp"

namespace wiretally {
namespace {

// linux/netdev.h
constexpr std::uint8_t kGetDevice = 1;
constexpr std::uint16_t kIfindex = 1;
constexpr std::uint16_t kFeatures = 3;
constexpr std::uint64_t kBasic = 1, kRedirect = 2, kZeroCopy = 8, kReceivesPieces = 32;

struct Request {
  nlmsghdr header;
  genlmsghdr command;
  nlattr attribute;
  std::array<char, 16> value;
};

// The value of attribute `wanted` in the answer to a request with one attribute.
template <class Value>
std::optional<Value> ask(const Descriptor& socket, std::uint16_t family, std::uint8_t command,
                         std::uint16_t attribute, std::span<const char> value,
                         std::uint16_t wanted) {
  Request request{};
  request.attribute.nla_type = attribute;
  request.attribute.nla_len = static_cast<std::uint16_t>(NLA_HDRLEN + value.size());
  std::memcpy(request.value.data(), value.data(), value.size());
  request.command.cmd = command;
  request.command.version = 1;
  request.header.nlmsg_type = family;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.header.nlmsg_len =
      static_cast<std::uint32_t>(NLMSG_LENGTH(GENL_HDRLEN) + NLA_HDRLEN + NLA_ALIGN(value.size()));
  alignas(nlmsghdr) std::array<char, 8192> reply;
  if (::send(socket.get(), &request, request.header.nlmsg_len, 0) < 0) return std::nullopt;
  const ssize_t got = ::recv(socket.get(), reply.data(), reply.size(), 0);
  const auto* message = reinterpret_cast<const nlmsghdr*>(reply.data());
  if (got <= 0 || !NLMSG_OK(message, static_cast<std::size_t>(got)) ||
      message->nlmsg_type != family) {
    return std::nullopt;
  }
  const char* at = reply.data() + NLMSG_LENGTH(GENL_HDRLEN);
  const char* const end = reply.data() + message->nlmsg_len;
  while (at + NLA_HDRLEN <= end) {
    nlattr found{};
    std::memcpy(&found, at, sizeof found);
    if (found.nla_len < NLA_HDRLEN || at + found.nla_len > end) break;
    Value answer{};
    if ((found.nla_type & NLA_TYPE_MASK) == wanted && found.nla_len >= NLA_HDRLEN + sizeof answer) {
      std::memcpy(&answer, at + NLA_HDRLEN, sizeof answer);
      return answer;
    }
    at += NLA_ALIGN(found.nla_len);
  }
  return std::nullopt;
}

}  // namespace

std::optional<XdpFeatures> xdp_features(const std::string& interface) {
  const std::uint32_t ifindex = ::if_nametoindex(interface.c_str());
  if (ifindex == 0) return std::nullopt;
  const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC));
  constexpr char kFamily[] = "netdev";
  const auto family = ask<std::uint16_t>(socket, GENL_ID_CTRL, CTRL_CMD_GETFAMILY,
                                         CTRL_ATTR_FAMILY_NAME, kFamily, CTRL_ATTR_FAMILY_ID);
  if (!family) return std::nullopt;
  std::array<char, sizeof ifindex> value{};
  std::memcpy(value.data(), &ifindex, sizeof ifindex);
  const auto features = ask<std::uint64_t>(socket, *family, kGetDevice, kIfindex, value, kFeatures);
  if (!features) return std::nullopt;
  return XdpFeatures{(*features & kBasic) != 0, (*features & kRedirect) != 0,
                     (*features & kZeroCopy) != 0, (*features & kReceivesPieces) != 0};
}

std::string driver_name(const std::string& interface) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&info);
  if (::ioctl(socket.get(), SIOCETHTOOL, &request) != 0) return {};
  return {info.driver, ::strnlen(info.driver, sizeof info.driver)};
}

}  // namespace wiretally
