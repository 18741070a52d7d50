// SPDX-License-Identifier: Apache-2.0
// Buffered writes that remember the first failure.
// Thread: one at a time.
#include "control/sink/file_writer.hpp"

#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>

namespace wiretally {

FileWriter::FileWriter(int fd) : fd_(fd), buffer_(kCapacity, '\0') {}

void FileWriter::put(std::string_view text) {
  while (!text.empty()) {
    const std::size_t part = std::min(text.size(), kRoomMax);
    char* out = reserve(part);
    std::memcpy(out, text.data(), part);
    commit(out + part);
    text.remove_prefix(part);
  }
}

char* FileWriter::reserve(std::size_t room) {
  assert(room <= kRoomMax);
  if (kCapacity - used_ < room) flush();
  return buffer_.data() + used_;
}

void FileWriter::commit(const char* end) {
  used_ = static_cast<std::size_t>(end - buffer_.data());
}

void FileWriter::flush() {
  std::size_t done = 0;
  while (done < used_ && error_.empty()) {
    const ssize_t n = ::write(fd_, buffer_.data() + done, used_ - done);
    if (n >= 0) {
      done += static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      error_ = std::strerror(errno);
    }
  }
  used_ = 0;
}

}  // namespace wiretally
