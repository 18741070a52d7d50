// SPDX-License-Identifier: Apache-2.0
// Compares two keys with what the CPU has beyond x86-64-v2, asked once, when a table is made; all
// else is built for the baseline. With AVX2 counting is 1.02 to 1.03 times as fast while the table
// fits L2, and as fast as without beyond; AVX-512 brought nothing (1.00) and is there for CPUs on
// which somebody measures otherwise (perf/). Thread: any (no state).
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "dataplane/flow/flow_key.hpp"

namespace wiretally {

enum class Instructions : std::uint8_t { kSse, kAvx2, kAvx512 };

// The most that this CPU has and its system lets us use.
inline Instructions instructions_of_cpu() {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw")) {
    return Instructions::kAvx512;
  }
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
  return avx2 ? Instructions::kAvx2 : Instructions::kSse;
}

// Those that pay.
inline Instructions instructions_to_use() {
  return std::min(instructions_of_cpu(), Instructions::kAvx2);
}

struct SseCompare {
  static bool same(const FlowKey& a, const FlowKey& b) { return a == b; }
};

// Both addresses in one compare.
struct Avx2Compare {
  [[gnu::target("avx2")]] static bool same(const FlowKey& a, const FlowKey& b) {
    const auto* p = reinterpret_cast<const std::uint8_t*>(&a);
    const auto* q = reinterpret_cast<const std::uint8_t*>(&b);
    const __m256i differ =
        _mm256_xor_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
                         _mm256_loadu_si256(reinterpret_cast<const __m256i*>(q)));
    std::uint64_t rest_a;
    std::uint64_t rest_b;
    std::memcpy(&rest_a, p + 32, sizeof rest_a);
    std::memcpy(&rest_b, q + 32, sizeof rest_b);
    return (_mm256_testz_si256(differ, differ) != 0) & (rest_a == rest_b);
  }
};

// The whole key: five of its line's eight words.
struct Avx512Compare {
  [[gnu::target("avx512f")]] static bool same(const FlowKey& a, const FlowKey& b) {
    constexpr __mmask8 kKey = 0x1f;
    return _mm512_mask_cmpneq_epi64_mask(kKey, _mm512_maskz_loadu_epi64(kKey, &a),
                                         _mm512_maskz_loadu_epi64(kKey, &b)) == 0;
  }
};

}  // namespace wiretally
