// SPDX-License-Identifier: Apache-2.0
// Linux, Documentation/bpf/ringbuf.rst: one page with the consumer's position, one with the
// producer's, the data mapped twice so that a record never wraps; a record's head of eight octets
// has its length, with two flags. Thread: one.
#include "ebpf/ring_reader.hpp"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "ebpf/xdp_loader.hpp"

namespace wiretally {
namespace {

std::uint64_t load(const void* position) {
  return __atomic_load_n(static_cast<const std::uint64_t*>(position), __ATOMIC_ACQUIRE);
}

}  // namespace

RingReader::RingReader(int map, std::size_t octets)
    : mask_(octets - 1), page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
  consumer_ = mmap(nullptr, page_, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  producer_ =
      mmap(nullptr, page_ + 2 * octets, PROT_READ, MAP_SHARED, map, static_cast<off_t>(page_));
  if (consumer_ == MAP_FAILED || producer_ == MAP_FAILED) {
    throw XdpError(std::string("the ring buffer cannot be mapped: ") + std::strerror(errno));
  }
  data_ = static_cast<const std::byte*>(producer_) + page_;
  position_ = load(consumer_);
}

RingReader::~RingReader() {
  munmap(consumer_, page_);
  munmap(producer_, page_ + 2 * (mask_ + 1));
}

std::span<const std::byte> RingReader::next() {
  while (position_ < load(producer_)) {
    const std::byte* head = data_ + (position_ & mask_);
    const std::uint32_t length =
        __atomic_load_n(reinterpret_cast<const std::uint32_t*>(head), __ATOMIC_ACQUIRE);
    if ((length & BPF_RINGBUF_BUSY_BIT) != 0) return {};
    const std::uint32_t octets = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
    position_ += (octets + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
    if ((length & BPF_RINGBUF_DISCARD_BIT) == 0) return {head + BPF_RINGBUF_HDR_SZ, octets};
  }
  return {};
}

void RingReader::release() {
  __atomic_store_n(static_cast<std::uint64_t*>(consumer_), position_, __ATOMIC_RELEASE);
}

}  // namespace wiretally
