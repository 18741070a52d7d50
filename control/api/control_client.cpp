// SPDX-License-Identifier: Apache-2.0
// Asking a running meter.
// Thread: main of the CLI. From: subcommands. To: the control socket.
#include "control/api/control_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "config/startup_error.hpp"
#include "control/api/json_codec.hpp"
#include "control/api/unix_socket.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kAnswerMax = 256 << 20;  // kAnswerRowsMax flows are a tenth of it

[[noreturn]] void give_up(const std::string& path, const std::string& what,
                          ExitCode code = ExitCode::kNo) {
  throw StartupError(code, "the wiretally at " + path + " " + what);
}

// A descriptor that becomes readable when the process ends; not open if it has ended already.
Descriptor process_behind(const Descriptor& socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0) {
    return {};
  }
  return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, peer.pid, 0)));
}

}  // namespace

ControlClient::ControlClient(std::string path, std::chrono::milliseconds patience)
    : path_(std::move(path)), patience_(patience), socket_(connect_socket(path_)) {}

std::string ControlClient::ask(const std::string& command, const std::string& args) {
  const std::string line = R"({"command":")" + command + R"(","args":)" + args + "}\n";
  if (::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(line.size())) {
    give_up(path_, "hung up; see its log");
  }
  std::string answer = read_line();
  std::string error;
  ExitCode code = ExitCode::kNo;
  try {
    error = decode_error(answer);
    if (!error.empty()) code = decode_exit_code(answer);
  } catch (const std::exception&) {
    give_up(path_, "did not answer in JSON; is it another program's socket?");
  }
  if (!error.empty()) give_up(path_, "refuses: " + error, code);
  return answer;
}

std::string ControlClient::read_line() {
  std::array<char, 64 * 1024> part;
  for (std::size_t searched = 0;;) {
    const std::size_t end = input_.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = input_.substr(0, end);
      input_.erase(0, end + 1);
      return line;
    }
    searched = input_.size();
    if (searched > kAnswerMax) give_up(path_, "sends an answer without an end");
    pollfd ready{socket_.get(), POLLIN, 0};
    const int events = ::poll(&ready, 1, static_cast<int>(patience_.count()));
    if (events < 0 && errno == EINTR) continue;
    if (events == 0) {
      give_up(path_, "does not answer within " + std::to_string(patience_.count() / 1000) +
                         " s; it may be stopped (SIGSTOP) or overloaded");
    }
    const ssize_t n = ::recv(socket_.get(), part.data(), part.size(), 0);
    if (n <= 0) give_up(path_, "hung up; see its log");
    input_.append(part.data(), static_cast<std::size_t>(n));
  }
}

bool ControlClient::wait_for_end(std::chrono::milliseconds limit) {
  const Descriptor process = process_behind(socket_);
  if (process.is_open()) {
    pollfd ended{process.get(), POLLIN, 0};
    return ::poll(&ended, 1, static_cast<int>(limit.count())) == 1;
  }
  // No pidfd (gone already, or another PID namespace): the socket's end says it, nearly as well.
  pollfd closed{socket_.get(), POLLIN | POLLRDHUP, 0};
  return ::poll(&closed, 1, static_cast<int>(limit.count())) == 1;
}

}  // namespace wiretally
