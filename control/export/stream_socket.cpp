// SPDX-License-Identifier: Apache-2.0
// See stream_socket.hpp. Thread: one link thread.
#include "control/export/stream_socket.hpp"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace wiretally {
namespace {

constexpr unsigned kRetransmissionsMax = 6;
// Linux 6.15 has TCP_RTO_MAX_MS: retransmissions come at least so often, so that a path that comes
// back is noticed within a second. An older kernel says no, and doubles the wait each time.
constexpr int kTcpRtoMaxMs = 44;
constexpr int kRetransmissionWaitMs = 1000;

bool try_again(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

StreamSocket::Trouble StreamSocket::system_trouble(const std::string& what) const {
  return {errno, false, what + ": " + std::strerror(errno)};
}

StreamSocket::Trouble StreamSocket::tls_trouble(const std::string& what, int result) const {
  const int kind = SSL_get_error(session_.get(), result);
  const int error = errno;
  if (kind == SSL_ERROR_SYSCALL && error != 0) return {error, false, what + ": " + strerror(error)};
  if (kind == SSL_ERROR_ZERO_RETURN || kind == SSL_ERROR_SYSCALL) {
    return {0, false, what + ": the collector closed the connection"};
  }
  return {0, true, what + ": " + tls_error_text(session_.get())};
}

StreamSocket::Outcome StreamSocket::open(const SocketAddress& collector,
                                         const std::optional<SocketAddress>& source,
                                         const SocketOptions& options, const TlsContext* tls) {
  close();
  tls_ = tls;
  sent_ = 0;
  wants_write_ = false;
  if (source && source->family() != collector.family()) {
    return Trouble{EADDRNOTAVAIL, false,
                   "the source address " + source->text() + " is of another IP version"};
  }
  fd_ = socket(collector.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return system_trouble("no socket");
  setsockopt(fd_, IPPROTO_TCP, kTcpRtoMaxMs, &kRetransmissionWaitMs, sizeof kRetransmissionWaitMs);
  const std::string error = apply(options, fd_, collector.family());
  if (!error.empty()) return Trouble{errno, false, error};
  if (source && bind(fd_, source->get(), source->length) != 0) {
    return system_trouble("cannot send from " + source->text());
  }
  state_ = State::kConnecting;
  if (connect(fd_, collector.get(), collector.length) == 0) return finish_connecting();
  if (errno != EINPROGRESS) return system_trouble("no connection");
  return std::nullopt;
}

void StreamSocket::close() {
  if (session_ && state_ == State::kOpen) SSL_shutdown(session_.get());
  session_.reset();
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  state_ = State::kClosed;
}

short StreamSocket::events(bool has_output) const {
  if (state_ == State::kConnecting) return POLLOUT;
  const bool out = state_ == State::kHandshake ? wants_write_ : has_output;
  return static_cast<short>(POLLIN | (out ? POLLOUT : 0));
}

StreamSocket::Outcome StreamSocket::advance() {
  if (state_ == State::kConnecting) {
    pollfd ready{fd_, POLLOUT, 0};
    if (poll(&ready, 1, 0) <= 0) return std::nullopt;
    if (Outcome trouble = finish_connecting()) return trouble;
  }
  if (state_ == State::kHandshake) return shake_hands();
  return state_ == State::kOpen ? read_away() : std::nullopt;
}

StreamSocket::Outcome StreamSocket::finish_connecting() {
  socklen_t length = sizeof errno;
  int error = 0;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) {
    errno = error;
    return system_trouble("no connection");
  }
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  if (tls_ == nullptr) {
    state_ = State::kOpen;
    return std::nullopt;
  }
  session_ = tls_->start(fd_);
  state_ = State::kHandshake;
  return std::nullopt;
}

StreamSocket::Outcome StreamSocket::shake_hands() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(session_.get());
  if (result == 1) {
    state_ = State::kOpen;
    return std::nullopt;
  }
  const int kind = SSL_get_error(session_.get(), result);
  wants_write_ = kind == SSL_ERROR_WANT_WRITE;
  if (wants_write_ || kind == SSL_ERROR_WANT_READ) return std::nullopt;
  return tls_trouble("TLS with " + tls_->name() + " failed", result);
}

// A Collecting Process has nothing to say; what comes is an end, or TLS's own matters.
StreamSocket::Outcome StreamSocket::read_away() {
  std::array<char, 4096> ignored;
  for (;;) {
    errno = 0;
    if (session_) {
      ERR_clear_error();
      const int n = SSL_read(session_.get(), ignored.data(), ignored.size());
      if (n > 0) continue;
      const int kind = SSL_get_error(session_.get(), n);
      if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return std::nullopt;
      return tls_trouble("the session ended", n);
    }
    const ssize_t n = recv(fd_, ignored.data(), ignored.size(), 0);
    if (n > 0) continue;
    if (n == 0) return Trouble{0, false, "the collector closed the connection"};
    if (try_again(errno)) return std::nullopt;
    return system_trouble("the connection broke");
  }
}

StreamSocket::Outcome StreamSocket::write(std::span<const std::uint8_t> octets,
                                          std::size_t& written) {
  written = 0;
  errno = 0;
  if (session_) {
    ERR_clear_error();
    const int result = SSL_write_ex(session_.get(), octets.data(), octets.size(), &written);
    if (result == 1) return std::nullopt;
    const int kind = SSL_get_error(session_.get(), result);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return std::nullopt;
    return tls_trouble("the session broke", result);
  }
  const ssize_t n = send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
  if (n >= 0) {
    written = static_cast<std::size_t>(n);
    sent_ += written;
    return std::nullopt;
  }
  if (try_again(errno)) return std::nullopt;
  return system_trouble("the connection broke");
}

std::uint64_t StreamSocket::sent() const {
  return session_ ? BIO_number_written(SSL_get_wbio(session_.get())) : sent_;
}

std::uint64_t StreamSocket::acknowledged() const {
  int unacknowledged = 0;
  if (fd_ < 0 || ioctl(fd_, SIOCOUTQ, &unacknowledged) != 0) return 0;
  const auto waiting = static_cast<std::uint64_t>(unacknowledged);
  return sent() > waiting ? sent() - waiting : 0;
}

bool StreamSocket::is_black_hole() const {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return false;
  return info.tcpi_retransmits >= kRetransmissionsMax;
}

}  // namespace wiretally
