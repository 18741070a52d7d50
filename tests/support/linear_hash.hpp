// SPDX-License-Identifier: Apache-2.0
// Keys that collide under a linear hash, as an attacker would choose them: CRC32C and Toeplitz
// (RSS) of 64 bits, and a basis of all choices that leave such a hash as it is. Thread: any.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <vector>

namespace wiretally {

// Of 64 chosen bits; the rest of what is hashed stays the same.
using LinearHash = std::function<std::uint32_t(std::uint64_t chosen)>;

inline std::uint32_t crc32c(std::uint64_t chosen) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (int octet = 7; octet >= 0; --octet) {
    crc ^= static_cast<std::uint8_t>(chosen >> 8 * octet);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78U : 0U);
  }
  return ~crc;
}

inline std::uint32_t toeplitz(std::uint64_t chosen) {  // RSS with Microsoft's well-known key
  static constexpr std::uint8_t kKey[] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2,
                                          0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0};
  std::uint32_t sum = 0;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if ((chosen >> (63 - bit) & 1) == 0) continue;
    for (unsigned k = 0; k < 32; ++k) {
      const unsigned at = bit + k;
      sum ^= static_cast<std::uint32_t>(kKey[at / 8] >> (7 - at % 8) & 1) << (31 - k);
    }
  }
  return sum;
}

// Gauss: every sum of these 32 vectors, or more, leaves the hash as it is.
inline std::vector<std::uint64_t> null_space(const LinearHash& linear) {
  struct Row {
    std::uint32_t image;
    std::uint64_t chosen;
  };
  std::vector<Row> pivots;
  std::vector<std::uint64_t> kernel;
  for (unsigned bit = 0; bit < 64; ++bit) {
    Row row{linear(std::uint64_t{1} << bit) ^ linear(0), std::uint64_t{1} << bit};
    for (const Row& pivot : pivots) {
      if ((row.image & std::bit_floor(pivot.image)) == 0) continue;
      row.image ^= pivot.image;
      row.chosen ^= pivot.chosen;
    }
    if (row.image == 0) {
      kernel.push_back(row.chosen);
    } else {
      pivots.push_back(row);
    }
  }
  return kernel;
}

// Choice number `i`: the vectors that its bits name, added.
inline std::uint64_t combine(const std::vector<std::uint64_t>& basis, std::uint32_t i) {
  std::uint64_t sum = 0;
  for (unsigned bit = 0; bit < 32; ++bit) sum ^= (i >> bit & 1) != 0 ? basis[bit] : 0;
  return sum;
}

}  // namespace wiretally
