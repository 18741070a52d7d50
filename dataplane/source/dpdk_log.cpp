// SPDX-License-Identifier: Apache-2.0
// Keeps the last lines of DPDK's, libxdp's and libbpf's own messages. Thread: any.
#include "dataplane/source/dpdk_log.hpp"

#include <dlfcn.h>
#include <rte_log.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <deque>
#include <mutex>
#include <string_view>

namespace wiretally {
namespace {

constexpr std::size_t kLinesMax = 4;

std::mutex lines_mutex;
std::deque<std::string> lines;

ssize_t write_to_log(void*, const char* text, std::size_t length) {
  DpdkLog::add(text, length);
  return static_cast<ssize_t>(length);
}

// The callback of libbpf_set_print and libxdp_set_print. Level 0 is a warning, the others say more
// than anybody wants to read.
int print_to_log(int level, const char* format, va_list arguments) {
  if (level > 0) return 0;
  std::array<char, 512> text;
  const int length = std::vsnprintf(text.data(), text.size(), format, arguments);
  if (length > 0) DpdkLog::add(text.data(), std::min<std::size_t>(length, text.size() - 1));
  return 0;
}

// The libraries come with the plug-in of net_af_xdp, after our own start; we do not link them.
void redirect_library(const char* library, const char* setter) {
  void* handle = ::dlopen(library, RTLD_NOW | RTLD_NOLOAD);
  if (handle == nullptr) return;
  using Print = int (*)(int, const char*, va_list);
  using SetPrint = Print (*)(Print);
  if (void* symbol = ::dlsym(handle, setter); symbol != nullptr) {
    reinterpret_cast<SetPrint>(symbol)(print_to_log);
  }
  ::dlclose(handle);
}

// A standard stream that was closed before stays closed.
void restore(int saved, int descriptor) {
  if (saved < 0) {
    ::close(descriptor);
    return;
  }
  ::dup2(saved, descriptor);
  ::close(saved);
}

}  // namespace

void DpdkLog::install() {
  cookie_io_functions_t functions{};
  functions.write = write_to_log;
  FILE* stream = ::fopencookie(nullptr, "w", functions);
  if (stream == nullptr) return;
  std::setvbuf(stream, nullptr, _IOLBF, 0);
  rte_openlog_stream(stream);  // DPDK keeps it until the process ends
}

void DpdkLog::install_for_loaded_libraries() {
  redirect_library("libxdp.so.1", "libxdp_set_print");
  redirect_library("libbpf.so.1", "libbpf_set_print");
}

void DpdkLog::clear() {
  const std::lock_guard lock(lines_mutex);
  lines.clear();
}

std::string DpdkLog::last_lines() {
  const std::lock_guard lock(lines_mutex);
  std::string joined;
  for (const std::string& line : lines) joined += (joined.empty() ? "" : "; ") + line;
  return joined;
}

void DpdkLog::add(const char* text, std::size_t length) {
  const std::lock_guard lock(lines_mutex);
  std::string_view rest(text, length);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string line(rest.substr(0, end));
    rest.remove_prefix(std::min(rest.size(), end + 1));
    if (line.empty() || std::find(lines.begin(), lines.end(), line) != lines.end()) continue;
    lines.push_back(line);
    if (lines.size() > kLinesMax) lines.pop_front();
  }
}

OutputToDpdkLog::OutputToDpdkLog() {
  std::fflush(nullptr);
  capture_ = ::memfd_create("dpdk-output", MFD_CLOEXEC);
  if (capture_ < 0) return;
  stdout_ = ::dup(STDOUT_FILENO);
  stderr_ = ::dup(STDERR_FILENO);
  ::dup2(capture_, STDOUT_FILENO);
  ::dup2(capture_, STDERR_FILENO);
}

OutputToDpdkLog::~OutputToDpdkLog() {
  if (capture_ < 0) return;
  std::fflush(stdout);
  std::fflush(stderr);
  restore(stdout_, STDOUT_FILENO);
  restore(stderr_, STDERR_FILENO);
  std::array<char, 4096> text;
  ::lseek(capture_, 0, SEEK_SET);
  const ssize_t length = ::read(capture_, text.data(), text.size());
  if (length > 0) DpdkLog::add(text.data(), static_cast<std::size_t>(length));
  ::close(capture_);
}

}  // namespace wiretally
