// SPDX-License-Identifier: Apache-2.0
// See libbpf_words.hpp.
#include "ebpf/libbpf_words.hpp"

#include <bpf/libbpf.h>

#include <cstdio>
#include <cstdlib>

namespace wiretally {
namespace {

constexpr std::size_t kWordsMax = 2000;

}  // namespace

LibbpfWords::LibbpfWords() {
  current() = this;
  libbpf_set_print([](libbpf_print_level level, const char* format, va_list arguments) {
    return take(level, format, arguments);
  });
}

LibbpfWords::~LibbpfWords() {
  current() = nullptr;
}

std::string LibbpfWords::last() const {
  return text_.size() <= kWordsMax ? text_ : "..." + text_.substr(text_.size() - kWordsMax);
}

LibbpfWords*& LibbpfWords::current() {
  thread_local LibbpfWords* words = nullptr;
  return words;
}

int LibbpfWords::take(int level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG || current() == nullptr) return 0;
  char* line = nullptr;  // the verifier's whole log may be one
  if (vasprintf(&line, format, arguments) > 0) current()->text_ += line;
  std::free(line);
  return 0;
}

}  // namespace wiretally
