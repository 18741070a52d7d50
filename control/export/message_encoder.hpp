// SPDX-License-Identifier: Apache-2.0
// Flow Records in, one Message (datagram) at a time out. begin(), then announcements (Templates and
// Options) and records in any number of calls, then finish(). What makes messages follow one
// another (sequence number, a v5 record half sent) is a small position that can be put back, so a
// message that could not be sent is simply encoded again, smaller or later, without a gap in the
// sequence. Thread: one link thread per encoder.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "config/config.hpp"
#include "control/export/exporter_info.hpp"
#include "control/export/record_sum.hpp"
#include "control/merge/flow_record.hpp"

namespace wiretally {

// Smallest max_datagram: every announcement and record fits one message of this size.
inline constexpr std::size_t kDatagramMin = 512;
inline constexpr std::size_t kDatagramMax = 65'507;  // UDP over IPv4

struct EncoderPosition {
  std::uint32_t sequence = 0;
  std::uint32_t piece = 0;  // v5: pieces of the next record that have gone out already
};

// What became of the records an encoder took.
struct RecordTally {
  RecordSum encoded;
  std::uint64_t extra_pieces = 0;  // v1, v5: Data Records beyond one a record
  RecordSum non_ip;                // not sent: this collector gets no non-IP records
  RecordSum not_in_version;        // not sent: NetFlow v1 and v5 have no IPv6

  RecordTally& operator+=(const RecordTally& other) {
    encoded += other.encoded;
    extra_pieces += other.extra_pieces;
    non_ip += other.non_ip;
    not_in_version += other.not_in_version;
    return *this;
  }
};

// What this Exporting Process knows of itself: IEs 40, 41, 42, 166-168.
struct ExportStatistics {
  std::uint64_t octets = 0;
  std::uint64_t messages = 0;
  std::uint64_t records = 0;
  RecordSum not_sent;
};

class MessageEncoder {
 public:
  virtual ~MessageEncoder() = default;

  // Starts a message at the front of `buffer`, whose size is the largest the message may become.
  virtual void begin(std::span<std::uint8_t> buffer, TimeNs now) = 0;
  // Templates first, then Options. Writes from number `from` on while they fit; returns the first
  // one that did not (announcements() when all are in).
  virtual std::size_t add_announcements(std::size_t from) = 0;
  [[nodiscard]] virtual std::size_t announcements() const = 0;
  // Takes records from the front while they fit; returns how many it is done with.
  virtual std::size_t add_records(std::span<const FlowRecord> records, RecordTally& tally) = 0;
  // How many records of the usual kind (IPv4) a message of that size holds, about.
  [[nodiscard]] virtual std::size_t records_in(std::size_t message_octets) const = 0;
  // Completes the header and moves the position on. 0 octets: nothing was written, do not send.
  virtual std::size_t finish() = 0;

  [[nodiscard]] virtual EncoderPosition position() const = 0;
  virtual void rewind(const EncoderPosition& position) = 0;
};

std::unique_ptr<MessageEncoder> make_message_encoder(const CollectorConfig& collector,
                                                     const ExporterInfo& exporter,
                                                     std::function<ExportStatistics()> statistics);

}  // namespace wiretally
