// SPDX-License-Identifier: Apache-2.0
// See capture_file_window.hpp.
#include "dataplane/source/capture_file_window.hpp"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

namespace wiretally {

std::unique_ptr<MappedWindow> MappedWindow::make(CaptureDescriptor& descriptor,
                                                 std::uint64_t octets) {
  void* const mapping = ::mmap(nullptr, octets, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (mapping == MAP_FAILED) return nullptr;
  ::madvise(mapping, octets, MADV_SEQUENTIAL);  // more read-ahead; fine if it is refused
  return std::unique_ptr<MappedWindow>(
      new MappedWindow(std::move(descriptor), static_cast<std::uint8_t*>(mapping), octets));
}

MappedWindow::MappedWindow(CaptureDescriptor descriptor, std::uint8_t* mapping,
                           std::uint64_t octets)
    : descriptor_(std::move(descriptor)), mapping_(mapping), octets_(octets), released_(mapping) {
  begin_ = base_ = mapping_;
  end_ = mapping_ + octets_;
  chore_at_ = mapping_ + kChoreOctets;
}

MappedWindow::~MappedWindow() {
  ::munmap(mapping_, octets_);
}

Fill MappedWindow::refill(std::size_t) {
  return Fill::kEnd;
}

void MappedWindow::do_chores() {
  chore_at_ = begin_ + kChoreOctets;
  // Views handed out may still point a burst back; a page given back too early is only read again.
  const auto done = static_cast<std::size_t>(begin_ - mapping_) / kChoreOctets * kChoreOctets;
  if (std::uint8_t* const done_to = mapping_ + done; done_to > released_) {
    ::madvise(released_, static_cast<std::size_t>(done_to - released_), MADV_DONTNEED);
    released_ = done_to;
  }
  struct stat now {};
  if (::fstat(descriptor_.get(), &now) != 0) return;
  const auto size = static_cast<std::uint64_t>(now.st_size);
  if (size >= static_cast<std::uint64_t>(end_ - mapping_)) return;
  end_ = std::max(begin_, static_cast<const std::uint8_t*>(mapping_ + size));
  fault_ = "became shorter while it was read";
}

StreamedWindow::StreamedWindow(std::unique_ptr<OctetStream> stream)
    : stream_(std::move(stream)),
      buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(kBufferOctets)) {
  begin_ = end_ = base_ = buffer_.get();
  chore_at_ = buffer_.get() + buffer_octets_;
}

void StreamedWindow::make_room(std::size_t needed) {
  const std::size_t kept = size();
  base_offset_ = offset();
  if (needed > buffer_octets_) {
    auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(needed);
    std::memcpy(larger.get(), begin_, kept);
    buffer_ = std::move(larger);
    buffer_octets_ = needed;
  } else {
    std::memmove(buffer_.get(), begin_, kept);
  }
  begin_ = base_ = buffer_.get();
  end_ = begin_ + kept;
  chore_at_ = buffer_.get() + buffer_octets_;
}

Fill StreamedWindow::refill(std::size_t needed) {
  assert(needed > size());  // else the buffer may be full, and an empty read looks like the end
  make_room(needed);
  std::size_t got = 0;
  const Fill fill = stream_->read({buffer_.get() + size(), buffer_octets_ - size()}, got);
  end_ += got;
  return fill;
}

}  // namespace wiretally
