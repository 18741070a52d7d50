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
         error != ParseError::kNotSampled && error != ParseError::kSelf;
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

Outcome check_view(const PacketView& view, const ParseOptions& options) {
  const Outcome outcome = run(parse, view, options);
  check(view, outcome);
  require(is_equal(outcome, run(parse_general, view, options)), "the short cut is the walk's");
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
