// SPDX-License-Identifier: Apache-2.0
// Numbers for keys of one length: the first key is 0, the next 1, and so on; nothing is taken out.
// Hashed by AES rounds with a seed drawn at start, so that nobody outside can choose keys that
// collide. Thread: one writer, or any number of readers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace wiretally {

class KeyTable {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  explicit KeyTable(std::size_t key_octets);

  // kNone: it is not in.
  [[nodiscard]] std::uint32_t find(const std::uint8_t* key) const;
  // The key is not in yet.
  std::uint32_t insert(const std::uint8_t* key);
  [[nodiscard]] std::span<const std::uint8_t> key(std::uint32_t number) const {
    return std::span(keys_).subspan(number * key_octets_, key_octets_);
  }
  [[nodiscard]] std::uint32_t size() const { return size_; }
  void clear();

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t number = kNone;
  };

  [[nodiscard]] std::uint32_t hash(const std::uint8_t* key) const;
  [[nodiscard]] std::size_t place_of(const std::uint8_t* key, std::uint32_t tag) const;
  void grow();

  std::size_t key_octets_;
  std::uint32_t size_ = 0;
  std::vector<std::uint8_t> keys_;
  std::vector<Slot> slots_;  // a power of two, at most half full
};

}  // namespace wiretally
