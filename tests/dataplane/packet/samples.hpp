// SPDX-License-Identifier: Apache-2.0
// Packets with a description and what the parser must make of them. The same tables serve the
// claims about protocols, the damage tests and the comparison of compiler settings. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/packet/parse.hpp"

namespace wiretally {

struct Sample {
  const char* description;
  LinkType link_type;
  std::vector<std::uint8_t> octets;
  std::string outer;              // see describe()
  std::string inner = {};         // empty: the same as outer
  std::uint32_t wire_octets = 0;  // 0: as many as there are octets
};

std::vector<Sample> link_samples();
std::vector<Sample> network_samples();
std::vector<Sample> tunnel_samples();
std::vector<Sample> faulty_samples();  // at least one for every ParseError the parser gives
std::vector<Sample> all_samples();

PacketView view_of(const Sample& sample);

// "10.0.0.1:5 > 10.0.0.2:80 proto 6 octets 40 vlan 7 flags 0x012 tos 3 (note)", without what is 0;
// "ethertype 0x0806 vlan 7" for non-IP; "not metered: reason" for what is in no flow.
std::string describe(const ParsedPacket& packet, ParseError outcome);

}  // namespace wiretally
