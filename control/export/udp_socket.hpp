// SPDX-License-Identifier: Apache-2.0
// A connected, non-blocking UDP socket that never lets IP fragment (path MTU discovery: do) and
// that can say which datagram an ICMP error was about: the error queue (IP_RECVERR) quotes its
// first octets. Thread: one link thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "control/export/collector_address.hpp"
#include "control/export/socket_options.hpp"

namespace wiretally {

// Enough of a message to know it again: every version's header with its sequence number.
inline constexpr std::size_t kQuoteOctets = 20;
using MessageQuote = std::array<std::uint8_t, kQuoteOctets>;

struct SendResult {
  std::size_t sent = 0;  // messages handed to the kernel, from the front
  int error = 0;         // errno of the next one; 0: all are sent
};

struct SocketError {
  int error = 0;                      // errno: ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, ...
  std::optional<MessageQuote> quote;  // the datagram it was about, if the other side quoted enough
};

class UdpSocket {
 public:
  UdpSocket() = default;
  UdpSocket(UdpSocket&& other) noexcept;
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  ~UdpSocket();

  // Binds `source` (port 0: any) if given, connects. Returns "" or what went wrong, in words.
  std::string open(const SocketAddress& collector, const std::optional<SocketAddress>& source,
                   const SocketOptions& options = {});
  void close();
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }

  // At most 64 messages at once.
  SendResult send(std::span<const std::span<const std::uint8_t>> messages);
  // The next entry of the error queue, nothing if it is empty.
  std::optional<SocketError> next_error();
  // Largest payload the path takes without fragments, as far as the kernel knows now.
  [[nodiscard]] std::size_t path_payload_octets() const;

 private:
  int fd_ = -1;
  int family_ = AF_UNSPEC;
};

}  // namespace wiretally
