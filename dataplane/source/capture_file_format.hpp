// SPDX-License-Identifier: Apache-2.0
// What a capture format's reader looks like to CaptureFile: octets of a window to packet views, and
// why it stopped. Two readers exist: classic pcap and pcapng. One virtual call a burst, none a
// packet. Thread: worker. No allocation per packet, no exception; texts are made in
// capture_file.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dataplane/packet/packet_view.hpp"
#include "dataplane/source/capture_file_window.hpp"

namespace wiretally {

// The most octets of a packet any writer keeps (libpcap's MAXIMUM_SNAPLEN, Wireshark's limit too).
// A record that claims more is damage. The length on the wire is not bounded by it.
inline constexpr std::uint32_t kCapturedOctetsMax = 256 * 1024;

// Sequential readers gain from asking for what comes next; ten to fifteen small packets ahead.
inline constexpr std::ptrdiff_t kPrefetchOctets = 1024;

enum class CaptureFault : std::uint8_t {
  kNone,
  kCapturedLength,  // value: captured octets, more than any packet's
  kBlockLength,     // value: block length no block of its type can have
  kBlockTrailer,    // value: length at the end of a block, which differs from the one at its start
  kNoInterface,     // value: interface id without a description before it
  kSectionHeader,   // value: what stands in the place of the byte-order magic
  kSectionVersion,  // value: major version
  kTooManyInterfaces,  // value: how many fit
};

class CaptureFormat {
 public:
  virtual ~CaptureFormat() = default;

  // Views of the next packets, at most views.size(). 0: see fault(); if it is kNone, the next
  // record needs octets_needed() octets in the window.
  virtual std::size_t poll(ByteWindow& window, std::span<PacketView> views) = 0;
  // True if a file may end before the octets the window now begins with.
  [[nodiscard]] virtual bool between_records() const { return true; }

  // False where a file holds more than packets.
  [[nodiscard]] virtual bool records_are_packets() const { return true; }

  [[nodiscard]] CaptureFault fault() const { return fault_; }
  [[nodiscard]] std::uint32_t fault_value() const { return fault_value_; }
  [[nodiscard]] std::size_t octets_needed() const { return octets_needed_; }

 protected:
  void set_fault(CaptureFault fault, std::uint32_t value) {
    fault_ = fault;
    fault_value_ = value;
  }
  std::size_t octets_needed_ = 0;

 private:
  CaptureFault fault_ = CaptureFault::kNone;
  std::uint32_t fault_value_ = 0;
};

}  // namespace wiretally
