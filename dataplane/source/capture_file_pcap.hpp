// SPDX-License-Identifier: Apache-2.0
// Classic pcap files (draft-ietf-opsawg-pcap): microseconds or nanoseconds, either byte order, and
// Kuznetzov's variant with 24-octet record headers. Lengths and times are taken as recorded: the
// FCS a link type may announce is part of the recorded length, and seconds are unsigned (until
// 2106). Thread: worker. Data: ByteWindow -> PcapFormat -> views.
#pragma once

#include <cstdint>
#include <optional>

#include "dataplane/source/capture_file_format.hpp"

namespace wiretally {

class PcapFormat final : public CaptureFormat {
 public:
  static constexpr std::size_t kFileHeaderOctets = 24;

  struct Header {
    bool swapped = false;           // the other byte order than ours
    std::uint32_t fraction_ns = 1;  // nanoseconds in one unit of the fraction of a second
    std::size_t record_header_octets = 16;
    std::uint16_t version_major = 0;
    std::uint16_t version_minor = 0;
    LinkType link_type{};
    // Writers before version 2.3 swapped the two lengths of a record, 2.3 did so sometimes.
    [[nodiscard]] bool lengths_swapped() const;
    [[nodiscard]] bool lengths_perhaps_swapped() const;
  };

  // `octets` holds kFileHeaderOctets. Nothing if the magic number is not one of pcap's.
  static std::optional<Header> read_header(const std::uint8_t* octets);

  PcapFormat(const Header& header, PortIndex port) : header_(header), port_(port) {}
  std::size_t poll(ByteWindow& window, std::span<PacketView> views) override;

 private:
  template <bool kSwapped>
  std::size_t poll_records(ByteWindow& window, std::span<PacketView> views);
  void sort_lengths(PacketView& view) const;

  Header header_;
  PortIndex port_;
};

}  // namespace wiretally
