// SPDX-License-Identifier: Apache-2.0
// One packet as a source shows it: where its octets are, how long it was on the wire, when and at
// which Observation Point it was seen. A view owns nothing; it is good until the source's
// release(). Thread: worker.
#pragma once

#include <cstdint>

namespace wiretally {

// Meter time: nanoseconds. For captures the packets' own clock (Unix epoch, UTC); live, the
// machine's monotonic clock anchored to UTC at start (see clock.hpp).
using TimeNs = std::int64_t;

inline constexpr TimeNs kNsPerSecond = 1'000'000'000;

// Index of the port (Observation Point, RFC 7011 section 2) in configuration order.
enum class PortIndex : std::uint8_t {};
inline constexpr std::size_t kPortsMax = 64;

// LINKTYPE_ numbers as registered with tcpdump.org; any other value may arrive from a file.
enum class LinkType : std::uint16_t {
  kNull = 0,
  kEthernet = 1,
  kTokenRing = 6,
  kArcnet = 7,
  kPpp = 9,
  kFddi = 10,
  kRawBsd = 12,
  kRawOpenBsd = 14,
  kPppSerial = 50,
  kPppEther = 51,
  kAtmRfc1483 = 100,
  kRaw = 101,
  kCiscoHdlc = 104,
  kIeee80211 = 105,
  kFrameRelay = 107,
  kLoop = 108,
  kLinuxSll = 113,
  kIeee80211Prism = 119,
  kIpOverFibreChannel = 122,
  kSunAtm = 123,
  kIeee80211Radiotap = 127,
  kArcnetLinux = 129,
  kIpOver1394 = 138,
  kIeee80211Avs = 163,
  kPppWithDirection = 166,
  kJuniperEthernet = 178,
  kPpi = 192,
  kPppWithDirectionHdlc = 204,
  kCiscoHdlcWithDirection = 205,
  kFrameRelayWithDirection = 206,
  kIpnet = 226,
  kIpv4 = 228,
  kIpv6 = 229,
  kNflog = 239,
  kNetAnalyzer = 240,
  kIpOverInfiniband = 242,
  kEthernetWithPreamble = 274,
  kLinuxSll2 = 276,
  kBroadcomTag = 281,
  kBroadcomTagPrepended = 282,
};

struct PacketView {
  const std::uint8_t* data = nullptr;
  std::uint32_t captured = 0;  // octets that may be read at `data`
  std::uint32_t wire_octets =
      0;  // octets of the frame on the wire, without FCS; may exceed captured
  TimeNs time = 0;
  LinkType link_type = LinkType::kEthernet;
  PortIndex port{};
};
static_assert(sizeof(PacketView) == 32, "two views share a cache line in the burst array");

// Packets a source hands over at most at once; every per-burst array has this many places.
inline constexpr std::size_t kBurstMax = 64;

}  // namespace wiretally
