// SPDX-License-Identifier: Apache-2.0
// A flat array that grows without copying: pages are moved by mremap, fresh ones are zero and cost
// nothing until they are touched. For a recording's flow cache, which starts small and may need a
// million flows; copying a vector through its doublings cost a third of the system time of such a
// read. Thread: one at a time. Errors: std::bad_alloc.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <type_traits>

namespace wiretally {

template <class T>
class Slab {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>,
                "elements are moved by the kernel and never destroyed");

 public:
  Slab() = default;
  ~Slab() {
    if (data_ != nullptr) munmap(data_, size_ * sizeof(T));
  }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  // Makes room for `size` elements, more than before; the new ones are all zero octets. `touched`:
  // takes their memory now, so that no page fault comes later and the process does not grow.
  void grow(std::size_t size, bool touched) {
    void* data = data_ == nullptr
                     ? mmap(nullptr, size * sizeof(T), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                     : mremap(data_, size_ * sizeof(T), size * sizeof(T), MREMAP_MAYMOVE);
    if (data == MAP_FAILED) throw std::bad_alloc();
    madvise(data, size * sizeof(T), MADV_HUGEPAGE);
    data_ = static_cast<T*>(data);
    if (touched) std::memset(static_cast<void*>(data_ + size_), 0, (size - size_) * sizeof(T));
    size_ = size;
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace wiretally
