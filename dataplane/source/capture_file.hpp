// SPDX-License-Identifier: Apache-2.0
// One recording: pcap or pcapng, plain or gzip'd, a regular file, a pipe or standard input ("-").
// Cold half: opening and every text. The packets come from a CaptureFormat over a ByteWindow.
// Thread: constructed at start-up or by the worker; poll() by one worker; progress() by any thread;
// damage() by any thread that has seen exhausted().
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "dataplane/packet/packet_view.hpp"

namespace wiretally {

class ByteWindow;
class CaptureFormat;
class CaptureDescriptor;

// Octets of the file as it lies on the disk (packed, if it is gzip'd). total 0: not known (a pipe).
struct CaptureProgress {
  std::uint64_t octets_done = 0;
  std::uint64_t octets_total = 0;
};

class CaptureFile {
 public:
  // Reads the file's header; from a pipe, it waits for it. Throws StartupError with what is wrong
  // and the cure: kUsage for what is missing or no capture, kMachine for what may not be read.
  CaptureFile(std::string path, PortIndex port);
  ~CaptureFile();
  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;

  // Throws what the constructor would, if that can be told without taking octets from a pipe.
  // Returns the size of a regular file, 0 for anything else.
  static std::uint64_t check(const std::string& path);

  // The next packets, in the file's order; the views are good until the next poll(). 0 without
  // exhausted(): a pipe is silent; it was waited for, for some milliseconds.
  std::size_t poll(std::span<PacketView> views);
  [[nodiscard]] bool exhausted() const { return exhausted_.load(std::memory_order_acquire); }

  [[nodiscard]] CaptureProgress progress() const;
  [[nodiscard]] std::uint64_t packets() const { return packets_; }
  // Empty, or a sentence: the file ends inside a packet or says nonsense. What came before it
  // counts.
  [[nodiscard]] const std::string& damage() const { return damage_; }
  // Empty, or a sentence: packets came, and none has a link type the meter reads. They count as
  // frames without IP. Thread: as damage().
  [[nodiscard]] std::string unreadable() const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  void look_at_link_types(std::span<const PacketView> views);
  void open_format();
  void await_octets(std::size_t needed);
  void finish(std::string damage);
  [[nodiscard]] std::string describe_end() const;
  [[nodiscard]] std::string describe_fault() const;

  std::string path_;
  std::string name_;  // for sentences: the path, or "standard input"
  PortIndex port_;
  std::unique_ptr<ByteWindow> window_;
  std::unique_ptr<CaptureFormat> format_;
  std::uint64_t packets_ = 0;
  bool any_known_link_type_ = false;
  LinkType unknown_link_type_{};  // the first one met
  std::uint64_t octets_total_ = 0;
  std::atomic<std::uint64_t> octets_done_ = 0;
  std::string damage_;
  std::atomic<bool> exhausted_ = false;
};

}  // namespace wiretally
