// SPDX-License-Identifier: Apache-2.0
// Draws flows and writes their frames. Thread: the bench's only one.
#include "perf/lab/traffic.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "dataplane/packet/byte_order.hpp"
#include "tests/support/linear_hash.hpp"

namespace wiretally::perf {
namespace {

constexpr unsigned kTrainMean = 8;
constexpr std::uint32_t kChurnShare = 10;
constexpr std::array<std::string_view, 5> kPatternNames = {"uniform", "zipf", "trains", "churn",
                                                           "new"};

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

constexpr std::size_t kShim = 16;  // 802.1ad, 802.1Q, two labels
constexpr std::size_t kTemplateOctets = kEthernet + kShim + 60;
constexpr std::array<std::uint16_t, 12> kImixFrames = {60, 60,  60,  60,  60,  60,
                                                       60, 590, 590, 590, 590, 1514};

// Frames with everything in place but addresses, ports and length.
struct Templates {
  std::array<std::array<std::uint8_t, kTemplateOctets>, 4> plain{};  // [ipv6 * 2 + tcp]
  std::array<std::array<std::uint8_t, kTemplateOctets>, 4> encapsulated{};

  Templates() {
    for (unsigned kind = 0; kind < 4; ++kind) {
      std::uint8_t* p = plain[kind].data();
      const bool ipv6 = (kind & 2) != 0;
      p[0] = p[6] = 2;
      put16(p + 12, ipv6 ? 0x86dd : 0x0800);
      write_ip(p + kEthernet, ipv6, (kind & 1) != 0);
      std::uint8_t* q = encapsulated[kind].data();
      q[0] = q[6] = 2;
      put32(q + 12, 0x88a80007);
      put32(q + 16, 0x81000008);
      put16(q + 20, 0x8847);
      put32(q + 22, 100U << 12 | 64);
      put32(q + 26, 200U << 12 | 0x100 | 64);
      write_ip(q + kEthernet + kShim, ipv6, (kind & 1) != 0);
    }
  }

  static void write_ip(std::uint8_t* ip, bool ipv6, bool tcp) {
    std::uint8_t* transport = ip + (ipv6 ? 40 : 20);
    if (ipv6) {
      ip[0] = 0x60;
      ip[6] = tcp ? 6 : 17;
      ip[7] = 64;
      put32(ip + 8, 0x20010db8);
      put32(ip + 24, 0x20010db8);
    } else {
      ip[0] = 0x45;
      ip[8] = 64;
      ip[9] = tcp ? 6 : 17;
    }
    if (tcp) {
      transport[12] = 0x50;
      transport[13] = 0x10;
    }
  }
};

}  // namespace

Pattern pattern_of(std::string_view name) {
  const auto found = std::find(kPatternNames.begin(), kPatternNames.end(), name);
  if (found == kPatternNames.end()) {
    throw std::invalid_argument("no traffic '" + std::string(name) +
                                "'; there are uniform, zipf, trains, churn, new");
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
    case Pattern::kChurn:
      return static_cast<std::uint32_t>(drawn_++ * flows_ / kChurnShare / kPacketsPerSecond10G) +
             uniform();
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
  const bool crafted = !mix.crafted.empty();
  const bool ipv6 = !crafted && random % 100 < mix.ipv6_percent;
  const bool tcp = !crafted && (random >> 40 & 1) != 0;
  const std::size_t shim = mix.encapsulated ? kShim : 0;
  std::uint8_t* p = first_slot_ + slot * kSlotOctets;
  const auto& frames = mix.encapsulated ? templates.encapsulated : templates.plain;
  std::memcpy(p, frames[ipv6 * 2U + tcp].data(), kTemplateOctets);
  std::uint8_t* ip = p + kEthernet + shim;
  std::uint8_t* transport = ip + (ipv6 ? 40 : 20);
  const auto headers = static_cast<std::size_t>(transport - p) + (tcp ? 20 : 8);
  const std::size_t wanted = mix.imix ? kImixFrames[(slot + flow) % kImixFrames.size()] : kFrameMin;
  const std::size_t octets = std::max(headers, wanted);
  const std::size_t ip_octets = octets - kEthernet - shim;
  const auto destination = static_cast<std::uint32_t>(random >> 8 & 0xffff);
  if (ipv6) {
    put16(ip + 4, static_cast<unsigned>(ip_octets) - 40);
    put32(ip + 20, scatter(flow));
    put32(ip + 36, destination);
  } else {
    put16(ip + 2, static_cast<unsigned>(ip_octets));
    put32(ip + 12, scatter(flow));
    put32(ip + 16, 0xac100000 | destination);
  }
  put16(transport, 1024 + static_cast<unsigned>(random >> 24 & 0x7fff));
  // Not 53: nfpcapd makes a record of every DNS packet.
  put16(transport + 2, (random >> 41 & 1) != 0 ? 443 : 8443);
  if (crafted) {
    const std::uint64_t chosen = combine(mix.crafted, flow);
    put32(ip + 12, static_cast<std::uint32_t>(chosen >> 32));
    put32(ip + 16, 0xac100001);
    put32(transport, static_cast<std::uint32_t>(chosen));
  }
  if (!tcp) put16(transport + 4, static_cast<unsigned>(octets - headers) + 8);
  views_[slot] = PacketView{p,
                            static_cast<std::uint32_t>(std::min(octets, kSlotOctets)),
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
