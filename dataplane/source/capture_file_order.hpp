// SPDX-License-Identifier: Apache-2.0
// Loads for capture files, which are written in the order of the machine that wrote them: ours, or
// swapped. Thread: any. The caller has checked the bounds.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace wiretally {

inline std::uint16_t load_host16(const std::uint8_t* p) {
  std::uint16_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline std::uint32_t load_host32(const std::uint8_t* p) {
  std::uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline std::uint64_t load_host64(const std::uint8_t* p) {
  std::uint64_t v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

inline std::uint16_t load_ordered16(const std::uint8_t* p, bool swapped) {
  const std::uint16_t v = load_host16(p);
  return swapped ? __builtin_bswap16(v) : v;
}

inline std::uint32_t load_ordered32(const std::uint8_t* p, bool swapped) {
  const std::uint32_t v = load_host32(p);
  return swapped ? __builtin_bswap32(v) : v;
}

inline std::uint64_t load_ordered64(const std::uint8_t* p, bool swapped) {
  const std::uint64_t v = load_host64(p);
  return swapped ? __builtin_bswap64(v) : v;
}

}  // namespace wiretally
