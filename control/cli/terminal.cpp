// SPDX-License-Identifier: Apache-2.0
// Terminal questions and the two output streams.
// Thread: main.
#include "control/cli/terminal.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace wiretally {
namespace {

winsize size_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0) size = {};
  return size;
}

}  // namespace

bool is_terminal(int fd) {
  return ::isatty(fd) == 1;
}

std::size_t terminal_columns(int fd) {
  const winsize size = size_of(fd);
  return size.ws_col == 0 ? 80 : size.ws_col;
}

std::size_t terminal_rows(int fd) {
  const winsize size = size_of(fd);
  return size.ws_row == 0 ? 24 : size.ws_row;
}

Style Style::of(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  Style style;
  style.on_ = is_terminal(fd) && (no_color == nullptr || *no_color == '\0');
  return style;
}

std::string Style::in(std::string_view code, std::string_view text) const {
  std::string result;
  if (on_) result += code;
  result += text;
  if (on_) result += "\033[0m";
  return result;
}

KeyReader::KeyReader(int fd) : fd_(fd) {
  if (::tcgetattr(fd_, &before_) != 0) return;
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  changed_ = ::tcsetattr(fd_, TCSANOW, &raw) == 0;
}

KeyReader::~KeyReader() {
  if (changed_) ::tcsetattr(fd_, TCSANOW, &before_);
}

char KeyReader::wait(std::chrono::milliseconds limit) {
  pollfd ready{fd_, POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(limit.count())) <= 0) return 0;
  char key = 0;
  return ::read(fd_, &key, 1) == 1 ? key : 'q';
}

bool print(std::string_view text) {
  const std::size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  return std::fflush(stdout) == 0 && written == text.size();
}

void complain(std::string_view text) {
  const std::string line = "wiretally: " + std::string(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace wiretally
