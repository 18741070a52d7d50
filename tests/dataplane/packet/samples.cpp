// SPDX-License-Identifier: Apache-2.0
// Views of samples and the words for what the parser made of them. Thread: any.
#include "tests/dataplane/packet/samples.hpp"

#include <arpa/inet.h>

#include <cstdio>

namespace wiretally {
namespace {

std::string address(IpVersion version, const std::array<std::uint8_t, 16>& octets) {
  char text[INET6_ADDRSTRLEN] = {};
  const bool v4 = version == IpVersion::kV4;
  inet_ntop(v4 ? AF_INET : AF_INET6, octets.data() + (v4 ? 12 : 0), text, sizeof text);
  return text;
}

std::string hexadecimal(unsigned value, int digits) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%0*x", digits, value);
  return text;
}

std::string with_port(const std::string& host, unsigned port) {
  return port == 0 ? host : host + ":" + std::to_string(port);
}

std::string describe_key(const ParsedPacket& packet) {
  const FlowKey& key = packet.key;
  if (key.ip_version() == IpVersion::kNone) {
    return "ethertype " + hexadecimal(key.destination_port, 4);
  }
  return with_port(address(key.ip_version(), key.source), key.source_port) + " > " +
         with_port(address(key.ip_version(), key.destination), key.destination_port) + " proto " +
         std::to_string(key.protocol) + " octets " + std::to_string(packet.octets);
}

}  // namespace

std::string describe(const ParsedPacket& packet, ParseError outcome) {
  if (!is_metered(outcome)) return "not metered: " + std::string(label(outcome));
  std::string text = describe_key(packet);
  if (packet.key.vlan() != 0) text += " vlan " + std::to_string(packet.key.vlan());
  if (packet.tcp_flags != 0) text += " flags " + hexadecimal(packet.tcp_flags, 3);
  if (packet.tos != 0) text += " tos " + std::to_string(packet.tos);
  if (outcome != ParseError::kNone) text += " (" + std::string(label(outcome)) + ")";
  return text;
}

PacketView view_of(const Sample& sample) {
  const auto captured = static_cast<std::uint32_t>(sample.octets.size());
  return {.data = sample.octets.data(),
          .captured = captured,
          .wire_octets = sample.wire_octets == 0 ? captured : sample.wire_octets,
          .time = 0,
          .link_type = sample.link_type,
          .port = PortIndex{3}};
}

std::vector<Sample> all_samples() {
  std::vector<Sample> all = link_samples();
  for (auto table : {network_samples, tunnel_samples, faulty_samples}) {
    for (Sample& sample : table()) all.push_back(std::move(sample));
  }
  return all;
}

}  // namespace wiretally
