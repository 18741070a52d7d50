// SPDX-License-Identifier: Apache-2.0
// What depends on whether a person looks: colour, width, single keys. Piped output has none of it.
// Thread: main.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <termios.h>

namespace wiretally {

[[nodiscard]] bool is_terminal(int fd);
// Columns of the terminal behind `fd`; 80 if it does not say.
[[nodiscard]] std::size_t terminal_columns(int fd);
[[nodiscard]] std::size_t terminal_rows(int fd);

// Colours that vanish where there is no terminal (or NO_COLOR is set).
class Style {
 public:
  Style() = default;  // plain
  static Style of(int fd);

  [[nodiscard]] std::string bold(std::string_view text) const { return in("\033[1m", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return in("\033[2m", text); }
  [[nodiscard]] std::string good(std::string_view text) const { return in("\033[32m", text); }
  [[nodiscard]] std::string warn(std::string_view text) const { return in("\033[33m", text); }
  [[nodiscard]] std::string bad(std::string_view text) const { return in("\033[1;31m", text); }
  [[nodiscard]] bool on() const { return on_; }

 private:
  [[nodiscard]] std::string in(std::string_view code, std::string_view text) const;
  bool on_ = false;
};

// Keys one by one, without echo, while it lives; the terminal is as before afterwards.
class KeyReader {
 public:
  explicit KeyReader(int fd);
  KeyReader(const KeyReader&) = delete;
  KeyReader& operator=(const KeyReader&) = delete;
  ~KeyReader();

  // The next key, 0 if none came within `limit`; 'q' when the input ends.
  char wait(std::chrono::milliseconds limit);

 private:
  int fd_;
  bool changed_ = false;
  termios before_{};
};

// To standard output at once; false if nobody takes it any more.
bool print(std::string_view text);
// To standard error: "wiretally: TEXT".
void complain(std::string_view text);

}  // namespace wiretally
