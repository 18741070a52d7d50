// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any octets as a recording, read once mapped and once through a pipe. Whatever
// they are, both ways give the same packets and the same end, and every octet of every view may be
// read. Run: capture_file_fuzz -dict=capture_file.dict CORPUS-DIRECTORY
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "config/startup_error.hpp"
#include "dataplane/source/capture_file.hpp"

namespace {

using wiretally::CaptureFile;
using wiretally::PacketView;

constexpr std::size_t kOctetsMax = 1u << 20;  // what a pipe holds

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// What a reading came to; equal for equal octets, however they arrive.
struct Outcome {
  bool refused = false;
  bool damaged = false;
  std::uint64_t packets = 0;
  std::uint64_t checksum = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void add(Outcome& outcome, const PacketView& view) {
  constexpr std::uint64_t kPrime = 0x100000001b3;
  const auto mix = [&](std::uint64_t v) { outcome.checksum = (outcome.checksum ^ v) * kPrime; };
  for (const std::uint8_t octet : std::span(view.data, view.captured)) mix(octet);
  mix(view.captured);
  mix(view.wire_octets);
  mix(static_cast<std::uint64_t>(view.time));
  mix(static_cast<std::uint64_t>(view.link_type));
  ++outcome.packets;
}

Outcome read(int fd) {
  Outcome outcome;
  try {
    CaptureFile file("/proc/self/fd/" + std::to_string(fd), wiretally::PortIndex{});
    std::array<PacketView, wiretally::kBurstMax> views;
    while (!file.exhausted()) {
      const std::size_t count = file.poll(views);
      for (const PacketView& view : std::span(views).first(count)) add(outcome, view);
    }
    require(file.packets() == outcome.packets, "packets() is what poll() gave");
    outcome.damaged = !file.damage().empty();
  } catch (const wiretally::StartupError&) {
    outcome.refused = true;
  }
  return outcome;
}

void write_all(int fd, std::span<const std::uint8_t> octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(fd, octets.data(), octets.size());
    require(written > 0, "the octets can be written");
    octets = octets.subspan(static_cast<std::size_t>(written));
  }
}

Outcome read_mapped(std::span<const std::uint8_t> octets) {
  const int fd = ::memfd_create("recording", MFD_CLOEXEC);
  write_all(fd, octets);
  const Outcome outcome = read(fd);
  ::close(fd);
  return outcome;
}

Outcome read_piped(std::span<const std::uint8_t> octets) {
  std::array<int, 2> ends{};
  require(::pipe2(ends.data(), O_CLOEXEC) == 0, "a pipe can be made");
  ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(kOctetsMax));
  write_all(ends[1], octets);
  ::close(ends[1]);
  const Outcome outcome = read(ends[0]);
  ::close(ends[0]);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > kOctetsMax) return 0;
  const std::span octets(data, size);
  require(read_mapped(octets) == read_piped(octets), "mapped and piped agree");
  return 0;
}
