// SPDX-License-Identifier: Apache-2.0
// /metrics over HTTP, and every way its address can be wrong.
#include "control/metrics/metrics_endpoint.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <vector>

#include "config/startup_error.hpp"
#include "dataplane/descriptor.hpp"
#include "tests/control/sample_status.hpp"

namespace wiretally {
namespace {

using testing::HasSubstr;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string fetch(int port, const std::string& path) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM, 0));
  const sockaddr_in address = loopback(port);
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
            0);
  const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
  EXPECT_EQ(::send(socket.get(), request.data(), request.size(), 0),
            static_cast<ssize_t>(request.size()));
  std::string answer;
  char part[4096];
  for (ssize_t n = 0; (n = ::recv(socket.get(), part, sizeof(part), 0)) > 0;) {
    answer.append(part, static_cast<std::size_t>(n));
  }
  return answer;
}

std::pair<ExitCode, std::string> why_refused(const std::string& listen) {
  try {
    const MetricsEndpoint endpoint(listen, [] { return StatusPtr{}; });
  } catch (const StartupError& error) {
    return {error.code(), error.what()};
  }
  return {ExitCode::kDone, "(not refused)"};
}

TEST(MetricsEndpoint, serves_the_status_of_the_moment) {
  auto status = std::make_shared<Status>(test::sample_status());
  const MetricsEndpoint endpoint("127.0.0.1:0", [&] { return StatusPtr(status); });
  ASSERT_GT(endpoint.port(), 0);
  EXPECT_THAT(fetch(endpoint.port(), "/metrics"), HasSubstr("\nwiretally_flows_active 61234\n"));
  status->flows.active = 7;
  EXPECT_THAT(fetch(endpoint.port(), "/metrics"), HasSubstr("\nwiretally_flows_active 7\n"));
}

TEST(MetricsEndpoint, tells_its_version_before_the_first_tick) {
  const MetricsEndpoint endpoint("127.0.0.1:0", [] { return StatusPtr{}; });
  const std::string answer = fetch(endpoint.port(), "/metrics");
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  EXPECT_THAT(answer, HasSubstr("wiretally_build_info{version="));
}

TEST(MetricsEndpoint, takes_a_name_and_says_what_it_could_not_take) {
  EXPECT_EQ(listen_problem("localhost:9108"), "");
  EXPECT_EQ(listen_problem("127.0.0.1:9108"), "");
  EXPECT_THAT(listen_problem("no.such.host.invalid:9108"), HasSubstr("has no IPv4 address"));
  const MetricsEndpoint endpoint("localhost:0", [] { return StatusPtr{}; });
  EXPECT_THAT(fetch(endpoint.port(), "/metrics"), HasSubstr("200 OK"));
}

// Each would hold a thread of the server for half a minute, if the server were left as it is: with
// two threads, a scrape would wait for fifty minutes.
TEST(MetricsEndpoint, answers_beside_clients_that_say_nothing) {
  const MetricsEndpoint endpoint("127.0.0.1:0", [] { return StatusPtr{}; });
  std::vector<Descriptor> silent;
  const sockaddr_in address = loopback(endpoint.port());
  for (int i = 0; i < 100; ++i) {
    silent.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ::connect(silent.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    ::send(silent.back().get(), "GET /met", 8, MSG_NOSIGNAL);
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(fetch(endpoint.port(), "/metrics"), HasSubstr("200 OK"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(25));
}

TEST(MetricsEndpoint, has_nothing_elsewhere) {
  const MetricsEndpoint endpoint("127.0.0.1:0", [] { return StatusPtr{}; });
  EXPECT_THAT(fetch(endpoint.port(), "/etc/passwd"), HasSubstr("404"));
}

TEST(MetricsEndpoint, ends_without_making_the_meter_wait) {
  auto endpoint = std::make_unique<MetricsEndpoint>("127.0.0.1:0", [] { return StatusPtr{}; });
  fetch(endpoint->port(), "/metrics");
  const auto start = std::chrono::steady_clock::now();
  endpoint.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(500));
}

TEST(MetricsEndpoint, refuses_a_busy_port_in_words) {
  const MetricsEndpoint first("127.0.0.1:0", [] { return StatusPtr{}; });
  const auto [code, text] = why_refused("127.0.0.1:" + std::to_string(first.port()));
  EXPECT_EQ(code, ExitCode::kMachine);
  EXPECT_THAT(text, HasSubstr("metrics.listen"));
  EXPECT_THAT(text, HasSubstr("in use"));
}

TEST(MetricsEndpoint, refuses_an_address_of_another_machine_in_words) {
  const auto [code, text] = why_refused("192.0.2.77:9108");
  EXPECT_EQ(code, ExitCode::kMachine);
  EXPECT_THAT(text, HasSubstr("no interface of this machine"));
}

TEST(MetricsEndpoint, refuses_ipv6_in_words) {
  for (const char* listen : {"[::1]:9108", "::1:9108"}) {
    const auto [code, text] = why_refused(listen);
    EXPECT_EQ(code, ExitCode::kUsage) << listen;
    EXPECT_THAT(text, HasSubstr("IPv4 only")) << listen;
  }
}

TEST(MetricsEndpoint, refuses_what_is_no_address_in_words) {
  for (const char* listen : {"", "9108", "no.such.host.invalid:9108", "127.0.0.1:",
                             "127.0.0.1:99999", "127.0.0.1:91x", "256.0.0.1:9108", ":9108"}) {
    const auto [code, text] = why_refused(listen);
    EXPECT_EQ(code, ExitCode::kUsage) << listen;
    EXPECT_THAT(text, HasSubstr("127.0.0.1:9108")) << listen;
  }
}

}  // namespace
}  // namespace wiretally
