// SPDX-License-Identifier: Apache-2.0
// What libbpf says on this thread while a LibbpfWords lives: the reason for an error, not a log.
// Thread: any; one at a time on a thread.
#pragma once

#include <cstdarg>
#include <string>

namespace wiretally {

class LibbpfWords {
 public:
  LibbpfWords();
  ~LibbpfWords();
  LibbpfWords(const LibbpfWords&) = delete;
  LibbpfWords& operator=(const LibbpfWords&) = delete;

  // The last lines: the verifier's conclusion stands at the end.
  [[nodiscard]] std::string last() const;

 private:
  static LibbpfWords*& current();
  static int take(int level, const char* format, va_list arguments);
  std::string text_;
};

}  // namespace wiretally
