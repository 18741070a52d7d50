// SPDX-License-Identifier: Apache-2.0
// Keys of the flow hash: drawn from the kernel, or fixed for reproducible reading. Thread: main.
#include "dataplane/flow/flow_hash.hpp"

#include <sys/random.h>

#include <cstdlib>

namespace wiretally {

namespace {

__m128i identity_mask(FlowHash::Identity identity) {
  FlowKey key;
  key.source_port = key.destination_port = 0xffff;
  key.protocol = 0xff;
  key.port = static_cast<PortIndex>(identity.ingress ? 0xff : 0);
  key.vlan_and_kind = identity.vlan ? 0xffff : 0xf000;
  return _mm_loadl_epi64(
      reinterpret_cast<const __m128i*>(reinterpret_cast<const std::uint8_t*>(&key) + 32));
}

}  // namespace

FlowHash::FlowHash(const Seed& seed, Identity identity) : identity_(identity_mask(identity)) {
  for (std::size_t i = 0; i < std::size(round_); ++i) {
    round_[i] = _mm_set_epi64x(static_cast<long long>(seed[2 * i + 1]),
                               static_cast<long long>(seed[2 * i]));
  }
}

FlowHash::Seed FlowHash::random_seed() {
  Seed seed;
  // getrandom of up to 256 octets is never short once the pool is up; it blocks until then.
  if (getrandom(seed.data(), sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) std::abort();
  return seed;
}

FlowHash::Seed FlowHash::fixed_seed() {
  // The fractional digits of pi: nothing up the sleeve.
  return {0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89,
          0x452821e638d01377, 0xbe5466cf34e90c6c, 0xc0ac29b7c97c50dd, 0x3f84d5b5b5470917};
}

}  // namespace wiretally
