// SPDX-License-Identifier: Apache-2.0
// See capture_file_stream.hpp. One system call a chunk; nothing here is met per packet.
#include "dataplane/source/capture_file_stream.hpp"

#include <poll.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace wiretally {

CaptureDescriptor::~CaptureDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

DescriptorStream::DescriptorStream(CaptureDescriptor descriptor, bool may_block)
    : descriptor_(std::move(descriptor)), may_block_(may_block) {}

Fill DescriptorStream::read(std::span<std::uint8_t> into, std::size_t& got) {
  if (head_given_ < head_octets_) {
    got = std::min(into.size(), head_octets_ - head_given_);
    std::memcpy(into.data(), head_.data() + head_given_, got);
    head_given_ += got;
    return Fill::kMore;
  }
  return read_descriptor(into, got);
}

Fill DescriptorStream::peek(std::size_t wanted) {
  wanted = std::min(wanted, head_.size());
  while (head_octets_ < wanted) {
    std::size_t got = 0;
    const Fill fill =
        read_descriptor(std::span(head_).subspan(head_octets_, wanted - head_octets_), got);
    if (fill != Fill::kMore) return fill;
    head_octets_ += got;
  }
  return Fill::kMore;
}

Fill DescriptorStream::read_descriptor(std::span<std::uint8_t> into, std::size_t& got) {
  got = 0;
  if (!fault_.empty()) return Fill::kEnd;
  if (may_block_) {
    pollfd waiting{descriptor_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kPatienceMs) <= 0) return Fill::kNotYet;
  }
  const ssize_t octets = ::read(descriptor_.get(), into.data(), into.size());
  if (octets < 0) {
    if (errno == EINTR || errno == EAGAIN) return Fill::kNotYet;
    fault_ = std::string("cannot be read any further: ") + std::strerror(errno);
    return Fill::kEnd;
  }
  got = static_cast<std::size_t>(octets);
  octets_ += got;
  return got > 0 ? Fill::kMore : Fill::kEnd;
}

GzipStream::GzipStream(std::unique_ptr<OctetStream> packed)
    : packed_(std::move(packed)), chunk_(kPackedOctets), inflater_(std::make_unique<z_stream_s>()) {
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  if (::inflateInit2(inflater_.get(), kGzipOnly) != Z_OK) throw std::bad_alloc();
}

GzipStream::~GzipStream() {
  ::inflateEnd(inflater_.get());
}

Fill GzipStream::end_with(std::string fault) {
  fault_ = std::move(fault);
  ended_ = true;
  return Fill::kEnd;
}

Fill GzipStream::read_packed() {
  std::size_t got = 0;
  const Fill fill = packed_->read(chunk_, got);
  inflater_->next_in = chunk_.data();
  inflater_->avail_in = static_cast<uInt>(got);
  return fill;
}

// After a member: another one, or (as gzip itself does) anything else is ignored.
bool GzipStream::begin_next_member() {
  constexpr std::uint8_t kFirstOctet = 0x1f;
  if (*inflater_->next_in != kFirstOctet) return false;
  between_members_ = false;
  return ::inflateReset(inflater_.get()) == Z_OK;
}

Fill GzipStream::read(std::span<std::uint8_t> into, std::size_t& got) {
  got = 0;
  while (!ended_) {
    if (inflater_->avail_in == 0) {
      const Fill fill = read_packed();
      if (fill == Fill::kNotYet) return fill;
      if (fill == Fill::kEnd) {
        if (!packed_->fault().empty()) return end_with(packed_->fault());
        return end_with(between_members_ ? "" : "the gzip data end early");
      }
    }
    if (between_members_ && !begin_next_member()) return end_with("");
    inflater_->next_out = into.data();
    inflater_->avail_out = static_cast<uInt>(into.size());
    const int result = ::inflate(inflater_.get(), Z_NO_FLUSH);
    got = into.size() - inflater_->avail_out;
    if (result == Z_STREAM_END) {
      between_members_ = true;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      const char* why = inflater_->msg != nullptr ? inflater_->msg : "no gzip data";
      end_with(std::string("the gzip data are damaged (") + why + ")");
    }
    if (got > 0) return Fill::kMore;
  }
  return Fill::kEnd;
}

}  // namespace wiretally
