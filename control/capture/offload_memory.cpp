// SPDX-License-Identifier: Apache-2.0
// A line for each: interface, its number, offload. Thread: main.
#include "control/capture/offload_memory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>

namespace wiretally {
namespace {

constexpr std::size_t kOctetsMax = 65536;

std::vector<SwitchedOff> read_all(const Descriptor& file) {
  std::string text(kOctetsMax, '\0');
  const ssize_t got = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  std::vector<SwitchedOff> all;
  std::istringstream words(text);
  for (SwitchedOff one; words >> one.interface_name >> one.ifindex >> one.offload;) {
    all.push_back(one);
  }
  return all;
}

}  // namespace

std::string OffloadMemory::path_for(const std::string& control_socket) {
  return std::filesystem::path(control_socket).replace_extension(".offloads").string();
}

std::vector<SwitchedOff> OffloadMemory::left_by_the_dead(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open() || ::flock(file.get(), LOCK_SH | LOCK_NB) != 0) return {};
  return read_all(file);
}

OffloadMemory::OffloadMemory(std::string path) : path_(std::move(path)) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), error);
  file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (file_.is_open() && ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0) return;
  why_not_ = errno == EWOULDBLOCK ? "another meter holds it" : std::strerror(errno);
  file_.close();
}

std::vector<SwitchedOff> OffloadMemory::recall() const {
  return file_.is_open() ? read_all(file_) : std::vector<SwitchedOff>();
}

void OffloadMemory::remember(const std::vector<SwitchedOff>& all) {
  if (!file_.is_open()) return;
  std::ostringstream text;
  for (const SwitchedOff& one : all) {
    text << one.interface_name << ' ' << one.ifindex << ' ' << one.offload << '\n';
  }
  const std::string lines = text.str();
  if (::ftruncate(file_.get(), 0) != 0 ||
      ::pwrite(file_.get(), lines.data(), lines.size(), 0) != static_cast<ssize_t>(lines.size())) {
    why_not_ = std::strerror(errno);
  }
}

void OffloadMemory::forget() {
  if (!file_.is_open()) return;
  ::unlink(path_.c_str());
  file_.close();
}

}  // namespace wiretally
