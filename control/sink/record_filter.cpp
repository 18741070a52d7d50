// SPDX-License-Identifier: Apache-2.0
// From a record's key to a frame a filter can read. Thread: the sink's.
#include "control/sink/record_filter.hpp"

#include <algorithm>

namespace wiretally {
namespace {

constexpr std::uint16_t kEthertypeVlan = 0x8100;
constexpr std::uint16_t kEthertypeIpv4 = 0x0800;
constexpr std::uint16_t kEthertypeIpv6 = 0x86dd;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::size_t kMacs = 12;
constexpr std::size_t kTransport = 20;  // a TCP header; shorter ones leave the rest zero

class FrameWriter {
 public:
  explicit FrameWriter(std::uint8_t* begin) : next_(begin) {}
  void octet(std::uint8_t value) { *next_++ = value; }
  void be16(std::uint16_t value) {
    octet(static_cast<std::uint8_t>(value >> 8));
    octet(static_cast<std::uint8_t>(value));
  }
  void zeros(std::size_t count) { next_ = std::fill_n(next_, count, std::uint8_t{0}); }
  void octets(const std::uint8_t* from, std::size_t count) {
    next_ = std::copy_n(from, count, next_);
  }
  [[nodiscard]] std::uint8_t* position() const { return next_; }

 private:
  std::uint8_t* next_;
};

void write_ipv4(const FlowRecord& record, FrameWriter& out) {
  out.octet(0x45);
  out.octet(record.tos);
  out.be16(20 + kTransport);
  out.zeros(5);  // identification, fragment, TTL
  out.octet(record.key.protocol);
  out.zeros(2);
  out.octets(record.key.source.data() + 12, 4);
  out.octets(record.key.destination.data() + 12, 4);
}

void write_ipv6(const FlowRecord& record, FrameWriter& out) {
  out.octet(static_cast<std::uint8_t>(0x60 | record.tos >> 4));
  out.octet(static_cast<std::uint8_t>(record.tos << 4));
  out.zeros(2);
  out.be16(kTransport);
  out.octet(record.key.protocol);
  out.octet(0);
  out.octets(record.key.source.data(), 16);
  out.octets(record.key.destination.data(), 16);
}

void write_transport(const FlowRecord& record, FrameWriter& out) {
  const FlowKey& key = record.key;
  std::uint8_t* const begin = out.position();
  out.zeros(kTransport);
  FrameWriter ports(begin);
  if (key.protocol == kIcmp || key.protocol == kIcmpv6) {
    ports.be16(key.destination_port);  // type, code
    return;
  }
  ports.be16(key.source_port);
  ports.be16(key.destination_port);
  if (key.protocol != kTcp) return;
  begin[12] = static_cast<std::uint8_t>(0x50 | (record.tcp_flags >> 8 & 0x0f));
  begin[13] = static_cast<std::uint8_t>(record.tcp_flags);
}

}  // namespace

std::size_t RecordFilter::build(const FlowRecord& record, Frame& frame) {
  FrameWriter out(frame.data());
  out.zeros(kMacs);
  if (record.key.vlan() != 0) {
    out.be16(kEthertypeVlan);
    out.be16(record.key.vlan());
  }
  switch (record.key.ip_version()) {
    case IpVersion::kNone:
      out.be16(record.key.destination_port);
      out.zeros(kTransport);
      break;
    case IpVersion::kV4:
      out.be16(kEthertypeIpv4);
      write_ipv4(record, out);
      write_transport(record, out);
      break;
    case IpVersion::kV6:
      out.be16(kEthertypeIpv6);
      write_ipv6(record, out);
      write_transport(record, out);
      break;
  }
  return static_cast<std::size_t>(out.position() - frame.data());
}

bool RecordFilter::matches(const FlowRecord& record) {
  Frame frame;
  const auto size = static_cast<std::uint32_t>(build(record, frame));
  PacketView view;
  view.data = frame.data();
  view.captured = view.wire_octets = size;
  return filter_.matches(view);
}

}  // namespace wiretally
