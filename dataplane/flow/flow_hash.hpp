// SPDX-License-Identifier: Apache-2.0
// Keyed hash of a Flow Key: AES rounds (AES-NI) over the key's three blocks, with round keys drawn
// at start, so that nobody outside can choose keys that collide (hash flooding). The hash only
// places an entry; the whole key decides. CRC32C and Toeplitz are linear and are never used as an
// index. Workers and control share one FlowHash: the top bits of the hash name the shard in every
// table. Fields that are no part of a flow's identity (flows.key) do not enter the hash: whatever
// VLAN or port a flow is seen at, its entries meet in one shard and become one flow there. Thread:
// any (immutable). Needs a CPU with AES-NI (checked at start).
#pragma once

#include <emmintrin.h>
#include <wmmintrin.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <span>

#include "dataplane/flow/flow_attributes.hpp"
#include "dataplane/packet/parsed_packet.hpp"

namespace wiretally {

class FlowHash {
 public:
  using Seed = std::array<std::uint64_t, 8>;

  // Which of the fields that only label a flow by default are part of its identity.
  struct Identity {
    bool vlan = false;
    bool ingress = false;
  };

  FlowHash(const Seed& seed, Identity identity);

  static Seed random_seed();  // from the kernel's generator
  static Seed fixed_seed();   // `read`: the same capture gives the same output

  [[nodiscard]] std::uint64_t operator()(const FlowKey& key) const {
    const auto* p = reinterpret_cast<const std::uint8_t*>(&key);
    const __m128i source = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i destination = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16));
    const __m128i rest =
        _mm_and_si128(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + 32)), identity_);
    // Two rounds spread an octet over the whole block; ports, the last to enter, see three.
    __m128i state = _mm_aesenc_si128(_mm_xor_si128(round_[0], source), round_[1]);
    state = _mm_aesenc_si128(_mm_xor_si128(state, destination), round_[2]);
    state = _mm_aesenc_si128(_mm_xor_si128(state, rest), round_[3]);
    state = _mm_aesenc_si128(state, round_[1]);
    state = _mm_aesenc_si128(state, round_[2]);
    return static_cast<std::uint64_t>(_mm_cvtsi128_si64(state));
  }

  // flows.key: macs. The hash of a key, with the MAC addresses of its flow; without any, the same.
  [[nodiscard]] std::uint64_t with_link(std::uint64_t hash, const FlowAttributes& flow) const {
    std::uint64_t macs[2] = {};
    std::memcpy(macs, flow.destination_mac.data(), 2 * sizeof(MacAddress));
    if ((macs[0] | macs[1]) == 0) return hash;
    const __m128i link = _mm_set_epi64x(static_cast<long long>(macs[1] ^ hash << 32),
                                        static_cast<long long>(macs[0]));
    const __m128i key = _mm_set1_epi64x(static_cast<long long>(hash));
    __m128i state = _mm_aesenc_si128(_mm_xor_si128(round_[0], link), round_[1]);
    state = _mm_aesenc_si128(_mm_xor_si128(state, key), round_[2]);
    state = _mm_aesenc_si128(state, round_[3]);
    return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_aesenc_si128(state, round_[1])));
  }

  // One phase of the burst: independent chains, so the rounds of several packets overlap.
  void hash_all(std::span<const ParsedPacket> packets, std::uint64_t* hashes) const {
    for (std::size_t i = 0; i < packets.size(); ++i) hashes[i] = (*this)(packets[i].key);
  }

 private:
  __m128i round_[4];
  __m128i identity_;  // mask of the key's last eight octets
};

}  // namespace wiretally
