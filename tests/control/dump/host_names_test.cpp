// SPDX-License-Identifier: Apache-2.0
// Names by DNS, within a time.
#include "control/dump/host_names.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>

namespace wiretally {
namespace {

using namespace std::chrono_literals;

HostRow row(std::uint8_t last) {
  HostRow made;
  made.host.octets = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 0, 2, last};
  return made;
}

TEST(HostNames, are_asked_once_and_remembered_with_failures) {
  std::atomic<int> asked = 0;
  HostNameResolver resolver([&asked](const HostAddress& host) -> std::optional<std::string> {
    ++asked;
    if (host.octets[15] == 2) return std::nullopt;
    std::string name = "h0.example";
    name[1] = static_cast<char>('0' + host.octets[15]);
    return name;
  });
  const std::vector<HostRow> rows = {row(1), row(2), row(3)};
  for (int again = 0; again < 2; ++again) {
    const HostNames names = resolver.resolve(rows, 10s);
    EXPECT_EQ(names.size(), 2u);
    EXPECT_EQ(names.at(row(3).host), "h3.example");
  }
  EXPECT_EQ(asked, 3);
}

TEST(HostNames, that_are_no_names_do_not_count) {
  HostNameResolver resolver(
      [](const HostAddress&) { return std::optional<std::string>("a\nb,c"); });
  EXPECT_TRUE(resolver.resolve(std::vector{row(1)}, 10s).empty());
}

TEST(HostNames, that_do_not_come_in_time_are_left_out) {
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
  };
  // Outlives the resolver, as the thread that hangs does.
  static Gate gate;
  {
    HostNameResolver resolver([](const HostAddress& host) -> std::optional<std::string> {
      if (host.octets[15] == 2) {
        std::unique_lock lock(gate.mutex);
        gate.changed.wait(lock, [] { return gate.open; });
      }
      return "h.example";
    });
    const std::vector<HostRow> rows = {row(1), row(2), row(3)};
    const HostNames names = resolver.resolve(rows, 300ms);
    EXPECT_FALSE(names.contains(row(2).host));
    EXPECT_FALSE(names.contains(row(3).host));
  }  // does not wait for the question that hangs
  const std::lock_guard lock(gate.mutex);
  gate.open = true;
  gate.changed.notify_all();
}

// What `getent` is told for an address, or nothing: a bare machine has no name for 127.0.0.1.
std::optional<std::string> asked_of_getent(const char* address) {
  std::FILE* getent = ::popen(("getent hosts " + std::string(address)).c_str(), "r");
  char name[256] = "";
  const int fields = getent == nullptr ? 0 : std::fscanf(getent, "%*s %255s", name);
  if (getent != nullptr) ::pclose(getent);
  return fields == 1 ? std::optional<std::string>(name) : std::nullopt;
}

TEST(HostNames, of_loopback_are_those_of_the_system) {
  HostAddress loopback;
  loopback.octets[12] = 127;
  loopback.octets[15] = 1;
  const auto name = HostNameResolver::ask_system(loopback);
  EXPECT_EQ(name, asked_of_getent("127.0.0.1"));
}

}  // namespace
}  // namespace wiretally
