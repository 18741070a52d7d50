// SPDX-License-Identifier: Apache-2.0
// pcapng files (draft-ietf-opsawg-pcapng): any number of sections in either byte order, any number
// of interfaces, each with its link type and clock. Packets are the Enhanced, the Simple (no time:
// 0) and the obsolete Packet Blocks; every other block, custom ones too, is stepped over. Thread:
// worker. Data: ByteWindow -> PcapngFormat -> views.
#pragma once

#include <cstdint>
#include <vector>

#include "dataplane/source/capture_file_format.hpp"

namespace wiretally {

// The clock of one interface: units of its 64-bit stamps (if_tsresol), and their start
// (if_tsoffset).
class PcapngClock {
 public:
  PcapngClock() { set_resolution(kMicroseconds); }
  // Section 4.2: 10^-n seconds, or 2^-n if the high bit is set.
  void set_resolution(std::uint8_t tsresol);
  void set_offset_s(std::int64_t seconds);
  // Nanoseconds since the epoch; what no TimeNs can hold becomes the nearest it can.
  [[nodiscard]] TimeNs to_ns(std::uint64_t stamp) const {
    TimeNs ns;
    if (!plain_ || __builtin_mul_overflow(stamp, multiplier_, &ns)) [[unlikely]]
      return to_ns_slowly(stamp);
    return ns;
  }

 private:
  static constexpr std::uint8_t kMicroseconds = 6;
  static constexpr std::uint8_t kNanoseconds = 9;
  static constexpr std::uint8_t kBinary = 0x80;

  [[nodiscard]] TimeNs to_ns_slowly(std::uint64_t stamp) const;

  std::uint8_t tsresol_ = kMicroseconds;
  bool plain_ = true;  // decimal, not finer than nanoseconds, no offset: one multiplication
  std::uint64_t multiplier_ = 1000;
  std::int64_t offset_s_ = 0;
};

class PcapngFormat final : public CaptureFormat {
 public:
  static constexpr std::uint32_t kSectionHeaderType = 0x0a0d0d0a;
  static constexpr std::size_t kSectionHeaderOctetsMin = 28;
  // Blocks that must be in memory at once: packets, descriptions. Others may have any length.
  static constexpr std::size_t kBlockOctetsMax = 16u << 20;
  static constexpr std::size_t kInterfacesMax = 65536;  // in one section

  explicit PcapngFormat(PortIndex port) : port_(port) {}
  std::size_t poll(ByteWindow& window, std::span<PacketView> views) override;
  [[nodiscard]] bool between_records() const override { return skip_octets_ == 0; }
  [[nodiscard]] bool records_are_packets() const override { return false; }

 private:
  struct Interface {
    LinkType link_type{};
    std::uint32_t snap_octets = 0;  // 0: no limit
    PcapngClock clock;
  };
  struct Block {
    const std::uint8_t* at = nullptr;
    std::size_t octets = 0;  // with its padding
    std::uint32_t type = 0;
    std::uint32_t length = 0;  // as written
  };
  enum class Step : std::uint8_t { kPacket, kDone, kStop };

  Step next_block(const std::uint8_t*& at, const std::uint8_t* end, PacketView& view);
  Step skip(const std::uint8_t*& at, const std::uint8_t* end);
  bool read_block_head(const std::uint8_t* at, std::size_t left, Block& block);
  bool hold_whole(const Block& block, std::size_t left, std::size_t octets_min);
  bool read_packet(const Block& block, PacketView& view);
  bool read_simple_packet(const Block& block, PacketView& view);
  bool begin_section(const Block& block);
  bool describe_interface(const Block& block);
  void read_interface_options(const std::uint8_t* at, const std::uint8_t* end,
                              Interface& out) const;
  bool fail(CaptureFault fault, std::uint32_t value);

  [[nodiscard]] std::uint16_t u16(const std::uint8_t* p) const;
  [[nodiscard]] std::uint32_t u32(const std::uint8_t* p) const;
  [[nodiscard]] std::uint64_t u64(const std::uint8_t* p) const;

  PortIndex port_;
  bool swapped_ = false;
  std::vector<Interface> interfaces_;
  std::uint64_t skip_octets_ = 0;  // left of a block that is stepped over, its trailer included
  std::uint32_t skip_length_ = 0;  // what the trailer must say
};

}  // namespace wiretally
