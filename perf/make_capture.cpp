// SPDX-License-Identifier: Apache-2.0
// Writes a capture for read_peers: Ethernet frames of a given number of flows, one a microsecond,
// each frame cut to 96 octets, and says the truth about it (packets, IP octets, flows) on standard
// output as one JSON line. The same arguments give the same file. Thread: one.
#include <fmt/core.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "dataplane/packet/byte_order.hpp"
#include "perf/lab/traffic.hpp"

namespace wiretally::perf {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the pcap header is written as it stands");

struct FileHeader {  // classic pcap, microseconds
  std::uint32_t magic = 0xa1b2c3d4;
  std::uint16_t major = 2;
  std::uint16_t minor = 4;
  std::uint32_t zone = 0;
  std::uint32_t accuracy = 0;
  std::uint32_t snap = 65535;
  std::uint32_t link_type = 1;
};
static_assert(sizeof(FileHeader) == 24);

struct RecordHeader {
  std::uint32_t seconds;
  std::uint32_t microseconds;
  std::uint32_t captured;
  std::uint32_t wire;
};
static_assert(sizeof(RecordHeader) == 16);

constexpr std::size_t kSnap = 96;
constexpr std::uint32_t kStart = 1'700'000'000;

// Simple IMIX, 7:4:1 of 64, 594 and 1518 octets with FCS; the frame as captured has none.
std::uint32_t imix_octets(std::uint64_t packet) {
  const std::uint64_t place = packet * 5 % 12;
  return place < 7 ? 60 : place < 11 ? 590 : 1514;
}

// Octets of the IP packet in `frame`, by its own length field, set to fill `wire` octets.
std::uint32_t stretch(std::uint8_t* frame, std::uint32_t wire) {
  constexpr std::uint32_t kEthernet = 14;
  std::uint8_t* ip = frame + kEthernet;
  const bool ipv6 = ip[0] >> 4 == 6;
  const std::uint32_t total = wire - kEthernet;
  const std::uint32_t field = ipv6 ? total - 40 : total;
  std::uint8_t* at = ip + (ipv6 ? 4 : 2);
  at[0] = static_cast<std::uint8_t>(field >> 8);
  at[1] = static_cast<std::uint8_t>(field);
  return total;
}

int write_capture(const char* path, std::uint64_t packets, std::uint32_t flows, Pattern pattern,
                  bool imix, unsigned ipv6_percent) {
  std::FILE* file = std::fopen(path, "wb");
  if (file == nullptr) throw std::runtime_error(std::string(path) + ": " + std::strerror(errno));
  const FileHeader header;
  std::fwrite(&header, sizeof header, 1, file);
  FlowStream stream(pattern, flows, 1);
  FrameArena arena;
  std::vector<bool> seen(flows);
  FrameMix mix;
  mix.ipv6_percent = ipv6_percent;
  std::uint64_t octets = 0;
  std::uint64_t distinct = 0;
  for (std::uint64_t i = 0; i < packets; ++i) {
    const std::uint32_t flow = stream.next();
    if (!seen[flow]) ++distinct;
    seen[flow] = true;
    const PacketView& view = arena.fill_range(flow, 1, mix)[0];
    std::uint8_t frame[kSnap] = {};
    std::memcpy(frame, view.data, view.captured);
    const std::uint32_t wire = std::max(view.wire_octets, imix ? imix_octets(i) : 0);
    octets += stretch(frame, wire);
    const std::uint32_t captured = std::min<std::uint32_t>(wire, kSnap);
    const RecordHeader record{kStart + static_cast<std::uint32_t>(i / 1'000'000),
                              static_cast<std::uint32_t>(i % 1'000'000), captured, wire};
    std::fwrite(&record, sizeof record, 1, file);
    std::fwrite(frame, captured, 1, file);
  }
  const bool failed = std::ferror(file) != 0;
  if (std::fclose(file) != 0 || failed)
    throw std::runtime_error(std::string(path) + ": not written");
  fmt::print("{{\"packets\": {}, \"octets\": {}, \"flows\": {}}}\n", packets, octets, distinct);
  return 0;
}

}  // namespace
}  // namespace wiretally::perf

int main(int argc, char** argv) {
  if (argc != 7) {
    fmt::print(stderr,
               "make_capture FILE PACKETS FLOWS uniform|zipf|trains|new 64|imix IPV6_PERCENT\n");
    return 2;
  }
  try {
    return wiretally::perf::write_capture(
        argv[1], std::stoull(argv[2]), static_cast<std::uint32_t>(std::stoul(argv[3])),
        wiretally::perf::pattern_of(argv[4]), std::string(argv[5]) == "imix",
        static_cast<unsigned>(std::stoul(argv[6])));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 3;
  }
}
