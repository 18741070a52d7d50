// SPDX-License-Identifier: Apache-2.0
// Capture files made by hand for the reader's tests: every field of the formats can be written
// wrongly. Thread: any. Data: calls -> octets() -> a temporary file.
#pragma once

#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/packet/packet_view.hpp"
#include "dataplane/source/capture_file.hpp"

namespace wiretally::testing {

enum class Order { kLittle, kBig };

// A growing string of octets with integers in one byte order.
class Octets {
 public:
  explicit Octets(Order order = Order::kLittle) : order_(order) {}

  template <class Integer>
  Octets& put(Integer value) {
    for (std::size_t i = 0; i < sizeof value; ++i) {
      const std::size_t place = order_ == Order::kBig ? sizeof value - 1 - i : i;
      text_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * place) & 0xff);
    }
    return *this;
  }
  Octets& u8(std::uint8_t v) { return put(v); }
  Octets& u16(std::uint16_t v) { return put(v); }
  Octets& u32(std::uint32_t v) { return put(v); }
  Octets& u64(std::uint64_t v) { return put(v); }
  Octets& raw(std::string_view octets) {
    text_ += octets;
    return *this;
  }
  Octets& pad4() {
    while (text_.size() % 4 != 0) text_ += '\0';
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Order order_;
  std::string text_;
};

inline constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
inline constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
inline constexpr std::uint32_t kKuznetzov = 0xa1b2cd34;

inline std::string pcap_header(Order order, std::uint32_t magic, std::uint32_t link_type = 1,
                               std::uint16_t minor = 4) {
  return Octets(order).u32(magic).u16(2).u16(minor).u32(0).u32(0).u32(65535).u32(link_type).text();
}

inline std::string pcap_record(Order order, std::uint32_t seconds, std::uint32_t fraction,
                               std::string_view data, std::uint32_t wire_octets) {
  return Octets(order)
      .u32(seconds)
      .u32(fraction)
      .u32(static_cast<std::uint32_t>(data.size()))
      .u32(wire_octets)
      .raw(data)
      .text();
}

// A pcapng block around a body, which is padded.
inline std::string block(Order order, std::uint32_t type, std::string_view body) {
  const std::string padded = Octets(order).raw(body).pad4().text();
  const auto length = static_cast<std::uint32_t>(padded.size() + 12);
  return Octets(order).u32(type).u32(length).raw(padded).u32(length).text();
}

inline std::string section_header(Order order, std::uint16_t major = 1) {
  return block(order, 0x0a0d0d0a,
               Octets(order).u32(0x1a2b3c4d).u16(major).u16(0).u64(~std::uint64_t{0}).text());
}

inline std::string option(Order order, std::uint16_t code, std::string_view value) {
  return Octets(order)
      .u16(code)
      .u16(static_cast<std::uint16_t>(value.size()))
      .raw(value)
      .pad4()
      .text();
}

inline std::string interface_block(Order order, std::uint16_t link_type, std::uint32_t snap_octets,
                                   std::string_view options = "") {
  return block(order, 1, Octets(order).u16(link_type).u16(0).u32(snap_octets).raw(options).text());
}

inline std::string enhanced_packet(Order order, std::uint32_t interface, std::uint64_t stamp,
                                   std::string_view data, std::uint32_t wire_octets,
                                   std::string_view options = "") {
  return block(order, 6,
               Octets(order)
                   .u32(interface)
                   .u32(static_cast<std::uint32_t>(stamp >> 32))
                   .u32(static_cast<std::uint32_t>(stamp))
                   .u32(static_cast<std::uint32_t>(data.size()))
                   .u32(wire_octets)
                   .raw(data)
                   .pad4()
                   .raw(options)
                   .text());
}

inline std::string simple_packet(Order order, std::string_view data, std::uint32_t wire_octets) {
  return block(order, 3, Octets(order).u32(wire_octets).raw(data).text());
}

inline std::string obsolete_packet(Order order, std::uint16_t interface, std::uint64_t stamp,
                                   std::string_view data, std::uint32_t wire_octets) {
  return block(order, 2,
               Octets(order)
                   .u16(interface)
                   .u16(7)  // packets dropped
                   .u32(static_cast<std::uint32_t>(stamp >> 32))
                   .u32(static_cast<std::uint32_t>(stamp))
                   .u32(static_cast<std::uint32_t>(data.size()))
                   .u32(wire_octets)
                   .raw(data)
                   .text());
}

inline std::string gzip(std::string_view plain) {
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  if (::deflateInit2(&stream, 6, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2");
  std::string packed(::deflateBound(&stream, plain.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  if (::deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("deflate");
  packed.resize(stream.total_out);
  ::deflateEnd(&stream);
  return packed;
}

// A file of these octets, gone at the end of the scope.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view octets = "", std::string_view suffix = ".pcap") {
    const char* const directory = std::getenv("TMPDIR");
    path_ = std::string(directory != nullptr ? directory : "/tmp") + "/wiretally-test-XXXXXX" +
            std::string(suffix);
    const int fd = ::mkstemps(path_.data(), static_cast<int>(suffix.size()));
    if (fd < 0) throw std::runtime_error("mkstemps " + path_);
    ::close(fd);
    write(octets);
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::string_view octets) const {
    ::unlink(path_.c_str());  // some file systems wait for the disk when a file is rewritten
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    file.write(octets.data(), static_cast<std::streamsize>(octets.size()));
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path_);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Packet {
  std::string data;
  std::uint32_t wire_octets = 0;
  TimeNs time = 0;
  LinkType link_type{};
  friend bool operator==(const Packet&, const Packet&) = default;
};

// Everything a source gives until it is exhausted; every octet of every view is read.
template <class Source>
std::vector<Packet> read_all(Source& source, std::size_t burst = kBurstMax) {
  std::vector<Packet> packets;
  std::array<PacketView, kBurstMax> views;
  while (!source.exhausted()) {
    const std::size_t count = source.poll(std::span(views).first(burst));
    for (const PacketView& view : std::span(views).first(count)) {
      packets.push_back({std::string(reinterpret_cast<const char*>(view.data), view.captured),
                         view.wire_octets, view.time, view.link_type});
    }
  }
  return packets;
}

struct Recording {
  std::vector<Packet> packets;
  std::string damage;
};

inline Recording read_file(const std::string& path, std::size_t burst = kBurstMax) {
  CaptureFile file(path, PortIndex{});
  Recording recording{read_all(file, burst), ""};
  recording.damage = file.damage();
  return recording;
}

}  // namespace wiretally::testing
