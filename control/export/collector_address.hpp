// SPDX-License-Identifier: Apache-2.0
// Where a collector is: the configured text, and the socket addresses it stands for.
// Thread: any (values); lookups run in a thread of their own (CollectorLookup).
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wiretally {

struct CollectorAddress {
  std::string host;
  std::string port;
};

// "host:port", "a.b.c.d:port" or "[v6]:port". Throws StartupError(kUsage) that says what is wrong.
CollectorAddress parse_collector_address(const std::string& text);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  [[nodiscard]] int family() const { return storage.ss_family; }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] std::string text() const;  // numeric, with port
  friend bool operator==(const SocketAddress& a, const SocketAddress& b);
};

// A numeric address, without asking anybody; nothing if `host` is a name.
std::optional<SocketAddress> numeric_address(const std::string& host, const std::string& port);

struct LookupResult {
  std::vector<SocketAddress> addresses;  // in the resolver's order of preference
  std::string error;                     // the resolver's words if there are none
};

// One DNS lookup at a time, in a thread that nobody has to wait for: a resolver that takes a minute
// delays neither the link nor the end of the program. `wake_fd` (an eventfd) is written when done.
class CollectorLookup {
 public:
  void start(const CollectorAddress& address, int wake_fd);
  [[nodiscard]] bool busy() const { return shared_ != nullptr; }
  std::optional<LookupResult> take();  // once, when done

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace wiretally
