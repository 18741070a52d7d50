// SPDX-License-Identifier: Apache-2.0
// Two small clocks of a link, both pure (the caller says what time it is): the token bucket over
// records, and the plan of when Templates and Options are due.
// Thread: one link thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "config/config.hpp"

namespace wiretally {

using SteadyNs = std::int64_t;  // monotonic nanoseconds, any origin
inline constexpr SteadyNs kNever = std::numeric_limits<SteadyNs>::max();

// Records per second, handed out in slices. Never faster than the configured rate, and not faster
// than it takes to send what waits in half a second: a tick's records are spread, not thrown. The
// bucket holds one slice: time lost to a busy machine is not made up for in a burst. 32 datagrams
// of 1400 octets fit a default receive buffer (212,992 octets, about 2,300 a datagram in the
// kernel's account) almost three times.
class Pacer {
 public:
  static constexpr std::uint64_t kSliceDatagrams = 16;
  static constexpr std::uint64_t kSliceRecordsMax = kSliceDatagrams * 23;
  static constexpr std::uint64_t kSliceRecordsMin = 32;  // one datagram and a bit
  static constexpr SteadyNs kSliceNs = 4'000'000;
  static constexpr std::uint64_t kFloor = 50'000;  // records/s, if the rate allows so much
  static constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

  // 0: no limit and no spreading. A wide layout has fewer records in a datagram, so slices of
  // fewer.
  explicit Pacer(std::uint64_t records_per_second, std::uint64_t records_in_datagram = 23)
      : rate_(records_per_second),
        slice_max_(
            std::clamp(kSliceDatagrams * records_in_datagram, kSliceRecordsMin, kSliceRecordsMax)) {
    set_backlog(0);
  }

  // How much waits now.
  void set_backlog(std::uint64_t records) {
    if (rate_ == 0) return;
    current_ = std::min(rate_, std::max(floor_, 2 * records));
    const std::uint64_t slice = current_ * kSliceNs / 1'000'000'000;
    bucket_ = static_cast<double>(std::clamp(slice, kSliceRecordsMin, slice_max_));
    tokens_ = std::min(tokens_, bucket_);
  }
  void set_rate(std::uint64_t records_per_second) {
    rate_ = records_per_second;
    tokens_ = 0;
    set_backlog(0);
  }
  // The end is near: at least so much, whatever the configured rate.
  void demand(std::uint64_t records_per_second) {
    floor_ = std::max(floor_, records_per_second);
    if (rate_ != 0) rate_ = std::max(rate_, records_per_second);
  }

  // Records that may go now.
  std::uint64_t available(SteadyNs now) {
    if (rate_ == 0) return kUnlimited;
    if (last_ != 0 && now > last_) {
      const double seconds = static_cast<double>(now - last_) * 1e-9;
      tokens_ = std::min(bucket_, tokens_ + seconds * static_cast<double>(current_));
    }
    last_ = now;
    return static_cast<std::uint64_t>(std::max(0.0, tokens_));
  }
  // May go into debt: a v5 record's pieces are known only when they are written.
  void spend(std::uint64_t records) { tokens_ -= rate_ == 0 ? 0 : static_cast<double>(records); }

  // True until the debt is paid: nothing more may go now, whatever was taken before.
  bool in_debt(SteadyNs now) {
    available(now);
    return tokens_ < 0;
  }

  // When `records` (at most half a bucket, so that slices stay small but not single) can go.
  [[nodiscard]] SteadyNs ready_at(std::uint64_t records) const {
    if (rate_ == 0) return last_;
    const double wanted = std::min(static_cast<double>(records), bucket_ / 2);
    const double missing = std::max(0.0, wanted - tokens_);
    return last_ + static_cast<SteadyNs>(missing / static_cast<double>(current_) * 1e9) + 1;
  }

 private:
  std::uint64_t rate_;
  const std::uint64_t slice_max_;
  std::uint64_t floor_ = kFloor;
  std::uint64_t current_ = 0;  // records/s for the present backlog
  double bucket_ = 0;
  double tokens_ = 0;
  SteadyNs last_ = 0;
};

// At once, again one second later (the first may be lost to a switch still learning), then after so
// many datagrams or so much time, whichever comes first. restart() when a collector returns.
class AnnouncementPlan {
 public:
  // `any`: there is something to announce; NetFlow v1 and v5 have nothing, and never wait for it.
  explicit AnnouncementPlan(const TemplateRefreshConfig& refresh, bool any = true)
      : packets_(any ? refresh.packets : 0),
        interval_(refresh.interval.count()),
        any_(any),
        due_(any ? 0 : kNever) {}

  void restart(SteadyNs now) {
    due_ = any_ ? now : kNever;
    announced_ = 0;
    datagrams_ = 0;
  }
  void datagram_sent() { ++datagrams_; }
  void announced(SteadyNs now) {
    constexpr SteadyNs kSecondTime = 1'000'000'000;
    ++announced_;
    datagrams_ = 0;
    if (announced_ == 1) {
      due_ = now + kSecondTime;
    } else {
      due_ = interval_ > 0 ? now + interval_ : kNever;
    }
  }
  [[nodiscard]] bool due(SteadyNs now) const {
    return now >= due_ || (packets_ > 0 && datagrams_ >= packets_);
  }
  [[nodiscard]] SteadyNs due_at() const { return due_; }
  [[nodiscard]] bool is_first() const { return announced_ == 0; }
  // Datagrams that may go before the next announcement.
  [[nodiscard]] std::uint32_t datagrams_left() const {
    if (packets_ == 0) return std::numeric_limits<std::uint32_t>::max();
    return packets_ - std::min(packets_, datagrams_);
  }

 private:
  const std::uint32_t packets_;
  const SteadyNs interval_;
  const bool any_;
  SteadyNs due_;
  std::uint32_t announced_ = 0;
  std::uint32_t datagrams_ = 0;
};

}  // namespace wiretally
