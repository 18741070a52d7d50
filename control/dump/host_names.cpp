// SPDX-License-Identifier: Apache-2.0
// One asking thread, detached: getnameinfo cannot be called off, so what it shares outlives the
// resolver if it must.
#include "control/dump/host_names.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

namespace wiretally {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kRemembered = std::chrono::hours(1);
constexpr std::size_t kRememberedMax = 200'000;

bool is_plain(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

struct Answer {
  std::optional<std::string> name;
  Clock::time_point until;
};

}  // namespace

struct HostNameResolver::Shared {
  explicit Shared(Lookup given) : lookup(std::move(given)) {}

  const Lookup lookup;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<HostAddress> questions;
  std::unordered_map<HostAddress, Answer, HostAddressHash> answers;
  bool ended = false;

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return ended || !questions.empty(); });
      if (ended) return;
      const HostAddress host = questions.front();
      lock.unlock();
      std::optional<std::string> name = lookup(host);
      lock.lock();
      if (answers.size() >= kRememberedMax) answers.clear();
      if (name && !is_plain(*name)) name.reset();
      answers[host] = {std::move(name), Clock::now() + kRemembered};
      if (!questions.empty() && questions.front() == host) questions.pop_front();
      changed.notify_all();
    }
  }
};

std::optional<std::string> HostNameResolver::ask_system(const HostAddress& host) {
  sockaddr_storage address{};
  socklen_t length = 0;
  if (host.v6) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
    v6->sin6_family = AF_INET6;
    std::memcpy(&v6->sin6_addr, host.octets.data(), 16);
    length = sizeof *v6;
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
    v4->sin_family = AF_INET;
    std::memcpy(&v4->sin_addr, host.octets.data() + 12, 4);
    length = sizeof *v4;
  }
  char name[NI_MAXHOST];
  const int failed = getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, name,
                                 sizeof name, nullptr, 0, NI_NAMEREQD);
  return failed == 0 ? std::optional<std::string>(name) : std::nullopt;
}

HostNameResolver::HostNameResolver(Lookup lookup)
    : shared_(std::make_shared<Shared>(std::move(lookup))) {
  std::thread([shared = shared_] { shared->run(); }).detach();
}

HostNameResolver::~HostNameResolver() {
  const std::lock_guard lock(shared_->mutex);
  shared_->ended = true;
  shared_->changed.notify_all();
}

HostNames HostNameResolver::resolve(std::span<const HostRow> rows,
                                    std::chrono::milliseconds limit) {
  const auto until = Clock::now() + limit;
  std::unique_lock lock(shared_->mutex);
  shared_->questions.clear();
  for (const HostRow& row : rows) {
    const auto known = shared_->answers.find(row.host);
    if (known != shared_->answers.end() && known->second.until > Clock::now()) continue;
    shared_->questions.push_back(row.host);
  }
  shared_->changed.notify_all();
  shared_->changed.wait_until(lock, until, [this] { return shared_->questions.empty(); });
  shared_->questions.clear();
  HostNames names;
  for (const HostRow& row : rows) {
    const auto known = shared_->answers.find(row.host);
    if (known != shared_->answers.end() && known->second.name) {
      names.emplace(row.host, *known->second.name);
    }
  }
  return names;
}

}  // namespace wiretally
