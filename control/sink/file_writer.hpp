// SPDX-License-Identifier: Apache-2.0
// Text to a file descriptor through one large buffer. The first failure is kept, in words, and what
// comes after it is thrown away: the caller asks once, at the end.
// Thread: one at a time. From: record formats. To: standard output or a file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wiretally {

class FileWriter {
 public:
  explicit FileWriter(int fd);  // borrowed, stays open
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void put(std::string_view text);
  // `room` octets to write into; commit() says how far it went. Never more than kRoomMax.
  char* reserve(std::size_t room);
  void commit(const char* end);
  void flush();

  // "" as long as everything was written; else the system's reason.
  [[nodiscard]] const std::string& error() const { return error_; }

  static constexpr std::size_t kRoomMax = 64 * 1024;

 private:
  static constexpr std::size_t kCapacity = 1024 * 1024;

  int fd_;
  std::string buffer_;  // kCapacity octets from the start
  std::size_t used_ = 0;
  std::string error_;
};

}  // namespace wiretally
