// SPDX-License-Identifier: Apache-2.0
// Draws flows and writes their frames. Thread: the bench's only one.
#include "perf/lab/traffic.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "dataplane/packet/byte_order.hpp"

namespace wiretally::perf {
namespace {

constexpr unsigned kTrainMean = 8;
constexpr std::array<std::string_view, 4> kPatternNames = {"uniform", "zipf", "trains", "new"};

std::uint64_t mix64(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// One to one, so that no two flow numbers share an address.
std::uint32_t scatter(std::uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352d;
  x = (x ^ (x >> 15)) * 0x846ca68b;
  return x ^ (x >> 16);
}

void put16(std::uint8_t* at, unsigned value) {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}
void put32(std::uint8_t* at, std::uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value & 0xffff);
}

constexpr std::size_t kEthernet = 14;
constexpr std::size_t kFrameMin = 60;  // 64 on the wire with its FCS
constexpr std::size_t kIpv6TcpFrame = kEthernet + 40 + 20;

// Four frames with everything in place but addresses and ports.
struct Templates {
  std::array<std::array<std::uint8_t, 80>, 4> frames{};  // [ipv6 * 2 + tcp]

  Templates() {
    for (unsigned kind = 0; kind < 4; ++kind) {
      std::uint8_t* p = frames[kind].data();
      const bool ipv6 = (kind & 2) != 0;
      const bool tcp = (kind & 1) != 0;
      p[0] = p[6] = 2;
      put16(p + 12, ipv6 ? 0x86dd : 0x0800);
      std::uint8_t* ip = p + kEthernet;
      std::uint8_t* transport = ip + (ipv6 ? 40 : 20);
      if (ipv6) {
        ip[0] = 0x60;
        put16(ip + 4, tcp ? 20 : 8);
        ip[6] = tcp ? 6 : 17;
        ip[7] = 64;
        put32(ip + 8, 0x20010db8);
        put32(ip + 24, 0x20010db8);
      } else {
        ip[0] = 0x45;
        put16(ip + 2, kFrameMin - kEthernet);
        ip[8] = 64;
        ip[9] = tcp ? 6 : 17;
      }
      if (tcp) {
        transport[12] = 0x50;
        transport[13] = 0x10;
      } else {
        put16(transport + 4, ipv6 ? 8 : kFrameMin - kEthernet - 20);
      }
    }
  }
};

}  // namespace

Pattern pattern_of(std::string_view name) {
  const auto found = std::find(kPatternNames.begin(), kPatternNames.end(), name);
  if (found == kPatternNames.end()) {
    throw std::invalid_argument("no traffic '" + std::string(name) +
                                "'; there are uniform, zipf, trains, new");
  }
  return static_cast<Pattern>(found - kPatternNames.begin());
}

std::string_view name_of(Pattern pattern) {
  return kPatternNames[static_cast<std::size_t>(pattern)];
}

FlowStream::FlowStream(Pattern pattern, std::uint32_t flows, std::uint64_t seed)
    : pattern_(pattern), flows_(flows), state_(mix64(seed + 1)) {}

std::uint64_t FlowStream::draw() {
  state_ += 0x9e3779b97f4a7c15;
  return mix64(state_);
}

// Rejection-inversion (Hoermann and Derflinger 1996) for exponent 1: no table, any number of flows.
std::uint32_t FlowStream::zipf() {
  const double top = std::log(flows_ + 0.5);
  const double bottom = std::log(1.5) - 1.0;
  const double squeeze = 2.0 - std::exp(std::log(2.5) - 0.5);
  for (;;) {
    const double unit = static_cast<double>(draw() >> 11) * 0x1.0p-53;
    const double u = top + unit * (bottom - top);
    const double x = std::exp(u);
    const double k = std::clamp(std::floor(x + 0.5), 1.0, static_cast<double>(flows_));
    if (k - x <= squeeze || u >= std::log(k + 0.5) - 1.0 / k) {
      return static_cast<std::uint32_t>(k) - 1;
    }
  }
}

std::uint32_t FlowStream::next() {
  switch (pattern_) {
    case Pattern::kUniform:
      return uniform();
    case Pattern::kZipf:
      return zipf();
    case Pattern::kTrains:
      if (draw() % kTrainMean == 0) current_ = uniform();
      return current_;
    case Pattern::kNew:
      return current_++;
  }
  return 0;
}

FrameArena::FrameArena() : octets_((kFrames + 1) * kSlotOctets), views_(kFrames) {
  const auto address = reinterpret_cast<std::uintptr_t>(octets_.data());
  first_slot_ = octets_.data() + (kSlotOctets - address % kSlotOctets) % kSlotOctets;
}

void FrameArena::write(std::size_t slot, std::uint32_t flow, const FrameMix& mix) {
  static const Templates templates;
  const std::uint64_t random = mix64(flow + 0x1234567);
  const bool ipv6 = random % 100 < mix.ipv6_percent;
  const bool tcp = (random >> 40 & 1) != 0;
  std::uint8_t* p = first_slot_ + slot * kSlotOctets;
  std::memcpy(p, templates.frames[ipv6 * 2U + tcp].data(), 80);
  std::uint8_t* ip = p + kEthernet;
  const auto destination = static_cast<std::uint32_t>(random >> 8 & 0xffff);
  if (ipv6) {
    put32(ip + 20, scatter(flow));
    put32(ip + 36, destination);
  } else {
    put32(ip + 12, scatter(flow));
    put32(ip + 16, 0xac100000 | destination);
  }
  std::uint8_t* transport = ip + (ipv6 ? 40 : 20);
  put16(transport, 1024 + static_cast<unsigned>(random >> 24 & 0x7fff));
  // Not 53: nfpcapd makes a record of every DNS packet.
  put16(transport + 2, (random >> 41 & 1) != 0 ? 443 : 8443);
  const std::size_t octets = ipv6 && tcp ? kIpv6TcpFrame : ipv6 ? 62 : kFrameMin;
  views_[slot] = PacketView{p,
                            static_cast<std::uint32_t>(octets),
                            static_cast<std::uint32_t>(octets),
                            0,
                            LinkType::kEthernet,
                            PortIndex{0}};
}

void FrameArena::fill(FlowStream& stream, const FrameMix& mix) {
  for (std::size_t slot = 0; slot < kFrames; ++slot) write(slot, stream.next(), mix);
}

std::span<const PacketView> FrameArena::fill_range(std::uint32_t first, std::size_t count,
                                                   const FrameMix& mix) {
  const std::size_t frames = std::min(count, kFrames);
  for (std::size_t slot = 0; slot < frames; ++slot) {
    write(slot, first + static_cast<std::uint32_t>(slot), mix);
  }
  return std::span(views_).first(frames);
}

}  // namespace wiretally::perf
