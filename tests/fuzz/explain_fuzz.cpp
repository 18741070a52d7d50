// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: any octets under any link type, explained header by header as `read --explain`
// does. The explanation is of the packet that is counted, whatever is in it: the same result and
// key as parse(), and text that a terminal can show.
#include <cstring>

#include "control/cli/packet_explanation.hpp"
#include "tests/fuzz/support.hpp"

namespace wiretally::fuzz {
namespace {

constexpr std::size_t kTextMax = 64 * 1024;  // every depth has its bound, so has the text

bool is_plain_text(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  });
}

void check(const PacketView& view, const ParseOptions& options) {
  const ExplainedPacket explained = explain_packet(view, options, 1);
  ParsedPacket packet;
  const ParseError result = parse(view, options, packet);
  require(explained.agrees, "the explanation agrees with the count");
  require(explained.result == result, "the explanation ends as the count does");
  require(!is_metered(result) || std::memcmp(&explained.packet, &packet, sizeof packet) == 0,
          "what is explained is what is counted");
  require(explained.text.ends_with('\n'), "an explanation is whole lines");
  require(explained.text.size() <= kTextMax, "an explanation has its bound");
  require(is_plain_text(explained.text), "no octet of a packet gets to the terminal as it is");
}

}  // namespace
}  // namespace wiretally::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wiretally;
  const fuzz::PacketInput input({data, size});
  fuzz::check(input.view(), {.tunnel = TunnelView::kOuter});
  fuzz::check(input.view(), {.tunnel = TunnelView::kInner});
  return 0;
}
