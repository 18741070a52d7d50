// SPDX-License-Identifier: Apache-2.0
// Octets of a recording that cannot be mapped: a pipe, standard input, or a gzip'd file, which is
// inflated on the way. Bounded memory: one chunk of packed octets, zlib's 32 KiB of history.
// Thread: worker (one reader); the start-up thread while the file is opened.
// Data: file descriptor -> OctetStream -> StreamedWindow.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct z_stream_s;

namespace wiretally {

// What an attempt to get more octets came to. kNotYet: a pipe whose writer is silent, ask again.
enum class Fill : std::uint8_t { kMore, kNotYet, kEnd };

// Owns a file descriptor.
class CaptureDescriptor {
 public:
  explicit CaptureDescriptor(int fd) : fd_(fd) {}
  CaptureDescriptor(CaptureDescriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  CaptureDescriptor& operator=(CaptureDescriptor&&) = delete;
  ~CaptureDescriptor();
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

class OctetStream {
 public:
  virtual ~OctetStream() = default;
  // Reads some octets to the start of `into` (not empty) and says in `got` how many.
  // kMore: got > 0; otherwise got == 0. kEnd is final: the end, or what fault() says.
  virtual Fill read(std::span<std::uint8_t> into, std::size_t& got) = 0;
  // Octets of the file (packed, if it is) read so far.
  [[nodiscard]] virtual std::uint64_t file_octets() const = 0;
  // Empty, or why the stream ended before its end, as the rest of a sentence.
  [[nodiscard]] virtual const std::string& fault() const = 0;
};

// A descriptor read in order. A silent pipe holds a reader for at most kPatienceMs at a time, so a
// worker still notices that it is to stop.
class DescriptorStream final : public OctetStream {
 public:
  static constexpr int kPatienceMs = 20;

  DescriptorStream(CaptureDescriptor descriptor, bool may_block);
  Fill read(std::span<std::uint8_t> into, std::size_t& got) override;
  [[nodiscard]] std::uint64_t file_octets() const override { return octets_; }
  [[nodiscard]] const std::string& fault() const override { return fault_; }

  // The first octets, which later reads give once more. Before the first read() only.
  Fill peek(std::size_t wanted);
  [[nodiscard]] std::span<const std::uint8_t> head() const { return {head_.data(), head_octets_}; }

 private:
  Fill read_descriptor(std::span<std::uint8_t> into, std::size_t& got);

  CaptureDescriptor descriptor_;
  bool may_block_;
  std::uint64_t octets_ = 0;
  std::array<std::uint8_t, 8> head_{};
  std::size_t head_octets_ = 0;
  std::size_t head_given_ = 0;
  std::string fault_;
};

// gzip (RFC 1952), also several members one after the other, as `cat a.gz b.gz` makes them.
class GzipStream final : public OctetStream {
 public:
  static constexpr std::size_t kPackedOctets = 64 * 1024;

  explicit GzipStream(std::unique_ptr<OctetStream> packed);
  ~GzipStream() override;
  Fill read(std::span<std::uint8_t> into, std::size_t& got) override;
  [[nodiscard]] std::uint64_t file_octets() const override { return packed_->file_octets(); }
  [[nodiscard]] const std::string& fault() const override { return fault_; }

 private:
  Fill read_packed();
  bool begin_next_member();
  Fill end_with(std::string fault);

  std::unique_ptr<OctetStream> packed_;
  std::vector<std::uint8_t> chunk_;
  std::unique_ptr<z_stream_s> inflater_;
  bool between_members_ = false;
  bool ended_ = false;
  std::string fault_;
};

}  // namespace wiretally
