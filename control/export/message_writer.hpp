// SPDX-License-Identifier: Apache-2.0
// Writes numbers in network order into one message buffer, from the front, never past its end. The
// buffer is zeroed first, so padding and reserved octets can never carry octets of an earlier
// message. A write that does not fit writes nothing and is remembered in overflowed(); encoders ask
// remaining() first, so an overflow is a broken invariant, never a longer datagram. Thread: any
// (one writer per encoder).
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace wiretally {

inline void store_be16(std::uint8_t* p, std::uint16_t v) {
  v = __builtin_bswap16(v);
  std::memcpy(p, &v, sizeof v);
}

inline void store_be32(std::uint8_t* p, std::uint32_t v) {
  v = __builtin_bswap32(v);
  std::memcpy(p, &v, sizeof v);
}

inline void store_be64(std::uint8_t* p, std::uint64_t v) {
  v = __builtin_bswap64(v);
  std::memcpy(p, &v, sizeof v);
}

class MessageWriter {
 public:
  MessageWriter() = default;
  explicit MessageWriter(std::span<std::uint8_t> buffer) : buffer_(buffer) {
    std::memset(buffer_.data(), 0, buffer_.size());
  }

  [[nodiscard]] std::size_t size() const { return used_; }
  [[nodiscard]] std::size_t remaining() const { return buffer_.size() - used_; }
  [[nodiscard]] bool overflowed() const { return overflowed_; }

  void write8(std::uint8_t v) {
    if (std::uint8_t* p = reserve(1)) *p = v;
  }
  void write16(std::uint16_t v) {
    if (std::uint8_t* p = reserve(2)) store_be16(p, v);
  }
  void write32(std::uint32_t v) {
    if (std::uint8_t* p = reserve(4)) store_be32(p, v);
  }
  void write64(std::uint64_t v) {
    if (std::uint8_t* p = reserve(8)) store_be64(p, v);
  }
  // The low `octets` (1 to 8) octets of `v`: reduced-size encoding, RFC 7011 section 6.2.
  void write_unsigned(std::uint64_t v, std::size_t octets) {
    std::uint8_t* p = reserve(octets);
    for (std::size_t i = 0; p != nullptr && i < octets; ++i) {
      p[i] = static_cast<std::uint8_t>(v >> (8 * (octets - 1 - i)));
    }
  }
  // Fixed-length text, zero-filled. Cut at a UTF-8 character, never inside one.
  void write_text(std::string_view text, std::size_t octets) {
    std::size_t length = std::min(text.size(), octets);
    while (length < text.size() && length > 0 && (text[length] & 0xc0) == 0x80) --length;
    if (std::uint8_t* p = reserve(octets)) std::memcpy(p, text.data(), length);
  }
  // Room for `octets` that the caller fills; nullptr if they do not fit.
  std::uint8_t* reserve(std::size_t octets) {
    if (octets > remaining()) {
      overflowed_ = true;
      return nullptr;
    }
    std::uint8_t* p = buffer_.data() + used_;
    used_ += octets;
    return p;
  }
  // Overwrites what was written before, at `offset` from the front of the message.
  void patch16(std::size_t offset, std::uint16_t v) {
    if (offset + 2 <= used_) store_be16(buffer_.data() + offset, v);
  }
  void patch32(std::size_t offset, std::uint32_t v) {
    if (offset + 4 <= used_) store_be32(buffer_.data() + offset, v);
  }

 private:
  std::span<std::uint8_t> buffer_;
  std::size_t used_ = 0;
  bool overflowed_ = false;
};

}  // namespace wiretally
