// SPDX-License-Identifier: Apache-2.0
// See reference_compare.hpp. Thread: any.
#include "tests/support/reference_compare.hpp"

#include <algorithm>
#include <cstring>

#include "tests/support/hex.hpp"

namespace wiretally::reference {
namespace {

// The least bound of limits.hpp: the reference calls a function at least for every header.
constexpr unsigned kHeadersAlwaysFollowed = 8;

bool is_too_deep(ParseError error) {
  return error == ParseError::kTooManyLinkHeaders || error == ParseError::kTooManyExtensions ||
         error == ParseError::kTooManyTunnels;
}

std::string words(bool in_flow, const ParsedPacket& packet) {
  if (!in_flow) return "in no flow";
  const FlowKey& key = packet.key;
  const std::string vlan = " vlan " + std::to_string(key.vlan());
  if (key.ip_version() == IpVersion::kNone) return "no IP" + vlan;
  return "IP kind " + std::to_string(static_cast<unsigned>(key.ip_version())) + " " +
         to_hex(key.source) + ":" + std::to_string(key.source_port) + " > " +
         to_hex(key.destination) + ":" + std::to_string(key.destination_port) + " protocol " +
         std::to_string(key.protocol) + " octets " + std::to_string(packet.octets) + " tos " +
         std::to_string(packet.tos) + " flags " + std::to_string(packet.tcp_flags) + vlan;
}

void copy_address(const std::vector<std::uint8_t>& from, std::array<std::uint8_t, 16>& to) {
  std::copy_backward(from.begin(), from.end(), to.end());
}

}  // namespace

bool to_parsed(const Reading& reading, TunnelView tunnel, const PacketView& view,
               ParsedPacket& out) {
  out = ParsedPacket{};
  out.wire_octets = view.wire_octets;
  out.key.port = view.port;
  out.key.set_vlan(static_cast<std::uint16_t>(reading.vlan));
  if (reading.ips.empty()) return !reading.malformed;
  const Ip& ip = tunnel == TunnelView::kInner ? reading.ips.back() : reading.ips.front();
  copy_address(ip.source, out.key.source);
  copy_address(ip.destination, out.key.destination);
  out.key.source_port = static_cast<std::uint16_t>(ip.source_port);
  out.key.destination_port = static_cast<std::uint16_t>(ip.destination_port);
  out.key.protocol = static_cast<std::uint8_t>(ip.protocol);
  out.key.set_kind(ip.version == 4 ? IpVersion::kV4 : IpVersion::kV6, CoarseLevel::kExact);
  out.octets = ip.octets;
  out.tos = static_cast<std::uint8_t>(ip.tos);
  out.tcp_flags = static_cast<std::uint16_t>(ip.tcp_flags);
  return true;
}

Comparison compare(const PacketView& view, TunnelView tunnel) {
  const Reading reading = read(view);
  ParsedPacket got;
  const ParseError error = parse(view, {.tunnel = tunnel}, got);
  if (tunnel == TunnelView::kOuter ? reading.doubts_outer : reading.doubts_inner) return {};
  if (is_too_deep(error) && reading.headers > kHeadersAlwaysFollowed) return {};
  ParsedPacket wanted;
  const bool in_flow = to_parsed(reading, tunnel, view, wanted);
  // The number a frame without IP is kept under is the product's own choice.
  if (in_flow && wanted.key.ip_version() == IpVersion::kNone && is_metered(error)) {
    wanted.key.destination_port = got.key.destination_port;
  }
  const bool equal =
      in_flow == is_metered(error) &&
      (!in_flow || (wanted.key == got.key && wanted.octets == got.octets && wanted.tos == got.tos &&
                    wanted.tcp_flags == got.tcp_flags && wanted.wire_octets == got.wire_octets));
  if (equal) return {Verdict::kEqual, {}};
  return {Verdict::kDifferent, std::string("the meter (") + std::string(label(error)) + "):\n  " +
                                   words(is_metered(error), got) + "\nthe reference:\n  " +
                                   words(in_flow, wanted)};
}

}  // namespace wiretally::reference
