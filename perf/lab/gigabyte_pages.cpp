// SPDX-License-Identifier: Apache-2.0
// See gigabyte_pages.hpp. Thread: the bench's only one.
#include "perf/lab/gigabyte_pages.hpp"

#include <sys/mman.h>
#include <sys/types.h>

#include <cstddef>

namespace {

bool wanted = false;

constexpr int kPagesOf1GiB = MAP_HUGETLB | 30 << 26;  // log2 of the size, at MAP_HUGE_SHIFT

}  // namespace

extern "C" {
void* __real_mmap64(void* address, std::size_t octets, int protection, int flags, int file,
                    off_t offset);
void* __wrap_mmap64(void* address, std::size_t octets, int protection, int flags, int file,
                    off_t offset);
}

void* __wrap_mmap64(void* address, std::size_t octets, int protection, int flags, int file,
                    off_t offset) {
  const int pages = wanted && (flags & MAP_ANONYMOUS) != 0 ? kPagesOf1GiB : 0;
  return __real_mmap64(address, octets, protection, flags | pages, file, offset);
}

namespace wiretally::perf {

GigabytePages::GigabytePages() {
  wanted = true;
}

GigabytePages::~GigabytePages() {
  wanted = false;
}

}  // namespace wiretally::perf
