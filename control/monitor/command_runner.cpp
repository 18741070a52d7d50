// SPDX-License-Identifier: Apache-2.0
// posix_spawn of a shell. Thread: control.
#include "control/monitor/command_runner.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace wiretally {
namespace {

// What a child is born with: no blocked signals, none ignored, no input.
class SpawnSetup {
 public:
  SpawnSetup() {
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_init(&actions_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  int spawn(pid_t& pid, const std::string& command, char* const* environment) const {
    const char* const argv[] = {"sh", "-c", command.c_str(), nullptr};
    return posix_spawn(&pid, "/bin/sh", &actions_, &attributes_, const_cast<char* const*>(argv),
                       environment);
  }

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t actions_;
};

std::string fate_of(int status) {
  return WIFEXITED(status) ? fmt::format("exited {}", WEXITSTATUS(status))
                           : fmt::format("was ended by signal {}", WTERMSIG(status));
}

}  // namespace

void CommandRunner::run(const std::string& command, const Environment& more) {
  std::vector<std::string> texts;
  for (char** each = environ; *each != nullptr; ++each) texts.emplace_back(*each);
  for (const auto& [name, value] : more) texts.push_back(fmt::format("{}={}", name, value));
  std::vector<char*> environment;
  for (std::string& text : texts) environment.push_back(text.data());
  environment.push_back(nullptr);
  pid_t pid = 0;
  const int error = SpawnSetup().spawn(pid, command, environment.data());
  if (error != 0) {
    log_(fmt::format("command \"{}\" was not started: {}", command, std::strerror(error)));
    return;
  }
  running_.emplace(pid, command);
}

void CommandRunner::reap() {
  for (auto each = running_.begin(); each != running_.end();) {
    int status = 0;
    if (waitpid(each->first, &status, WNOHANG) == 0) {
      ++each;
      continue;
    }
    if (status != 0) log_(fmt::format("command \"{}\" {}", each->second, fate_of(status)));
    each = running_.erase(each);
  }
}

}  // namespace wiretally
