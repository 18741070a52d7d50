// SPDX-License-Identifier: Apache-2.0
// A non-blocking TCP connection to a collector, with TLS on it if wanted. What the other side's
// kernel has acknowledged is known exactly (SIOCOUTQ), in octets of this connection.
// Thread: one link thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "control/export/collector_address.hpp"
#include "control/export/socket_options.hpp"
#include "control/export/tls_context.hpp"

namespace wiretally {

class StreamSocket {
 public:
  enum class State : std::uint8_t { kClosed, kConnecting, kHandshake, kOpen };
  struct Trouble {
    int error = 0;           // errno; 0: it is about TLS, or the collector closed
    bool untrusted = false;  // a certificate was refused, here or there
    std::string text;
  };
  using Outcome = std::optional<Trouble>;  // nothing: all is well

  StreamSocket() = default;
  StreamSocket(const StreamSocket&) = delete;
  StreamSocket& operator=(const StreamSocket&) = delete;
  ~StreamSocket() { close(); }

  // `tls`: null for plain TCP; outlives the connection.
  Outcome open(const SocketAddress& collector, const std::optional<SocketAddress>& source,
               const SocketOptions& options, const TlsContext* tls);
  // Whatever can be done now: connect, shake hands; reads away what a collector says.
  Outcome advance();
  // Says goodbye if open.
  void close();
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] short events(bool has_output) const;  // what to poll for

  // How many octets from the front went out; 0: not now.
  Outcome write(std::span<const std::uint8_t> octets, std::size_t& written);
  // Octets of the connection (with TLS: of its records) given to and acknowledged by the network.
  [[nodiscard]] std::uint64_t sent() const;
  [[nodiscard]] std::uint64_t acknowledged() const;
  // So many retransmissions without an answer (about 12 s) that nobody is there.
  [[nodiscard]] bool is_black_hole() const;

 private:
  Outcome finish_connecting();
  Outcome shake_hands();
  Outcome read_away();
  Trouble system_trouble(const std::string& what) const;
  Trouble tls_trouble(const std::string& what, int result) const;

  State state_ = State::kClosed;
  int fd_ = -1;
  const TlsContext* tls_ = nullptr;
  TlsContext::Session session_;
  bool wants_write_ = false;  // TLS asks for it
  std::uint64_t sent_ = 0;    // without TLS
};

}  // namespace wiretally
