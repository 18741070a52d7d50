// SPDX-License-Identifier: Apache-2.0
// One number over everything the parser says of all samples, whole, cut and corrupted, and of the
// packets of the corpus, if it is there; by both headers, with the attributes. Built with several
// compiler settings, all of which must print the same.
#include <cstdio>

#include "dataplane/packet/parse.hpp"
#include "samples.hpp"
#include "tests/support/corpus_captures.hpp"

namespace wiretally {
namespace {

class Digest {  // FNV-1a
 public:
  void add(const void* data, std::size_t size) {
    const auto* octets = static_cast<const std::uint8_t*>(data);
    for (std::size_t i = 0; i < size; ++i) value_ = (value_ ^ octets[i]) * 0x100000001b3;
    ++results_;
  }
  void add(const PacketView& view) {
    for (const TunnelView tunnel : {TunnelView::kOuter, TunnelView::kInner}) {
      ParsedPacket packet;
      const ParseError outcome = parse(view, {.tunnel = tunnel}, packet);
      add(&outcome, sizeof outcome);
      if (!is_metered(outcome)) continue;
      add(&packet, sizeof packet);
      FlowAttributes attributes;
      parse_with_attributes(view, {.tunnel = tunnel}, packet, attributes);
      add(&attributes, sizeof attributes);
    }
  }
  void print() const { std::printf("%016lx over %lu\n", value_, results_); }

 private:
  unsigned long value_ = 0xcbf29ce484222325;
  unsigned long results_ = 0;
};

void add_damaged(Sample sample, Digest& digest) {
  PacketView view = view_of(sample);
  for (view.captured = 0; view.captured < sample.octets.size(); ++view.captured) digest.add(view);
  digest.add(view);
  for (std::uint8_t& octet : sample.octets) {
    for (const unsigned change : {0x01U, 0x10U, 0x80U, 0xffU}) {
      octet = static_cast<std::uint8_t>(octet ^ change);
      digest.add(view);
      octet = static_cast<std::uint8_t>(octet ^ change);
    }
  }
}

}  // namespace
}  // namespace wiretally

int main() {
  wiretally::Digest digest;
  for (const wiretally::Sample& sample : wiretally::all_samples()) {
    wiretally::add_damaged(sample, digest);
  }
  for (const auto& path : wiretally::corpus_captures()) {
    wiretally::for_each_packet(path,
                               [&](const wiretally::PacketView& view, auto) { digest.add(view); });
  }
  digest.print();
}
