// SPDX-License-Identifier: Apache-2.0
// Nothing a packet can say may hurt: every truncation and every single-octet corruption of every
// sample, in a buffer of exactly that size, so that the address sanitizer sees the first octet too
// far.
#include <gtest/gtest.h>

#include <memory>

#include "dataplane/packet/parse.hpp"
#include "samples.hpp"

namespace wiretally {
namespace {

constexpr ParseOptions kOuter{.tunnel = TunnelView::kOuter};
constexpr ParseOptions kInner{.tunnel = TunnelView::kInner};
constexpr std::size_t kHeadersMax = 160;  // octets of a sample that are worth corrupting

// A view of a copy that ends where its buffer ends.
class ExactCopy {
 public:
  ExactCopy(const Sample& sample, std::size_t octets)
      : data_(new std::uint8_t[octets]), view_(view_of(sample)) {
    std::copy_n(sample.octets.begin(), octets, data_.get());
    view_.data = data_.get();
    view_.captured = static_cast<std::uint32_t>(octets);
  }
  std::uint8_t& operator[](std::size_t i) { return data_[i]; }
  [[nodiscard]] const PacketView& view() const { return view_; }

 private:
  std::unique_ptr<std::uint8_t[]> data_;
  PacketView view_;
};

// One result whatever the packet: in one flow, or under one reason; the frame's length untouched.
void expect_accounted(const PacketView& view) {
  for (const ParseOptions& options : {kOuter, kInner}) {
    ParsedPacket packet;
    const ParseError outcome = parse(view, options, packet);
    ASSERT_LT(static_cast<std::size_t>(outcome), kParseErrors);
    if (!is_metered(outcome)) continue;
    ASSERT_EQ(packet.wire_octets, view.wire_octets);
    ParsedPacket thorough;
    ASSERT_EQ(parse_general(view, options, thorough), outcome);
    ASSERT_EQ(std::memcmp(&packet, &thorough, sizeof packet), 0);
  }
}

TEST(ParseDamage, every_truncation_of_every_sample_is_accounted_for) {
  for (const Sample& sample : all_samples()) {
    SCOPED_TRACE(sample.description);
    for (std::size_t octets = 0; octets <= sample.octets.size(); ++octets) {
      SCOPED_TRACE(octets);
      expect_accounted(ExactCopy(sample, octets).view());
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(ParseDamage, every_corrupt_octet_of_every_header_is_accounted_for) {
  for (const Sample& sample : all_samples()) {
    SCOPED_TRACE(sample.description);
    ExactCopy copy(sample, sample.octets.size());
    const std::size_t end = std::min(kHeadersMax, sample.octets.size());
    for (std::size_t at = 0; at < end; ++at) {
      const std::uint8_t good = copy[at];
      for (unsigned value = 0; value < 256; ++value) {
        copy[at] = static_cast<std::uint8_t>(value);
        expect_accounted(copy.view());
        if (testing::Test::HasFatalFailure()) FAIL() << "octet " << at << " value " << value;
      }
      copy[at] = good;
    }
  }
}

TEST(ParseDamage, a_cut_capture_never_changes_the_octets_of_a_packet) {
  for (const Sample& sample : network_samples()) {
    SCOPED_TRACE(sample.description);
    ParsedPacket whole;
    if (!is_metered(parse(view_of(sample), kOuter, whole))) continue;
    if (whole.octets > 65'535 + 40) continue;  // a jumbogram's length stands in an option
    for (std::size_t octets = 0; octets <= sample.octets.size(); ++octets) {
      ParsedPacket packet;
      const ExactCopy cut(sample, octets);
      const ParseError outcome = parse(cut.view(), kOuter, packet);
      if (!is_metered(outcome) || packet.key.ip_version() == IpVersion::kNone) continue;
      EXPECT_EQ(packet.octets, whole.octets) << octets;
    }
  }
}

}  // namespace
}  // namespace wiretally
