// SPDX-License-Identifier: Apache-2.0
// See udp_socket.hpp. Thread: one link thread.
#include "control/export/udp_socket.hpp"

#include <linux/errqueue.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace wiretally {
namespace {

constexpr std::size_t kMessagesMax = 64;
constexpr std::size_t kUdpHeaderOctets = 8;

void set_option(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

// Never fragment, and keep ICMP errors with the datagram they quote.
void set_path_options(int fd, int family) {
  if (family == AF_INET6) {
    set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO);
    set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
  } else {
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
  }
}

const sock_extended_err* extended_error(msghdr& message) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    const bool ipv4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
    const bool ipv6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
    if (ipv4 || ipv6) return reinterpret_cast<const sock_extended_err*>(CMSG_DATA(c));
  }
  return nullptr;
}

}  // namespace

UdpSocket::UdpSocket(UdpSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), family_(other.family_) {}

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(family_, other.family_);
  return *this;
}

UdpSocket::~UdpSocket() {
  close();
}

void UdpSocket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::string UdpSocket::open(const SocketAddress& collector,
                            const std::optional<SocketAddress>& source,
                            const SocketOptions& options) {
  close();
  const auto failed = [this](const std::string& what) {
    const std::string text = what + ": " + std::strerror(errno);
    close();
    return text;
  };
  family_ = collector.family();
  if (source && source->family() != family_) {
    return "the source address " + source->text() + " is of another IP version than " +
           collector.text();
  }
  fd_ = socket(family_, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return failed("no socket");
  set_path_options(fd_, family_);
  if (const std::string error = apply(options, fd_, family_); !error.empty()) {
    close();
    return error;
  }
  if (source && bind(fd_, source->get(), source->length) != 0) {
    return failed("cannot send from " + source->text());
  }
  if (connect(fd_, collector.get(), collector.length) != 0) {
    return failed("no way to " + collector.text());
  }
  return "";
}

SendResult UdpSocket::send(std::span<const std::span<const std::uint8_t>> messages) {
  std::array<mmsghdr, kMessagesMax> headers{};
  std::array<iovec, kMessagesMax> parts{};
  const std::size_t count = std::min(messages.size(), kMessagesMax);
  for (std::size_t i = 0; i < count; ++i) {
    parts[i] = {const_cast<std::uint8_t*>(messages[i].data()), messages[i].size()};
    headers[i].msg_hdr.msg_iov = &parts[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  SendResult result;
  while (result.sent < count) {
    const int n = sendmmsg(fd_, headers.data() + result.sent,
                           static_cast<unsigned>(count - result.sent), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      result.error = errno;
      return result;
    }
    const std::size_t asked = count - result.sent;
    result.sent += static_cast<std::size_t>(n);
    // Fewer than asked: the next one met an error which the kernel has already cleared. What it was
    // is in the error queue; the caller looks there before it goes on.
    if (static_cast<std::size_t>(n) < asked) {
      result.error = EAGAIN;
      return result;
    }
  }
  return result;
}

std::optional<SocketError> UdpSocket::next_error() {
  MessageQuote quote{};
  alignas(cmsghdr) std::array<char, 512> control{};
  iovec part{quote.data(), quote.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t octets = recvmsg(fd_, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
  if (octets < 0) return std::nullopt;
  const sock_extended_err* detail = extended_error(message);
  SocketError error;
  error.error = detail != nullptr ? static_cast<int>(detail->ee_errno) : EIO;
  if (static_cast<std::size_t>(octets) == quote.size()) error.quote = quote;
  return error;
}

std::size_t UdpSocket::path_payload_octets() const {
  int mtu = 0;
  socklen_t length = sizeof mtu;
  const bool ipv6 = family_ == AF_INET6;
  const int level = ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
  const std::size_t headers = (ipv6 ? 40 : 20) + kUdpHeaderOctets;
  if (getsockopt(fd_, level, ipv6 ? IPV6_MTU : IP_MTU, &mtu, &length) != 0 ||
      static_cast<std::size_t>(mtu) <= headers) {
    return SIZE_MAX;
  }
  return static_cast<std::size_t>(mtu) - headers;
}

}  // namespace wiretally
