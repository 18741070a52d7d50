// SPDX-License-Identifier: Apache-2.0
// Making, replacing and connecting to the control socket's file.
// Thread: main, CLI.
#include "control/api/unix_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "config/startup_error.hpp"

namespace wiretally {
namespace {

constexpr mode_t kSocketMode = 0660;
constexpr int kBacklog = 64;

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw StartupError(ExitCode::kMachine, "control.socket: " + path + ": " + what);
}

[[noreturn]] void refuse_by_system(const std::string& path, const std::string& doing) {
  const int reason = errno;
  std::string text = "cannot " + doing + ": " + std::strerror(reason);
  if (reason == EACCES || reason == EPERM || reason == EROFS) {
    text += "; start wiretally as root, or set control.socket to a path this user may write";
  }
  refuse(path, text);
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty()) {
    throw StartupError(
        ExitCode::kUsage,
        "control.socket is empty; give it a path, such as /run/wiretally/control.sock");
  }
  if (path.size() >= sizeof(address.sun_path)) {
    throw StartupError(ExitCode::kUsage, "control.socket: " + path + " has " +
                                             std::to_string(path.size()) +
                                             " characters; a socket's path has at most " +
                                             std::to_string(sizeof(address.sun_path) - 1));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Descriptor new_socket(int flags) {
  return Descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
}

int connect_to(const Descriptor& socket, const sockaddr_un& address) {
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

void make_directory_of(const std::string& path) {
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  if (directory.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    errno = error.value();
    refuse_by_system(path, "make its directory");
  }
}

// A process that was killed leaves its socket's file behind; nobody listens, so connect() is
// refused.
void remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return;
    refuse_by_system(path, "look at it");
  }
  if (const std::string problem = socket_place_problem(path); !problem.empty()) {
    refuse(path, problem);
  }
  const Descriptor probe = new_socket(SOCK_NONBLOCK);
  // EAGAIN: someone listens, but the backlog is full.
  if (connect_to(probe, address) == 0 || errno == EAGAIN) {
    refuse(path, "another wiretally answers there; end it with `wiretally stop --socket " + path +
                     "`, or set control.socket to another path");
  }
  if (errno != ECONNREFUSED) refuse_by_system(path, "see who owns it");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    refuse_by_system(path, "remove what a dead process left there");
  }
}

}  // namespace

std::string socket_place_problem(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    return errno == ENOTDIR ? "a part of the path is a file where a folder has to be; set "
                              "control.socket to another path"
                            : "";
  }
  if (S_ISSOCK(found.st_mode)) return "";
  return std::string(S_ISDIR(found.st_mode) ? "a folder" : "a file that is not a socket") +
         " stands there; move it away, or set control.socket to another path";
}

ListeningSocket::ListeningSocket(std::string path) : path_(std::move(path)) {
  const sockaddr_un address = address_of(path_);
  make_directory_of(path_);
  remove_stale(path_, address);
  descriptor_ = new_socket(SOCK_NONBLOCK);
  if (!descriptor_.is_open()) refuse_by_system(path_, "make a socket");
  // The mode before the file exists, so that it is never open to others for an instant.
  ::fchmod(descriptor_.get(), kSocketMode);
  if (::bind(descriptor_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) !=
      0) {
    refuse_by_system(path_, "bind");
  }
  struct stat made {};
  if (::chmod(path_.c_str(), kSocketMode) != 0 || ::stat(path_.c_str(), &made) != 0) {
    refuse_by_system(path_, "set its mode");
  }
  device_ = made.st_dev;
  inode_ = made.st_ino;
  if (::listen(descriptor_.get(), kBacklog) != 0) refuse_by_system(path_, "listen");
}

ListeningSocket::~ListeningSocket() {
  struct stat found {};
  const bool ours = inode_ != 0 && ::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ &&
                    found.st_ino == inode_;
  if (ours) ::unlink(path_.c_str());
}

Descriptor connect_socket(const std::string& path) {
  const sockaddr_un address = address_of(path);
  Descriptor socket = new_socket(0);
  if (connect_to(socket, address) == 0) return socket;
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
      throw StartupError(ExitCode::kNo,
                         "no wiretally runs with the control socket " + path +
                             "; start it with `wiretally run --config FILE`, or name its socket "
                             "with --socket PATH");
    case ECONNREFUSED:
      if (!socket_place_problem(path).empty()) {
        throw StartupError(ExitCode::kUsage,
                           path +
                               " is not a socket; --socket wants a meter's control.socket, "
                               "such as /run/wiretally/control.sock");
      }
      throw StartupError(ExitCode::kNo,
                         "nobody answers at " + path +
                             ": the wiretally that made it was killed; start it again with "
                             "`wiretally run --config FILE`");
    case EACCES:
    case EPERM:
      throw StartupError(ExitCode::kMachine, "no permission for the control socket " + path +
                                                 "; use sudo, or join the group that owns it");
    default:
      throw StartupError(ExitCode::kMachine, "cannot connect to the control socket " + path + ": " +
                                                 std::strerror(errno));
  }
}

}  // namespace wiretally
