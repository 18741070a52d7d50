// SPDX-License-Identifier: Apache-2.0
// What the format readers see of a recording: the octets [begin, end) that are in memory, and a way
// to get more. A regular file is mapped, and all of it is in the window at once; everything else
// streams through a buffer. Measured, two million 60-octet packets, a quiet machine: mapped 5 ns a
// packet, read() into 1 MiB 7, into 64 KiB 11, libpcap's reader 40-58; where the page cache holds
// the file in single pages, 16, 17, 17 and 45. Thread: worker (one reader).
// Data: file -> window -> CaptureFormat.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "dataplane/source/capture_file_stream.hpp"

namespace wiretally {

class ByteWindow {
 public:
  virtual ~ByteWindow() = default;
  ByteWindow(const ByteWindow&) = delete;
  ByteWindow& operator=(const ByteWindow&) = delete;

  [[nodiscard]] const std::uint8_t* begin() const { return begin_; }
  [[nodiscard]] const std::uint8_t* end() const { return end_; }
  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
  // Octets of the (unpacked) file before begin().
  [[nodiscard]] std::uint64_t offset() const {
    return base_offset_ + static_cast<std::uint64_t>(begin_ - base_);
  }

  // Octets before `position` are done with. What views point to stays in place until refill().
  void consume_to(const std::uint8_t* position) {
    begin_ = position;
    if (position >= chore_at_) [[unlikely]]
      do_chores();
  }
  // Brings size() to `needed`, which is more than it is, or beyond if the file has so much. kMore:
  // the window has grown, perhaps not yet enough. Pointers into the window, and views, are void
  // afterwards.
  virtual Fill refill(std::size_t needed) = 0;

  // Octets of the file (packed, if it is) behind us.
  [[nodiscard]] virtual std::uint64_t file_octets() const = 0;
  // Empty, or why the octets ended early, as the rest of a sentence.
  [[nodiscard]] virtual const std::string& fault() const = 0;

 protected:
  ByteWindow() = default;
  // Looks after memory from time to time; sets chore_at_ anew.
  virtual void do_chores() = 0;

  const std::uint8_t* begin_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  const std::uint8_t* base_ = nullptr;  // where base_offset_ lies
  std::uint64_t base_offset_ = 0;
  const std::uint8_t* chore_at_ = nullptr;
};

// The whole of a regular file. Pages behind the reader are given back, so that a large recording
// does not count as our memory. A file that shrinks while it is read ends where the last look at
// its size says; within kChoreOctets of that look the kernel would raise SIGBUS, which no mapping
// can avoid.
class MappedWindow final : public ByteWindow {
 public:
  static constexpr std::size_t kChoreOctets = 4u << 20;

  // `octets` > 0. Null if the file system cannot map the file.
  static std::unique_ptr<MappedWindow> make(CaptureDescriptor& descriptor, std::uint64_t octets);
  ~MappedWindow() override;
  Fill refill(std::size_t needed) override;
  [[nodiscard]] std::uint64_t file_octets() const override { return offset(); }
  [[nodiscard]] const std::string& fault() const override { return fault_; }

 private:
  MappedWindow(CaptureDescriptor descriptor, std::uint8_t* mapping, std::uint64_t octets);
  void do_chores() override;

  CaptureDescriptor descriptor_;
  std::uint8_t* mapping_;
  std::uint64_t octets_;
  std::uint8_t* released_;  // pages before this were given back
  std::string fault_;
};

// A buffer over a stream: octets not consumed move to its front, new ones are read behind them.
class StreamedWindow final : public ByteWindow {
 public:
  static constexpr std::size_t kBufferOctets = 1u << 20;

  explicit StreamedWindow(std::unique_ptr<OctetStream> stream);
  Fill refill(std::size_t needed) override;
  [[nodiscard]] std::uint64_t file_octets() const override { return stream_->file_octets(); }
  [[nodiscard]] const std::string& fault() const override { return stream_->fault(); }

 private:
  void do_chores() override {}
  void make_room(std::size_t needed);

  std::unique_ptr<OctetStream> stream_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t buffer_octets_ = kBufferOctets;
};

}  // namespace wiretally
