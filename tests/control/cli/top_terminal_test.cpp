// SPDX-License-Identifier: Apache-2.0
// `wiretally top` on a terminal of our own: it draws, takes keys, and leaves the terminal as it
// was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "control/api/control_server.hpp"
#include "control/cli/commands.hpp"
#include "tests/control/sample_status.hpp"

namespace wiretally {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

// A child with `top` on a pseudo-terminal. Forked before the server's thread exists; the command
// starts when the socket is there.
class TopOnTerminal : public testing::Test {
 protected:
  TopOnTerminal() {
    std::string name = testing::TempDir() + "top_XXXXXX";
    directory_ = ::mkdtemp(name.data());
    const std::string path = directory_ + "/s";
    winsize size{.ws_row = 24, .ws_col = 120, .ws_xpixel = 0, .ws_ypixel = 0};
    child_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
    if (child_ == 0) {
      while (!std::filesystem::exists(path)) ::usleep(1000);
      Arguments arguments;
      arguments.command = Command::kTop;
      arguments.socket = path;
      arguments.by = "flow";
      try {
        ::_exit(static_cast<int>(top_command(arguments)));
      } catch (const StartupError& error) {
        ::_exit(static_cast<int>(error.code()));
      }
    }
    ::tcgetattr(terminal_, &before_);
    server_ = std::make_unique<ControlServer>(path, meter_);
  }
  ~TopOnTerminal() override {
    ::kill(child_, SIGKILL);  // gone already in a test that passed
    ::waitpid(child_, nullptr, 0);
    ::close(terminal_);
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  // Reads the screen until it has `text`; false if it does not come.
  bool shows(const std::string& text) {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (screen_.find(text) == std::string::npos) {
      pollfd ready{terminal_, POLLIN, 0};
      if (std::chrono::steady_clock::now() > limit || ::poll(&ready, 1, 5000) <= 0) return false;
      char part[4096];
      const ssize_t n = ::read(terminal_, part, sizeof(part));
      if (n <= 0) return false;
      screen_.append(part, static_cast<std::size_t>(n));
    }
    return true;
  }
  void press(char key) {
    screen_.clear();
    ASSERT_EQ(::write(terminal_, &key, 1), 1);
  }
  // The exit code, -1 if it does not end.
  int ended() {
    const auto limit = std::chrono::steady_clock::now() + 10s;
    while (std::chrono::steady_clock::now() < limit) {
      int status = 0;
      if (::waitpid(child_, &status, WNOHANG) == child_) {
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
      pollfd ready{terminal_, POLLIN, 0};
      char part[4096];  // a full pseudo-terminal would hold the child
      if (::poll(&ready, 1, 0) > 0 && ::read(terminal_, part, sizeof(part)) > 0) screen_ += part[0];
      std::this_thread::sleep_for(5ms);
    }
    return -1;
  }

  std::string directory_;
  test::SampleMeter meter_;
  std::unique_ptr<ControlServer> server_;
  pid_t child_ = -1;
  int terminal_ = -1;
  termios before_{};
  std::string screen_;
};

TEST_F(TopOnTerminal, draws_changes_view_by_key_and_quits) {
  ASSERT_TRUE(shows("wiretally top by flow")) << screen_;
  ASSERT_TRUE(shows("192.0.2.1:1000 > 198.51.100.2:53 udp")) << screen_;
  press('h');
  ASSERT_TRUE(shows("wiretally top by host")) << screen_;
  ASSERT_TRUE(shows("75.0 %")) << screen_;
  ASSERT_TRUE(shows("█")) << "no bar: " << screen_;
  press('2');
  ASSERT_TRUE(shows("sorted by rate of 10 s")) << screen_;
  press(' ');
  ASSERT_TRUE(shows("paused")) << screen_;
  press('/');
  ASSERT_TRUE(shows("filter, as tcpdump's: _")) << screen_;
  for (const char key : std::string("udp\r")) press(key);
  ASSERT_TRUE(shows("only udp")) << screen_;
  EXPECT_EQ(meter_.last_filter, "udp");
  press('q');
  EXPECT_EQ(ended(), 0);
}

TEST_F(TopOnTerminal, gives_the_terminal_back_after_an_interrupt) {
  ASSERT_TRUE(shows("wiretally top by flow"));
  termios during{};
  ::tcgetattr(terminal_, &during);
  EXPECT_EQ(during.c_lflag & ECHO, 0u);
  press('\003');  // Ctrl-C
  EXPECT_EQ(ended(), 0);
  termios after{};
  ::tcgetattr(terminal_, &after);
  EXPECT_EQ(after.c_lflag, before_.c_lflag);
}

TEST_F(TopOnTerminal, ends_with_1_when_the_meter_goes_away) {
  ASSERT_TRUE(shows("wiretally top by flow"));
  server_.reset();
  EXPECT_EQ(ended(), 1);
}

}  // namespace
}  // namespace wiretally
