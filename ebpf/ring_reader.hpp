// SPDX-License-Identifier: Apache-2.0
// The reader of a BPF ring buffer, without copies: a burst of records is shown where it lies and
// given back afterwards. (libbpf's own reader calls back record by record and gives each back at
// once.) Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace wiretally {

class RingReader {
 public:
  // Maps the ring of `octets`. Throws XdpError.
  RingReader(int map, std::size_t octets);
  ~RingReader();
  RingReader(const RingReader&) = delete;
  RingReader& operator=(const RingReader&) = delete;

  // The next record, or an empty span. It is good until release().
  std::span<const std::byte> next();
  // Gives back all that next() has shown.
  void release();

 private:
  std::size_t mask_;
  std::size_t page_;
  void* consumer_ = nullptr;  // its page holds our position
  void* producer_ = nullptr;  // the kernel's position, then the data twice in a row
  const std::byte* data_ = nullptr;
  std::uint64_t position_ = 0;
};

}  // namespace wiretally
