// SPDX-License-Identifier: Apache-2.0
// The control socket under clients of every kind: honest, slow, greedy, silent, many; and its file
// among files that stand there already.
#include "control/api/control_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "config/startup_error.hpp"
#include "control/api/control_client.hpp"
#include "control/api/json_codec.hpp"
#include "control/api/unix_socket.hpp"
#include "tests/control/sample_status.hpp"

namespace wiretally {
namespace {

using namespace std::chrono_literals;
using test::SampleMeter;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* kStatusLine = "{\"command\":\"status\"}\n";

class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = testing::TempDir() + "control_XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~ScratchDirectory() { fs::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A client without manners.
class RawClient {
 public:
  explicit RawClient(const std::string& path) : socket_(connect_socket(path)) {}

  // False once the server has hung up.
  bool send(std::string_view text) {
    return ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  // A line, "" if the server hung up, "(silence)" if nothing came in time.
  std::string line(std::chrono::milliseconds patience = 5s) {
    while (input_.find('\n') == std::string::npos) {
      pollfd ready{socket_.get(), POLLIN, 0};
      if (::poll(&ready, 1, static_cast<int>(patience.count())) == 0) return "(silence)";
      char part[4096];
      const ssize_t n = ::recv(socket_.get(), part, sizeof(part), 0);
      if (n <= 0) return "";
      input_.append(part, static_cast<std::size_t>(n));
    }
    const std::string line = input_.substr(0, input_.find('\n'));
    input_.erase(0, line.size() + 1);
    return line;
  }
  void finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }

 private:
  Descriptor socket_;
  std::string input_;
};

class ControlServerTest : public testing::Test {
 protected:
  ScratchDirectory directory_;
  SampleMeter meter_;
  const std::string path_ = directory_.file("run/control.sock");
};

bool is_status(const std::string& line) {
  try {
    return decode_status(line).version == "9.8.7";
  } catch (const std::exception&) {
    return false;
  }
}

std::string why_refused(const std::string& path, MeterView& meter, ExitCode code) {
  try {
    const ControlServer server(path, meter);
  } catch (const StartupError& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
  return "(not refused)";
}

TEST_F(ControlServerTest, answers_line_for_line_on_one_connection) {
  const ControlServer server(path_, meter_);
  RawClient client(path_);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(kStatusLine));
    EXPECT_TRUE(is_status(client.line()));
  }
}

TEST_F(ControlServerTest, answers_requests_that_came_in_one_piece_in_their_order) {
  const ControlServer server(path_, meter_);
  RawClient client(path_);
  ASSERT_TRUE(client.send("{\"command\":\"status\"}\nnonsense\n{\"command\":\"ledger\"}\n"));
  EXPECT_TRUE(is_status(client.line()));
  EXPECT_THAT(client.line(), HasSubstr("not JSON"));
  EXPECT_EQ(decode_ledger(client.line()).lines.size(), 4u);
}

TEST_F(ControlServerTest, puts_a_request_together_from_single_octets) {
  const ControlServer server(path_, meter_);
  RawClient client(path_);
  for (const char octet : std::string_view(kStatusLine)) {
    ASSERT_TRUE(client.send({&octet, 1}));
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_TRUE(is_status(client.line()));
}

TEST_F(ControlServerTest, answers_a_client_that_has_finished_sending) {
  const ControlServer server(path_, meter_);
  RawClient client(path_);
  ASSERT_TRUE(client.send(kStatusLine));
  client.finish_sending();
  EXPECT_TRUE(is_status(client.line()));
  EXPECT_EQ(client.line(), "");
}

TEST_F(ControlServerTest, tells_garbage_what_a_request_is_and_stays) {
  const ControlServer server(path_, meter_);
  RawClient client(path_);
  ASSERT_TRUE(client.send(std::string("GET / HTTP/1.1\n\0\xff{{{\n\n", 22)));
  EXPECT_THAT(client.line(), HasSubstr("error"));
  EXPECT_THAT(client.line(), HasSubstr("error"));
  EXPECT_THAT(client.line(), HasSubstr("error"));
  ASSERT_TRUE(client.send(kStatusLine));
  EXPECT_TRUE(is_status(client.line()));
}

TEST_F(ControlServerTest, refuses_a_line_without_end_and_hangs_up) {
  ControlLimits limits;
  limits.request_octets = 1000;
  const ControlServer server(path_, meter_, limits);
  RawClient client(path_);
  client.send(std::string(20'000, 'x'));
  EXPECT_THAT(client.line(), HasSubstr("one line of at most 1000 octets"));
  EXPECT_EQ(client.line(), "");
  RawClient next(path_);
  next.send(kStatusLine);
  EXPECT_TRUE(is_status(next.line()));
}

TEST_F(ControlServerTest, serves_fifty_clients_at_once) {
  const ControlServer server(path_, meter_);
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int c = 0; c < 50; ++c) {
    threads.emplace_back([&] {
      RawClient client(path_);
      bool all = true;
      for (int i = 0; i < 20; ++i)
        all = client.send(kStatusLine) && is_status(client.line(20s)) && all;
      right += all;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 50);
}

TEST_F(ControlServerTest, gives_the_place_of_the_longest_idle_client_to_a_new_one) {
  ControlLimits limits;
  limits.clients = 2;
  const ControlServer server(path_, meter_, limits);
  RawClient first(path_);
  RawClient second(path_);
  for (RawClient* client : {&second, &first, &second}) {
    client->send(kStatusLine);
    EXPECT_TRUE(is_status(client->line()));
  }
  RawClient third(path_);
  third.send(kStatusLine);
  EXPECT_TRUE(is_status(third.line()));
  EXPECT_THAT(first.line(), HasSubstr("another client wants the place"));
  EXPECT_EQ(first.line(), "");
  second.send(kStatusLine);
  EXPECT_TRUE(is_status(second.line()));
}

TEST_F(ControlServerTest, sends_one_client_too_many_away_with_words) {
  ControlLimits limits;
  limits.clients = 2;
  const ControlServer server(path_, meter_, limits);
  RawClient first(path_);
  RawClient second(path_);
  for (RawClient* client : {&first, &second}) {
    client->send(std::string(kStatusLine) + "{\"comm");  // an answer, and half a request more
    EXPECT_TRUE(is_status(client->line()));
  }
  RawClient third(path_);
  EXPECT_THAT(third.line(), HasSubstr("2 clients are connected already"));
  EXPECT_EQ(third.line(), "");
}

TEST_F(ControlServerTest, goes_on_when_clients_leave_in_the_middle) {
  const ControlServer server(path_, meter_);
  for (int i = 0; i < 200; ++i) {
    RawClient client(path_);
    client.send(i % 2 == 0 ? "{\"comm" : kStatusLine);  // half a request, or an answer nobody reads
  }
  // On a busy machine the server may not have noticed yet that they left: it is full for a moment.
  const auto until = std::chrono::steady_clock::now() + 10s;
  bool answered = false;
  while (!answered && std::chrono::steady_clock::now() < until) {
    RawClient client(path_);
    answered = client.send(kStatusLine) && is_status(client.line());
    if (!answered) std::this_thread::sleep_for(20ms);
  }
  EXPECT_TRUE(answered);
}

TEST_F(ControlServerTest, is_not_held_by_a_client_that_never_reads) {
  ControlLimits limits;
  limits.answer_time = 300ms;
  const ControlServer server(path_, meter_, limits);
  RawClient greedy(path_);
  std::string many;
  for (int i = 0; i < 500; ++i) many += kStatusLine;  // answers far beyond what the socket holds
  greedy.send(many);
  const auto start = std::chrono::steady_clock::now();
  RawClient client(path_);
  ASSERT_TRUE(client.send(kStatusLine));
  EXPECT_TRUE(is_status(client.line()));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 200ms);
  std::this_thread::sleep_for(600ms);
  EXPECT_FALSE(greedy.send(kStatusLine));  // dropped after its time
}

TEST_F(ControlServerTest, drops_who_does_not_finish_a_line_however_it_drips) {
  ControlLimits limits;
  limits.request_time = 200ms;
  const ControlServer server(path_, meter_, limits);
  RawClient dripping(path_);
  const auto start = std::chrono::steady_clock::now();
  while (dripping.send("x") && std::chrono::steady_clock::now() - start < 5s) {
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

TEST_F(ControlServerTest, drops_who_stays_silent) {
  ControlLimits limits;
  limits.idle_time = 100ms;
  const ControlServer server(path_, meter_, limits);
  RawClient silent(path_);
  EXPECT_EQ(silent.line(3s), "");
}

TEST_F(ControlServerTest, ends_at_once_with_clients_connected) {
  auto server = std::make_unique<ControlServer>(path_, meter_);
  RawClient client(path_);
  client.send(kStatusLine);
  EXPECT_TRUE(is_status(client.line()));
  const auto start = std::chrono::steady_clock::now();
  server.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 1s);
  EXPECT_EQ(client.line(), "");
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(ControlServerTest, makes_its_directory_and_a_socket_for_owner_and_group_only) {
  const mode_t before = ::umask(0);
  const ControlServer server(path_, meter_);
  ::umask(before);
  struct stat made {};
  ASSERT_EQ(::stat(path_.c_str(), &made), 0);
  EXPECT_TRUE(S_ISSOCK(made.st_mode));
  EXPECT_EQ(made.st_mode & 0777, 0660u);
}

TEST_F(ControlServerTest, gives_its_group_access_under_a_strict_umask) {
  const mode_t before = ::umask(0077);
  const ControlServer server(path_, meter_);
  ::umask(before);
  struct stat made {};
  ASSERT_EQ(::stat(path_.c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 0777, 0660u);
}

TEST_F(ControlServerTest, takes_the_place_of_a_dead_process) {
  fs::create_directories(fs::path(path_).parent_path());
  {
    const Descriptor dead(::socket(AF_UNIX, SOCK_STREAM, 0));  // closed, its file stays: a kill -9
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof(address.sun_path) - 1);
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(::listen(dead.get(), 1), 0);
  }
  ASSERT_TRUE(fs::exists(path_));
  const ControlServer server(path_, meter_);
  RawClient client(path_);
  client.send(kStatusLine);
  EXPECT_TRUE(is_status(client.line()));
}

TEST_F(ControlServerTest, refuses_the_place_of_a_living_one_and_leaves_it_alone) {
  const ControlServer server(path_, meter_);
  EXPECT_THAT(why_refused(path_, meter_, ExitCode::kMachine),
              HasSubstr("another wiretally answers there"));
  RawClient client(path_);
  client.send(kStatusLine);
  EXPECT_TRUE(is_status(client.line()));
}

TEST_F(ControlServerTest, refuses_to_replace_a_file_that_is_no_socket) {
  const std::string path = directory_.file("notes.txt");
  std::ofstream(path) << "precious";
  EXPECT_THAT(why_refused(path, meter_, ExitCode::kMachine), HasSubstr("not a socket"));
  std::string kept;
  std::ifstream(path) >> kept;
  EXPECT_EQ(kept, "precious");
}

TEST_F(ControlServerTest, refuses_paths_that_cannot_be) {
  EXPECT_THAT(why_refused("", meter_, ExitCode::kUsage), HasSubstr("empty"));
  EXPECT_THAT(why_refused("/" + std::string(200, 'x'), meter_, ExitCode::kUsage),
              HasSubstr("at most 107"));
  EXPECT_THAT(why_refused("/proc/nowhere/control.sock", meter_, ExitCode::kMachine),
              HasSubstr("cannot make its directory"));
}

TEST_F(ControlServerTest, leaves_the_file_of_its_successor_alone) {
  auto first = std::make_unique<ControlServer>(path_, meter_);
  fs::remove(path_);  // someone cleaned up; a second meter starts
  const ControlServer second(path_, meter_);
  first.reset();
  RawClient client(path_);
  client.send(kStatusLine);
  EXPECT_TRUE(is_status(client.line()));
}

// ---- the CLI's end

std::pair<ExitCode, std::string> failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const StartupError& error) {
    return {error.code(), error.what()};
  }
  return {ExitCode::kDone, ""};
}

TEST_F(ControlServerTest, client_gets_answers_and_refusals_in_words) {
  const ControlServer server(path_, meter_);
  ControlClient client(path_);
  EXPECT_TRUE(is_status(client.ask("status")));
  const auto [code, text] = failure_of([&] { client.ask("nonsense"); });
  EXPECT_EQ(code, ExitCode::kNo);
  EXPECT_THAT(text, HasSubstr("unknown command"));
  EXPECT_EQ(decode_ledger(client.ask("ledger")).lines.size(), 4u);  // the connection is still good
}

TEST_F(ControlServerTest, client_says_that_nothing_runs) {
  const auto [code, text] = failure_of([&] { ControlClient client(path_); });
  EXPECT_EQ(code, ExitCode::kNo);
  EXPECT_THAT(text, HasSubstr("no wiretally runs"));
  EXPECT_THAT(text, HasSubstr(path_));
}

TEST_F(ControlServerTest, client_gives_up_on_a_meter_that_does_not_answer) {
  const ListeningSocket deaf(path_);  // the kernel connects, nobody accepts
  const auto [code, text] = failure_of([&] { ControlClient(path_, 200ms).ask("status"); });
  EXPECT_EQ(code, ExitCode::kNo);
  EXPECT_THAT(text, HasSubstr("does not answer"));
}

TEST_F(ControlServerTest, client_sees_that_the_process_still_runs_or_has_gone) {
  const ListeningSocket ours(path_);
  ControlClient here(path_);
  EXPECT_FALSE(here.wait_for_end(50ms));

  const std::string path = directory_.file("child.sock");
  const pid_t child = ::fork();
  if (child == 0) {
    const ListeningSocket socket(path);
    ::usleep(600'000);
    ::_exit(0);
  }
  while (!fs::exists(path)) std::this_thread::sleep_for(5ms);
  std::this_thread::sleep_for(50ms);
  ControlClient there(path);
  EXPECT_FALSE(there.wait_for_end(50ms));
  EXPECT_TRUE(there.wait_for_end(5s));
  ::waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace wiretally
