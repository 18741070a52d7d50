// SPDX-License-Identifier: Apache-2.0
// Loads of wire integers, and wire integers as members of header layouts: they are arrays of
// octets, so a layout has alignment 1 and no holes, and reading a value names its byte order.
// Thread: any. The caller has checked the bounds.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace wiretally {

static_assert(std::endian::native == std::endian::little, "the meter runs on x86-64");

inline std::uint16_t load_be16(const std::uint8_t* p) {
  std::uint16_t v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap16(v);
}

inline std::uint32_t load_be32(const std::uint8_t* p) {
  std::uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap32(v);
}

inline std::uint64_t load_be64(const std::uint8_t* p) {
  std::uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap64(v);
}

inline std::uint16_t load_le16(const std::uint8_t* p) {
  std::uint16_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline std::uint32_t load_le32(const std::uint8_t* p) {
  std::uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline std::uint64_t load_le64(const std::uint8_t* p) {
  std::uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

struct Be16 {
  std::uint8_t octets[2];
  [[nodiscard]] std::uint16_t value() const { return load_be16(octets); }
};

struct Be32 {
  std::uint8_t octets[4];
  [[nodiscard]] std::uint32_t value() const { return load_be32(octets); }
};

struct Le16 {
  std::uint8_t octets[2];
  [[nodiscard]] std::uint16_t value() const { return load_le16(octets); }
};

struct Le32 {
  std::uint8_t octets[4];
  [[nodiscard]] std::uint32_t value() const { return load_le32(octets); }
};

static_assert(alignof(Be32) == 1 && sizeof(Be32) == 4, "headers stand at any octet of a packet");

}  // namespace wiretally
