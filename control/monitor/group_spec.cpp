// SPDX-License-Identifier: Apache-2.0
// Fields to octets, octets to text. Thread: any.
#include "control/monitor/group_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <string_view>

#include "control/sink/record_text.hpp"
#include "dataplane/packet/numbers.hpp"

namespace wiretally {
namespace {

constexpr unsigned kPrefixMax = 128;
constexpr std::size_t kV4At = 12;  // of an address field

const std::map<std::string_view, GroupField> kFields = {{"src_host", GroupField::kSourceHost},
                                                        {"dst_host", GroupField::kDestinationHost},
                                                        {"host", GroupField::kHost},
                                                        {"src_net", GroupField::kSourceHost},
                                                        {"dst_net", GroupField::kDestinationHost},
                                                        {"net", GroupField::kHost},
                                                        {"src_port", GroupField::kSourcePort},
                                                        {"dst_port", GroupField::kDestinationPort},
                                                        {"port", GroupField::kPort},
                                                        {"protocol", GroupField::kProtocol},
                                                        {"vlan", GroupField::kVlan},
                                                        {"mac", GroupField::kMac},
                                                        {"tos", GroupField::kTos},
                                                        {"ingress", GroupField::kIngress}};

// Octets of a field in a group's key. An address has its IP version before it.
std::size_t octets_of(GroupField field) {
  switch (field) {
    case GroupField::kSourceHost:
    case GroupField::kDestinationHost:
    case GroupField::kHost:
      return 1 + 16;
    case GroupField::kSourcePort:
    case GroupField::kDestinationPort:
    case GroupField::kPort:
    case GroupField::kVlan:
      return 2;
    case GroupField::kProtocol:
    case GroupField::kTos:
      return 1;
    case GroupField::kMac:
      return 6;
    case GroupField::kIngress:
      return 4;
  }
  return 0;
}

bool is_of_both_ends(GroupField field) {
  return field == GroupField::kHost || field == GroupField::kPort || field == GroupField::kMac;
}

bool has_ports(const FlowKey& key) {
  return key.ip_version() != IpVersion::kNone && has_ports(IpProtocol{key.protocol});
}

bool has_address(const FlowKey& key, FlowEnd end) {
  if (key.ip_version() == IpVersion::kNone) return false;
  switch (key.level()) {
    case CoarseLevel::kExact:
    case CoarseLevel::kNoPorts:
      return true;
    case CoarseLevel::kDestinationHost:
      return end == FlowEnd::kDestination;
    case CoarseLevel::kSourceHost:
      return end == FlowEnd::kSource;
    case CoarseLevel::kProtocol:
      return false;
  }
  return false;
}

void put_address_key(const FlowKey& key, FlowEnd end, unsigned prefix, std::uint8_t* out) {
  const auto& address = end == FlowEnd::kSource ? key.source : key.destination;
  const bool v4 = key.ip_version() == IpVersion::kV4;
  out[0] = static_cast<std::uint8_t>(key.ip_version());
  std::memcpy(out + 1, address.data(), address.size());
  for (std::size_t i = v4 ? kV4At : 0, bits = 0; i < address.size(); ++i, bits += 8) {
    if (prefix >= bits + 8) continue;
    const unsigned kept = prefix <= bits ? 0 : prefix - static_cast<unsigned>(bits);
    out[1 + i] &= static_cast<std::uint8_t>(0xff00 >> kept);
  }
}

void put_be16(std::uint16_t value, std::uint8_t* out) {
  out[0] = static_cast<std::uint8_t>(value >> 8);
  out[1] = static_cast<std::uint8_t>(value);
}

unsigned be(const std::uint8_t* octets, std::size_t size) {
  unsigned value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | octets[i];
  return value;
}

std::string address_text(const std::uint8_t* key, bool is_net, unsigned prefix) {
  std::array<std::uint8_t, 16> address{};
  std::copy_n(key + 1, address.size(), address.begin());
  const auto version = static_cast<IpVersion>(key[0]);
  char text[64];
  const char* const end = put_address(text, address, version);
  const unsigned width = version == IpVersion::kV4 ? 32 : kPrefixMax;
  const std::string_view host(text, static_cast<std::size_t>(end - text));
  return is_net ? fmt::format("{}/{}", host, std::min(prefix, width)) : std::string(host);
}

}  // namespace

GroupSpec::Part GroupSpec::part_of(const std::string& word) {
  const std::size_t slash = word.find('/');
  Part part;
  part.field = kFields.at(std::string_view(word).substr(0, slash));
  part.prefix = kPrefixMax;
  part.is_net = slash != std::string::npos;
  if (part.is_net) {
    std::from_chars(word.data() + slash + 1, word.data() + word.size(), part.prefix);
  }
  return part;
}

GroupSpec::GroupSpec(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    parts_.push_back(part_of(word));
    key_octets_ += octets_of(parts_.back().field);
    two_ends_ = two_ends_ || is_of_both_ends(parts_.back().field);
  }
}

bool GroupSpec::wants(GroupField field) const {
  return std::ranges::any_of(parts_, [field](const Part& part) { return part.field == field; });
}

bool GroupSpec::key_of(const FlowView& flow, FlowEnd end, std::uint8_t* out) const {
  const FlowKey& key = flow.key;
  const std::uint16_t source_port = has_ports(key) ? key.source_port : 0;
  const std::uint16_t destination_port = has_ports(key) ? key.destination_port : 0;
  for (const Part& part : parts_) {
    FlowEnd of = end;
    switch (part.field) {
      case GroupField::kSourceHost:
      case GroupField::kDestinationHost:
        of = part.field == GroupField::kSourceHost ? FlowEnd::kSource : FlowEnd::kDestination;
        [[fallthrough]];
      case GroupField::kHost:
        if (!has_address(key, of)) return false;
        put_address_key(key, of, part.prefix, out);
        break;
      case GroupField::kSourcePort:
        put_be16(source_port, out);
        break;
      case GroupField::kDestinationPort:
        put_be16(destination_port, out);
        break;
      case GroupField::kPort:
        put_be16(end == FlowEnd::kSource ? source_port : destination_port, out);
        break;
      case GroupField::kProtocol:
        *out = key.protocol;
        break;
      case GroupField::kVlan:
        put_be16(key.vlan(), out);
        break;
      case GroupField::kMac: {
        if (flow.attributes == nullptr || !flow.attributes->has_macs) return false;
        const MacAddress& mac = end == FlowEnd::kSource ? flow.attributes->source_mac
                                                        : flow.attributes->destination_mac;
        std::copy(mac.begin(), mac.end(), out);
        break;
      }
      case GroupField::kTos:
        *out = flow.tos;
        break;
      case GroupField::kIngress:
        put_be16(static_cast<std::uint16_t>(flow.ingress_ifindex >> 16), out);
        put_be16(static_cast<std::uint16_t>(flow.ingress_ifindex), out + 2);
        break;
    }
    out += octets_of(part.field);
  }
  return true;
}

std::string GroupSpec::text(std::span<const std::uint8_t> key) const {
  std::string text;
  const std::uint8_t* at = key.data();
  for (const Part& part : parts_) {
    if (!text.empty()) text += ' ';
    const std::size_t size = octets_of(part.field);
    switch (part.field) {
      case GroupField::kSourceHost:
      case GroupField::kDestinationHost:
      case GroupField::kHost:
        text += address_text(at, part.is_net, part.prefix);
        break;
      case GroupField::kMac:
        text += fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", at[0], at[1], at[2], at[3],
                            at[4], at[5]);
        break;
      default:
        text += fmt::format("{}", be(at, size));
        break;
    }
    at += size;
  }
  return text;
}

}  // namespace wiretally
