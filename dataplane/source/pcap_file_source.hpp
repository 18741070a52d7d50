// SPDX-License-Identifier: Apache-2.0
// The pcap driver offline: recordings, read one after the other as one Observation Point. Time is
// the packets' own; nothing is ever missed. Thread: constructed at start-up; poll()/release()
// worker; progress() any; damages() and unreadable() any thread that has seen exhausted().
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/source/capture_file.hpp"
#include "dataplane/source/packet_source.hpp"

namespace wiretally {

class PcapFileSource {
 public:
  static constexpr TimeBase kTimeBase = TimeBase::kPackets;

  // Looks at every file, so that a missing one is told before the first is read; the later ones are
  // opened when their turn comes. Throws StartupError as CaptureFile does, also if `paths` is
  // empty.
  PcapFileSource(std::vector<std::string> paths, PortIndex port);
  ~PcapFileSource();

  // 0 without exhausted(): a pipe is silent; it was waited for, for some milliseconds.
  std::size_t poll(std::span<PacketView> views);
  void release() {}
  [[nodiscard]] bool exhausted() const { return exhausted_.load(std::memory_order_acquire); }

  // Over all files. total 0: not known, for one is a pipe.
  [[nodiscard]] CaptureProgress progress() const;
  // One sentence per damaged file; see CaptureFile::damage().
  [[nodiscard]] const std::vector<std::string>& damages() const { return damages_; }
  // One sentence per file of which no packet can be read; see CaptureFile::unreadable().
  [[nodiscard]] const std::vector<std::string>& unreadable() const { return unreadable_; }

 private:
  void open_next();

  std::vector<std::string> paths_;
  PortIndex port_;
  std::size_t next_ = 0;  // index of the file after the current one
  std::unique_ptr<CaptureFile> current_;
  std::uint64_t octets_before_ = 0;  // of the files already done
  std::uint64_t octets_total_ = 0;
  std::atomic<std::uint64_t> octets_done_ = 0;
  std::vector<std::string> damages_;
  std::vector<std::string> unreadable_;
  std::atomic<bool> exhausted_ = false;
};

static_assert(PacketSource<PcapFileSource>);

class PcapFilePort final : public CapturePort {
 public:
  explicit PcapFilePort(std::uint32_t ifindex) : ifindex_(ifindex) {}
  [[nodiscard]] std::string_view name() const override { return "file"; }
  [[nodiscard]] std::uint32_t ifindex() const override { return ifindex_; }
  std::vector<MissedCount> missed() override { return {}; }

 private:
  std::uint32_t ifindex_;
};

}  // namespace wiretally
