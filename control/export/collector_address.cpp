// SPDX-License-Identifier: Apache-2.0
// See collector_address.hpp. Thread: control (parsing), link threads, one short thread per lookup.
#include "control/export/collector_address.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>
#include <mutex>
#include <thread>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw StartupError(ExitCode::kUsage,
                     "collector address \"" + text + "\": " + why +
                         "; write host:port, 192.0.2.1:2055 or [2001:db8::1]:2055");
}

bool is_port(const std::string& port) {
  unsigned value = 0;
  const char* end = port.data() + port.size();
  const auto result = std::from_chars(port.data(), end, value);
  return result.ec == std::errc{} && result.ptr == end && value >= 1 && value <= 65535;
}

LookupResult look_up(const std::string& host, const std::string& port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = flags;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (error != 0) return {{}, error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error)};
  LookupResult result;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
    address.length = at->ai_addrlen;
    result.addresses.push_back(address);
  }
  freeaddrinfo(list);
  return result;
}

}  // namespace

CollectorAddress parse_collector_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) refuse(text, "there is no port");
  CollectorAddress address{text.substr(0, colon), text.substr(colon + 1)};
  if (address.host.size() >= 2 && address.host.front() == '[' && address.host.back() == ']') {
    address.host = address.host.substr(1, address.host.size() - 2);
  } else if (address.host.find(':') != std::string::npos) {
    refuse(text, "an IPv6 address stands in brackets");
  }
  if (address.host.empty()) refuse(text, "there is no host");
  if (!is_port(address.port)) refuse(text, "the port is a number from 1 to 65535");
  return address;
}

std::string SocketAddress::text() const {
  std::array<char, 128> host{};
  std::array<char, 16> port{};
  if (getnameinfo(get(), length, host.data(), host.size(), port.data(), port.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  const std::string plain = host.data();
  return (family() == AF_INET6 ? "[" + plain + "]" : plain) + ":" + port.data();
}

bool operator==(const SocketAddress& a, const SocketAddress& b) {
  return a.length == b.length && std::memcmp(&a.storage, &b.storage, a.length) == 0;
}

std::optional<SocketAddress> numeric_address(const std::string& host, const std::string& port) {
  const LookupResult result = look_up(host, port, AI_NUMERICHOST | AI_NUMERICSERV);
  if (result.addresses.empty()) return std::nullopt;
  return result.addresses.front();
}

struct CollectorLookup::Shared {
  std::mutex mutex;
  bool done = false;
  LookupResult result;
  int wake_fd = -1;
  ~Shared() {
    if (wake_fd >= 0) close(wake_fd);
  }
};

void CollectorLookup::start(const CollectorAddress& address, int wake_fd) {
  shared_ = std::make_shared<Shared>();
  shared_->wake_fd = dup(wake_fd);
  std::thread([shared = shared_, address] {
    LookupResult result = look_up(address.host, address.port, AI_NUMERICSERV);
    const std::lock_guard lock(shared->mutex);
    shared->result = std::move(result);
    shared->done = true;
    eventfd_write(shared->wake_fd, 1);
  }).detach();
}

std::optional<LookupResult> CollectorLookup::take() {
  if (shared_ == nullptr) return std::nullopt;
  const auto shared = shared_;
  const std::lock_guard lock(shared->mutex);
  if (!shared->done) return std::nullopt;
  shared_ = nullptr;
  return std::move(shared->result);
}

}  // namespace wiretally
