// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any octets under any link type, by the outer and by the inner header. Whatever
// they are, the parser says the same twice, reads no octet beyond them, leaves the frame's length
// and port alone and nothing undefined in its result, and the short cut says what the walk says.
#include <cstring>

#include "dataplane/packet/parse.hpp"
#include "tests/fuzz/support.hpp"

namespace wiretally::fuzz {
namespace {

struct Outcome {
  ParseError error;
  ParsedPacket packet;
};

bool is_parsers_own(ParseError error) {
  return static_cast<std::size_t>(error) < kParseErrors && error != ParseError::kFiltered &&
         error != ParseError::kNotSampled;
}

bool is_equal(const Outcome& a, const Outcome& b) {
  return a.error == b.error &&
         (!is_metered(a.error) || std::memcmp(&a.packet, &b.packet, sizeof a.packet) == 0);
}

// The result must not depend on what `out` held before.
template <class Parse>
Outcome run(const Parse& how, const PacketView& view, const ParseOptions& options) {
  Outcome first;
  Outcome second;
  std::memset(static_cast<void*>(&first.packet), 0x00, sizeof first.packet);
  std::memset(static_cast<void*>(&second.packet), 0xff, sizeof second.packet);
  first.error = how(view, options, first.packet);
  second.error = how(view, options, second.packet);
  require(is_equal(first, second), "the result does not depend on what was there before");
  return first;
}

bool is_zero(std::span<const std::uint8_t> octets) {
  return std::all_of(octets.begin(), octets.end(), [](std::uint8_t octet) { return octet == 0; });
}

void check_key(const FlowKey& key, const ParsedPacket& packet) {
  require(key.level() == CoarseLevel::kExact, "the parser coarsens nothing");
  switch (key.ip_version()) {
    case IpVersion::kNone:
      require(is_zero(key.source) && is_zero(key.destination), "non-IP has no addresses");
      require(key.source_port == 0 && key.protocol == 0, "non-IP has no port and protocol");
      require(packet.octets == 0 && packet.tcp_flags == 0, "non-IP has no octets and flags");
      break;
    case IpVersion::kV4:
      require(is_zero(std::span(key.source).first(12)), "an IPv4 address has four octets");
      require(is_zero(std::span(key.destination).first(12)), "an IPv4 address has four octets");
      require(packet.octets >= 20, "an IPv4 packet has a header");
      break;
    case IpVersion::kV6:
      require(packet.octets >= 40, "an IPv6 packet has a header");
      break;
  }
  require(packet.tcp_flags <= 0xfff, "TCP has twelve flag bits");
}

void check(const PacketView& view, const Outcome& outcome) {
  require(is_parsers_own(outcome.error), "the outcome is one of the parser's");
  if (!is_metered(outcome.error)) return;
  const ParsedPacket& packet = outcome.packet;
  require(packet.wire_octets == view.wire_octets, "the frame keeps its length");
  require(packet.key.port == view.port, "the packet keeps its port");
  require(packet.time_offset == 0, "times are the worker's");
  check_key(packet.key, packet);
}

void check_attributes(const FlowAttributes& attributes, const Outcome& outcome) {
  if (!is_metered(outcome.error)) return;
  const ParsedPacket& packet = outcome.packet;
  const bool has_ip = packet.key.ip_version() != IpVersion::kNone;
  require(attributes.has_ip() == has_ip, "an IP packet has a length and a TTL");
  require(attributes.length_min == attributes.length_max || !has_ip, "one packet, one length");
  require(attributes.ttl_min == attributes.ttl_max || !has_ip, "one packet, one TTL");
  require(attributes.tos_or == packet.tos, "one packet, one type of service");
  require(attributes.tags == 0 || tag_id(attributes.outer_tag) == packet.key.vlan(),
          "the outer tag is the key's VLAN");
  require(attributes.tunnel == TunnelKind::kNone || has_ip, "no tunnel without IP");
}

// With attributes the packet reads as without them, by the short cut and by the walk.
void check_with_attributes(const PacketView& view, const ParseOptions& options,
                           const Outcome& plain) {
  Outcome quick = plain;
  Outcome thorough = plain;
  FlowAttributes of_quick;
  FlowAttributes of_thorough;
  std::memset(static_cast<void*>(&of_quick), 0xff, sizeof of_quick);
  quick.error = parse_with_attributes(view, options, quick.packet, of_quick);
  thorough.error = parse_general(view, options, thorough.packet, &of_thorough);
  require(is_equal(quick, plain) && is_equal(thorough, plain), "attributes change no packet");
  require(!is_metered(plain.error) || std::memcmp(&of_quick, &of_thorough, sizeof of_quick) == 0,
          "the short cut's attributes are the walk's");
  check_attributes(of_quick, plain);
}

Outcome check_view(const PacketView& view, const ParseOptions& options) {
  const auto shortest = [](const PacketView& v, const ParseOptions& o, ParsedPacket& out) {
    return parse(v, o, out);
  };
  const auto walk = [](const PacketView& v, const ParseOptions& o, ParsedPacket& out) {
    return parse_general(v, o, out);
  };
  const Outcome outcome = run(shortest, view, options);
  check(view, outcome);
  require(is_equal(outcome, run(walk, view, options)), "the short cut is the walk's");
  check_with_attributes(view, options, outcome);
  return outcome;
}

}  // namespace
}  // namespace wiretally::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wiretally;
  const fuzz::PacketInput input({data, size});
  const fuzz::Outcome outer = fuzz::check_view(input.view(), {.tunnel = TunnelView::kOuter});
  const fuzz::Outcome inner = fuzz::check_view(input.view(), {.tunnel = TunnelView::kInner});
  const bool has_ip = is_metered(outer.error) && outer.packet.key.ip_version() != IpVersion::kNone;
  if (!has_ip) fuzz::require(fuzz::is_equal(outer, inner), "no IP header, no tunnel");
  fuzz::require(is_metered(outer.error) == is_metered(inner.error), "tunnels lose no packet");
  return 0;
}
