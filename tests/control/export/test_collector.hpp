// SPDX-License-Identifier: Apache-2.0
// A collector for the tests: a UDP socket on loopback that decodes what comes, with the option to
// be away (closed) and to come back on the same port. Thread: the test's.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "control/export/collector_address.hpp"
#include "tests/control/export/decoder.hpp"

namespace wiretally::test {

class TestCollector {
 public:
  // Takes a free port and listens, or with `listen` false only knows the port.
  explicit TestCollector(bool listen = true, int family = AF_INET) : family_(family) {
    open();
    if (!listen) close();
  }
  ~TestCollector() { close(); }
  TestCollector(const TestCollector&) = delete;
  TestCollector& operator=(const TestCollector&) = delete;

  void open() {
    fd_ = socket(family_, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int receive_buffer = 8 << 20;
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const std::string host = family_ == AF_INET ? "127.0.0.1" : "::1";
    auto address = numeric_address(host, std::to_string(port_));
    if (bind(fd_, address->get(), address->length) != 0) perror("bind");
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address->storage), &address->length);
    const std::string text = address->text();
    port_ = static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
    decoder_ = {};  // a new process knows no Templates
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  [[nodiscard]] std::string address() const {
    return (family_ == AF_INET ? "127.0.0.1:" : "[::1]:") + std::to_string(port_);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

  // Reads until `enough` says so or the time is over; true if it said so.
  bool receive_until(const std::function<bool()>& enough,
                     std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!enough()) {
      if (std::chrono::steady_clock::now() >= end) return false;
      pollfd fd{fd_, POLLIN, 0};
      if (poll(&fd, 1, 20) <= 0) continue;
      std::array<std::uint8_t, 65536> buffer;
      const ssize_t octets = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (octets < 0) continue;
      messages.push_back(
          decoder_.decode(std::span(buffer).first(static_cast<std::size_t>(octets))));
      sizes.push_back(static_cast<std::size_t>(octets));
      flows += messages.back().flows().size();
    }
    return true;
  }
  // Reads without decoding until nothing came for `idle`; returns the kernel's time of arrival of
  // each datagram, in nanoseconds: exact however late this thread is.
  std::vector<std::int64_t> receive_stamps(std::chrono::milliseconds idle) {
    const int on = 1;
    setsockopt(fd_, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    std::vector<std::int64_t> stamps;
    pollfd fd{fd_, POLLIN, 0};
    while (poll(&fd, 1, static_cast<int>(idle.count())) > 0) {
      std::array<std::uint8_t, 2048> buffer;
      alignas(cmsghdr) std::array<char, 128> control{};
      iovec part{buffer.data(), buffer.size()};
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      if (recvmsg(fd_, &message, MSG_DONTWAIT) < 0) continue;
      timespec time{};
      const cmsghdr* c = CMSG_FIRSTHDR(&message);
      if (c != nullptr) std::memcpy(&time, CMSG_DATA(c), sizeof time);
      stamps.push_back(std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec);
    }
    return stamps;
  }
  [[nodiscard]] const std::vector<std::string>& errors() const { return decoder_.errors(); }

  std::vector<DecodedMessage> messages;
  std::vector<std::size_t> sizes;
  std::uint64_t flows = 0;

 private:
  const int family_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  Decoder decoder_;
};

}  // namespace wiretally::test
