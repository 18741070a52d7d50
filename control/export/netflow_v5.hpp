// SPDX-License-Identifier: Apache-2.0
// NetFlow v5, and v1, which is v5 without sequence, engine, sampling and autonomous systems: a
// fixed record, IPv4 only, 32-bit counters. A Flow Record with more than 2^32-1 packets or octets
// goes out as several records whose sums are exact, over several messages if need be. IPv6 and
// non-IP records are counted in the tally, never sent. Sequence (v5): records sent before. Times
// are milliseconds of sysUptime; each message's header and records agree on when that began.
// Thread: one link thread.
#pragma once

#include <array>

#include "control/export/message_encoder.hpp"
#include "control/export/message_writer.hpp"

namespace wiretally {

class NetflowV5Encoder final : public MessageEncoder {
 public:
  NetflowV5Encoder(const CollectorConfig& collector, const ExporterInfo& exporter);

  void begin(std::span<std::uint8_t> buffer, TimeNs now) override;
  std::size_t add_announcements(std::size_t from) override { return from; }
  [[nodiscard]] std::size_t announcements() const override { return 0; }
  std::size_t add_records(std::span<const FlowRecord> records, RecordTally& tally) override;
  [[nodiscard]] std::size_t records_in(std::size_t message_octets) const override;
  std::size_t finish() override;
  [[nodiscard]] EncoderPosition position() const override { return position_; }
  void rewind(const EncoderPosition& position) override { position_ = position; }

  static constexpr std::size_t kRecordsMax = 30;
  static constexpr std::size_t kRecordsMaxV1 = 24;

 private:
  struct Times {
    std::int64_t first_ms;
    std::int64_t last_ms;
  };
  // sysUptime 0 and the export time of this message, milliseconds since the epoch.
  struct Clock {
    std::int64_t boot_ms;
    std::int64_t now_ms;
  };

  bool add_pieces(const FlowRecord& record, RecordTally& tally);
  void write_piece(const FlowRecord& record, std::uint64_t piece, std::uint64_t pieces);
  [[nodiscard]] Clock message_clock() const;
  void write_header(const Clock& clock);

  const bool v1_;
  const std::size_t header_octets_;
  const std::size_t records_max_;
  const std::uint16_t engine_;    // engine type and id: the low half of the domain id
  const std::uint16_t sampling_;  // mode and interval
  const std::int64_t start_ms_;

  EncoderPosition position_;
  MessageWriter out_;
  std::uint8_t* message_ = nullptr;
  std::int64_t now_ms_ = 0;
  std::int64_t now_ns_part_ = 0;
  std::size_t count_ = 0;
  std::array<Times, kRecordsMax> times_{};
};

}  // namespace wiretally
