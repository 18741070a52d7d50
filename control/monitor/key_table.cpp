// SPDX-License-Identifier: Apache-2.0
// Open addressing over keys that lie one behind the other. Thread: see the header.
#include "control/monitor/key_table.hpp"

#include <emmintrin.h>
#include <wmmintrin.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "dataplane/flow/flow_hash.hpp"

namespace wiretally {
namespace {

constexpr std::size_t kSlotsAtStart = 16;
constexpr std::size_t kBlock = 16;

struct RoundKeys {
  RoundKeys() {
    const FlowHash::Seed seed = FlowHash::random_seed();
    static_assert(sizeof seed >= sizeof round);
    std::memcpy(round, seed.data(), sizeof round);
  }
  __m128i round[3];
};

const RoundKeys& round_keys() {
  static const RoundKeys keys;
  return keys;
}

}  // namespace

KeyTable::KeyTable(std::size_t key_octets) : key_octets_(key_octets), slots_(kSlotsAtStart) {}

void KeyTable::clear() {
  size_ = 0;
  keys_.clear();
  slots_.assign(kSlotsAtStart, {});
}

// Each block goes in with a full AES round behind it, and two more spread the last one.
std::uint32_t KeyTable::hash(const std::uint8_t* key) const {
  const __m128i* const round = round_keys().round;
  __m128i state = round[0];
  for (std::size_t at = 0; at < key_octets_; at += kBlock) {
    std::array<std::uint8_t, kBlock> block{};
    std::memcpy(block.data(), key + at, std::min(kBlock, key_octets_ - at));
    const __m128i octets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block.data()));
    state = _mm_aesenc_si128(_mm_xor_si128(state, octets), round[1]);
  }
  state = _mm_aesenc_si128(_mm_aesenc_si128(state, round[2]), round[1]);
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(state));
}

// Of the key, or the empty slot where it belongs.
std::size_t KeyTable::place_of(const std::uint8_t* key, std::uint32_t tag) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = tag & mask;
  for (; slots_[at].number != kNone; at = (at + 1) & mask) {
    if (slots_[at].tag != tag) continue;
    if (std::memcmp(keys_.data() + slots_[at].number * key_octets_, key, key_octets_) == 0) break;
  }
  return at;
}

std::uint32_t KeyTable::find(const std::uint8_t* key) const {
  return slots_[place_of(key, hash(key))].number;
}

std::uint32_t KeyTable::insert(const std::uint8_t* key) {
  if (2 * (std::size_t{size_} + 1) > slots_.size()) grow();
  const std::uint32_t tag = hash(key);
  slots_[place_of(key, tag)] = {tag, size_};
  keys_.insert(keys_.end(), key, key + key_octets_);
  return size_++;
}

void KeyTable::grow() {
  std::vector<Slot> before(2 * slots_.size());
  before.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : before) {
    if (slot.number == kNone) continue;
    std::size_t at = slot.tag & mask;
    while (slots_[at].number != kNone) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

}  // namespace wiretally
