// SPDX-License-Identifier: Apache-2.0
// See computed_fields.hpp. Thread: any.
#include "control/export/computed_fields.hpp"

#include <algorithm>

#include "control/export/biflow.hpp"
#include "control/export/message_writer.hpp"

namespace wiretally {
namespace {

using R = FlowRecord;
using C = ComputedContext;
using Out = std::uint8_t*;

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

// RFC 7011 section 6.1.9: the NTP era begins in 1900; the fraction counts 2^-32 seconds.
std::uint64_t ntp(TimeNs time) {
  constexpr std::uint64_t kEraSeconds = 2'208'988'800;
  const auto ns = static_cast<std::uint64_t>(std::max<TimeNs>(0, time));
  const std::uint64_t fraction = ((ns % kNsPerSecond) << 32) / kNsPerSecond;
  return (ns / kNsPerSecond + kEraSeconds) << 32 | fraction;
}

// Section 6.1.8: microseconds leave the low 11 bits of the fraction unset.
constexpr std::uint64_t kMicrosecondBits = ~std::uint64_t{0x7ff};

std::uint32_t uptime(TimeNs time, const C& context) {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(time / kNsPerMs - context.boot_ms, 0, UINT32_MAX));
}

// A difference of the two times as they are sent, so that both ways to the duration agree.
std::uint32_t duration(const R& record, std::int64_t unit) {
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(record.last / unit - record.first / unit, 0, UINT32_MAX));
}

template <std::uint8_t kProtocol>
std::uint16_t port_of(const R& record, std::uint16_t port) {
  return record.key.protocol == kProtocol ? port : 0;
}

ComputedStore time_store(Element element) {
  switch (element) {
    case Element::kFlowStartSeconds:
      return [](const R& r, const C&, Out out) {
        store_be32(out, static_cast<std::uint32_t>(r.first / kNsPerSecond));
      };
    case Element::kFlowEndSeconds:
      return [](const R& r, const C&, Out out) {
        store_be32(out, static_cast<std::uint32_t>(r.last / kNsPerSecond));
      };
    case Element::kFlowStartMicroseconds:
      return
          [](const R& r, const C&, Out out) { store_be64(out, ntp(r.first) & kMicrosecondBits); };
    case Element::kFlowEndMicroseconds:
      return [](const R& r, const C&, Out out) { store_be64(out, ntp(r.last) & kMicrosecondBits); };
    case Element::kFlowStartNanoseconds:
      return [](const R& r, const C&, Out out) { store_be64(out, ntp(r.first)); };
    case Element::kFlowEndNanoseconds:
      return [](const R& r, const C&, Out out) { store_be64(out, ntp(r.last)); };
    case Element::kFlowStartSysUpTime:
      return [](const R& r, const C& c, Out out) { store_be32(out, uptime(r.first, c)); };
    case Element::kFlowEndSysUpTime:
      return [](const R& r, const C& c, Out out) { store_be32(out, uptime(r.last, c)); };
    case Element::kSystemInitTimeMilliseconds:
      return [](const R&, const C& c, Out out) {
        store_be64(out, static_cast<std::uint64_t>(std::max<std::int64_t>(0, c.boot_ms)));
      };
    case Element::kFlowDurationMilliseconds:
      return [](const R& r, const C&, Out out) { store_be32(out, duration(r, kNsPerMs)); };
    case Element::kFlowDurationMicroseconds:
      return [](const R& r, const C&, Out out) { store_be32(out, duration(r, 1000)); };
    default:
      return nullptr;
  }
}

}  // namespace

ComputedStore computed_store(Element element) {
  switch (element) {
    case Element::kUdpSourcePort:
      return [](const R& r, const C&, Out out) {
        store_be16(out, port_of<kUdp>(r, r.key.source_port));
      };
    case Element::kUdpDestinationPort:
      return [](const R& r, const C&, Out out) {
        store_be16(out, port_of<kUdp>(r, r.key.destination_port));
      };
    case Element::kTcpSourcePort:
      return [](const R& r, const C&, Out out) {
        store_be16(out, port_of<kTcp>(r, r.key.source_port));
      };
    case Element::kTcpDestinationPort:
      return [](const R& r, const C&, Out out) {
        store_be16(out, port_of<kTcp>(r, r.key.destination_port));
      };
    case Element::kIpDiffServCodePoint:
      return [](const R& r, const C&, Out out) { *out = r.tos >> 2; };
    case Element::kIpPrecedence:
      return [](const R& r, const C&, Out out) { *out = r.tos >> 5; };
    case Element::kBiflowDirection:
      return [](const R& r, const C&, Out out) {
        *out = static_cast<std::uint8_t>(biflow_direction(r, (&r)[1]));
      };
    default:
      return time_store(element);
  }
}

}  // namespace wiretally
