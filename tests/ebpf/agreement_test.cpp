// SPDX-License-Identifier: Apache-2.0
// The kernel's parser against the C++ parser, frame by frame: the same key, octets, flags and ToS,
// or the frame is handed up, and what is handed up is enough for the C++ parser to give the answer
// that the whole frame has. Frames: all Ethernet captures of the corpus, mutations of them, every
// ethertype, and the parser's own samples.
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <random>
#include <sstream>

#include "config/startup_error.hpp"
#include "dataplane/packet/parse.hpp"
#include "dataplane/source/pcap_file_source.hpp"
#include "kernel_parser.hpp"
#include "samples.hpp"

namespace wiretally {
namespace {

using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kFrameMin = 14;  // the kernel tests no shorter ones, and no link has them
constexpr std::size_t kFrameMax =
    60'000;                             // BPF_PROG_TEST_RUN takes 17 pages; cut, it is a frame too
constexpr std::size_t kSentMax = 3000;  // of an skb, which is one page
constexpr PortIndex kPort{5};

std::filesystem::path corpus() {
  const char* given = std::getenv("WIRETALLY_CORPUS");
  const std::filesystem::path place =
      given != nullptr ? given : std::filesystem::path(SOURCE_ROOT) / "../shared/corpus";
  return place / "public/pcaps";
}

PacketView view_of_octets(std::span<const std::uint8_t> octets, std::uint32_t wire_octets) {
  PacketView view;
  view.data = octets.data();
  view.captured = static_cast<std::uint32_t>(octets.size());
  view.wire_octets = wire_octets;
  view.port = kPort;
  return view;
}

// A frame that the capture cut has its length again; what is missing is 0.
Octets on_the_wire(const PacketView& view) {
  Octets frame(view.data, view.data + view.captured);
  if (view.wire_octets > frame.size()) {
    frame.resize(std::min<std::size_t>(view.wire_octets, kFrameMax));
  }
  return frame;
}

std::uint64_t given(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string hex(std::span<const std::uint8_t> octets) {
  std::ostringstream text;
  for (const std::uint8_t octet : octets.first(std::min<std::size_t>(octets.size(), 128))) {
    text << "0123456789abcdef"[octet >> 4] << "0123456789abcdef"[octet & 15];
  }
  return text.str();
}

struct Tally {
  std::uint64_t frames = 0;
  std::uint64_t counted = 0;
  std::uint64_t handed_up = 0;
  std::uint64_t cut = 0;  // headers longer than what is handed up
  std::uint64_t differ = 0;
};

struct Tested {
  bool tunnel_inner;
  bool sent;
};

class Agreement : public ::testing::TestWithParam<Tested> {
 protected:
  void SetUp() override {
    if (const std::string why = KernelParser::why_not_here(); !why.empty()) {
      GTEST_SKIP() << "this process may not load BPF programs: " << why;
    }
    XdpLoaderOptions options;
    options.map_entries = 64;
    options.ring_octets = 1u << 18;
    options.port = options.port_sent = static_cast<std::uint8_t>(kPort);
    options.tunnel_inner = GetParam().tunnel_inner;
    options.sent = GetParam().sent;
    kernel_ = std::make_unique<KernelParser>(options, options.sent);
    parse_options_.tunnel = GetParam().tunnel_inner ? TunnelView::kInner : TunnelView::kOuter;
  }
  void TearDown() override {
    if (tally_.frames == 0) return;
    std::printf(
        "  %llu frames: %llu counted in the kernel as in user space, %llu handed up (%llu "
        "with headers beyond %d octets), %llu differ\n",
        static_cast<unsigned long long>(tally_.frames),
        static_cast<unsigned long long>(tally_.counted),
        static_cast<unsigned long long>(tally_.handed_up),
        static_cast<unsigned long long>(tally_.cut), WT_HEAD_OCTETS_MAX,
        static_cast<unsigned long long>(tally_.differ));
    EXPECT_EQ(tally_.differ, 0u);
  }

  static std::size_t frame_max() { return GetParam().sent ? kSentMax : kFrameMax; }

  // Tells the first few differences in full.
  void differs(std::span<const std::uint8_t> frame, const std::string& how) {
    if (++tally_.differ > 5) return;
    ADD_FAILURE() << how << "\n  frame of " << frame.size() << " octets: " << hex(frame);
  }

  void compare(std::span<const std::uint8_t> whole) {
    // The kernel runs no program on an skb that has nothing behind its Ethernet header.
    if (whole.size() < kFrameMin + (GetParam().sent ? 1 : 0)) return;
    const auto frame = whole.first(std::min(whole.size(), frame_max()));
    ++tally_.frames;
    const auto wire = static_cast<std::uint32_t>(frame.size());
    ParsedPacket expected;
    const ParseError outcome =
        wiretally::parse(view_of_octets(frame, wire), parse_options_, expected);
    const KernelVerdict verdict = kernel_->parse(frame);
    if (verdict.refused) return;
    const kernel_totals& t = verdict.totals;
    EXPECT_EQ(t.received.packets, 1u);
    EXPECT_EQ(t.received.l2_octets, wire);
    if (verdict.counted) {
      ++tally_.counted;
      compare_counted(frame, verdict, expected, outcome);
    } else {
      ++tally_.handed_up;
      compare_handed_up(frame, verdict, expected, outcome);
    }
  }

  void compare_counted(std::span<const std::uint8_t> frame, const KernelVerdict& verdict,
                       const ParsedPacket& expected, ParseError outcome) {
    const kernel_flow_count& count = verdict.counted->count;
    ParsedPacket got;
    std::memcpy(static_cast<void*>(&got.key), &verdict.counted->key, sizeof got.key);
    got.octets = count.octets;
    got.wire_octets = static_cast<std::uint32_t>(count.l2_octets);
    got.tcp_flags = count.tcp_flags;
    got.tos = count.tos;
    const bool same = outcome == ParseError::kNone && got.key == expected.key &&
                      got.octets == expected.octets && got.wire_octets == expected.wire_octets &&
                      got.tcp_flags == expected.tcp_flags && got.tos == expected.tos;
    if (!same) {
      differs(frame, "kernel: " + describe(got, ParseError::kNone) +
                         "\n  C++:    " + describe(expected, outcome));
    }
    EXPECT_EQ(count.packets, 1u);
    EXPECT_NE(count.first, 0u);
    EXPECT_EQ(count.first, count.last);
    const auto version = static_cast<std::size_t>(got.key.ip_version());
    EXPECT_EQ(verdict.totals.counted[version].packets, 1u);
    EXPECT_EQ(verdict.totals.counted[version].octets, count.octets);
    EXPECT_EQ(verdict.totals.counted[version].l2_octets, count.l2_octets);
    EXPECT_EQ(verdict.totals.handed_up.packets, 0u);
  }

  void compare_handed_up(std::span<const std::uint8_t> frame, const KernelVerdict& verdict,
                         const ParsedPacket& expected, ParseError outcome) {
    EXPECT_EQ(verdict.totals.handed_up.packets, 1u);
    EXPECT_EQ(verdict.totals.handed_up.l2_octets, frame.size());
    EXPECT_EQ(verdict.handed_up.wire_octets, frame.size());
    const std::size_t size = verdict.head.size();
    if (size > frame.size() || std::memcmp(verdict.head.data(), frame.data(), size) != 0) {
      return differs(frame, "what was handed up is not the head of the frame");
    }
    EXPECT_EQ(size, std::min<std::size_t>(frame.size(), WT_HEAD_OCTETS_MAX));
    ParsedPacket got;
    const ParseError result = wiretally::parse(
        view_of_octets(verdict.head, verdict.handed_up.wire_octets), parse_options_, got);
    if (result == outcome && describe(got, result) == describe(expected, outcome)) return;
    if (size < frame.size()) {
      ++tally_.cut;
      return;
    }
    differs(frame, "of the whole frame, handed up: " + describe(got, result) +
                       "\n  C++: " + describe(expected, outcome));
  }

  template <class Take>
  static void for_each_corpus_frame(Take take) {
    for (const auto& file : std::filesystem::directory_iterator(corpus())) {
      PcapFileSource source({file.path().string()}, kPort);
      std::array<PacketView, kBurstMax> views;
      while (!source.exhausted()) {
        const std::size_t count = source.poll(views);
        for (const PacketView& view : std::span(views).first(count)) {
          if (view.link_type == LinkType::kEthernet) take(on_the_wire(view));
        }
        source.release();
      }
    }
  }

  std::unique_ptr<KernelParser> kernel_;
  ParseOptions parse_options_;
  Tally tally_;
};

INSTANTIATE_TEST_SUITE_P(Tunnel, Agreement,
                         ::testing::Values(Tested{false, false}, Tested{true, false},
                                           Tested{false, true}, Tested{true, true}),
                         [](const auto& tested) {
                           return std::string(tested.param.tunnel_inner ? "inner" : "outer") +
                                  (tested.param.sent ? "_sent" : "");
                         });

TEST_P(Agreement, holds_for_every_ethernet_frame_of_the_corpus) {
  if (!std::filesystem::exists(corpus())) GTEST_SKIP() << "there is no corpus at " << corpus();
  for_each_corpus_frame([&](std::span<const std::uint8_t> frame) { compare(frame); });
  EXPECT_GT(tally_.frames, 300'000u);
  // Handing everything up would agree too.
  EXPECT_GT(tally_.counted, tally_.frames * 9 / 10);
}

Octets mutated(const Octets& from, std::mt19937_64& random) {
  Octets frame = from;
  const auto draw = [&](std::size_t below) { return static_cast<std::size_t>(random() % below); };
  const std::size_t reach = std::min<std::size_t>(frame.size(), 14 + draw(120));
  for (std::size_t changes = 1 + draw(6); changes > 0; --changes) {
    std::uint8_t& octet = frame[12 + draw(reach > 13 ? reach - 12 : 1)];
    switch (draw(4)) {
      case 0:
        octet = static_cast<std::uint8_t>(random());
        break;
      case 1:
        octet ^= static_cast<std::uint8_t>(1u << draw(8));
        break;
      case 2:
        octet = static_cast<std::uint8_t>(octet + 1 - 2 * draw(2));
        break;
      default:
        octet = draw(2) == 0 ? 0 : 0xff;
    }
  }
  if (draw(3) == 0) frame.resize(kFrameMin + draw(frame.size() - kFrameMin + 1));
  if (draw(8) == 0) frame.resize(frame.size() + draw(40));
  return frame;
}

TEST_P(Agreement, holds_for_mutated_frames) {
  std::vector<Octets> frames;
  for (const Sample& sample : all_samples()) {
    if (sample.link_type == LinkType::kEthernet) frames.push_back(sample.octets);
  }
  std::size_t seen = 0;
  if (std::filesystem::exists(corpus())) {
    for_each_corpus_frame([&](std::span<const std::uint8_t> frame) {
      // All of the small captures, some of the large ones: otherwise TCP is all there is.
      if (seen++ % 37 == 0) frames.emplace_back(frame.begin(), frame.end());
    });
  }
  std::erase_if(frames, [](const Octets& frame) { return frame.size() < kFrameMin + 2; });
  const std::uint64_t seed = given("WIRETALLY_TEST_SEED", std::random_device{}());
  std::printf("  seed %llu (WIRETALLY_TEST_SEED)\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const std::uint64_t count = given("WIRETALLY_TEST_MUTATIONS", 20'000);
  for (std::uint64_t i = 0; i < count; ++i) {
    compare(mutated(frames[random() % frames.size()], random));
  }
  EXPECT_GE(tally_.frames, count / 2);
  EXPECT_GT(tally_.counted, tally_.frames / 5);
}

TEST_P(Agreement, holds_for_every_sample_of_the_parser_and_all_its_truncations) {
  for (const Sample& sample : all_samples()) {
    if (sample.link_type != LinkType::kEthernet) continue;
    const std::size_t cut_max = std::min<std::size_t>(sample.octets.size(), 200);
    compare(sample.octets);
    for (std::size_t size = kFrameMin; size < cut_max; ++size) {
      compare(std::span(sample.octets).first(size));
    }
  }
  EXPECT_GT(tally_.frames, 1000u);
}

// Whatever is behind it: a list of ethertypes in two places must not drift apart.
TEST_P(Agreement, holds_for_every_ethertype_untagged_and_tagged) {
  Octets frame(14 + 4 + 60, 0);
  const std::array<std::uint8_t, 28> ip = {0x45, 3, 0,  28, 0, 0, 0,    0,   64, 17,
                                           0,    0, 10, 1,  2, 3, 10,   4,   5,  6,
                                           0x30, 1, 0,  53, 0, 8, 0x00, 0x00};
  for (unsigned type = 0; type <= 0xffff; ++type) {
    for (const std::size_t at : {std::size_t{12}, std::size_t{16}}) {
      std::fill(frame.begin(), frame.end(), std::uint8_t{0});
      frame[12] = 0x81;
      frame[14] = 0x20;
      frame[15] = 9;
      frame[at] = static_cast<std::uint8_t>(type >> 8);
      frame[at + 1] = static_cast<std::uint8_t>(type);
      std::copy(ip.begin(), ip.end(), frame.begin() + static_cast<std::ptrdiff_t>(at) + 2);
      compare(frame);
    }
  }
  EXPECT_EQ(tally_.frames, 2u * 65'536);
  EXPECT_GT(tally_.counted, tally_.frames / 2);
}

TEST_P(Agreement, holds_for_every_protocol_of_ipv4_and_ipv6) {
  for (unsigned protocol = 0; protocol < 256; ++protocol) {
    for (const std::size_t body : {0u, 1u, 2u, 4u, 7u, 8u, 13u, 14u, 20u, 40u, 64u}) {
      Octets v4(34 + body, 0x11);
      const std::array<std::uint8_t, 12> head4 = {
          8, 0, 0x45, 0, 0,  static_cast<std::uint8_t>(20 + body),
          0, 0, 0,    0, 64, static_cast<std::uint8_t>(protocol)};
      std::copy(head4.begin(), head4.end(), v4.begin() + 12);
      compare(v4);
      v4[20] = 0x20;  // a first fragment
      compare(v4);
      v4[21] = 7;  // a later one
      compare(v4);
      Octets v6(54 + body, 0x11);
      const std::array<std::uint8_t, 10> head6 = {0x86,
                                                  0xdd,
                                                  0x61,
                                                  0x20,
                                                  0,
                                                  0,
                                                  0,
                                                  static_cast<std::uint8_t>(body),
                                                  static_cast<std::uint8_t>(protocol),
                                                  64};
      std::copy(head6.begin(), head6.end(), v6.begin() + 12);
      compare(v6);
    }
  }
}

// First fragments are to be known to user space, atomic ones (RFC 6946) are none.
TEST(KernelProgram, hands_up_every_fragment_when_they_are_to_be_joined) {
  if (const std::string why = KernelParser::why_not_here(); !why.empty()) {
    GTEST_SKIP() << "this process may not load BPF programs: " << why;
  }
  XdpLoaderOptions options;
  options.map_entries = 64;
  options.join_fragments = true;
  KernelParser kernel(options);
  Octets v4(60, 0);
  const std::array<std::uint8_t, 12> head4 = {8, 0, 0x45, 0, 0, 46, 0, 1, 0, 0, 64, 17};
  std::copy(head4.begin(), head4.end(), v4.begin() + 12);
  Octets v6(80, 0);
  const std::array<std::uint8_t, 10> head6 = {0x86, 0xdd, 0x60, 0, 0, 0, 0, 26, 44, 64};
  std::copy(head6.begin(), head6.end(), v6.begin() + 12);
  v6[54] = 17;
  struct Case {
    std::uint8_t high;
    std::uint8_t low;
    bool up4;
    bool up6;
  };
  // flags and offset: IPv4 has more-fragments in the first octet, IPv6 in the last bit
  for (const Case& c :
       {Case{0, 0, false, false}, Case{0x40, 0, false, true}, Case{0x20, 0, true, true},
        Case{0, 1, true, true}, Case{0, 8, true, true}, Case{0, 6, true, false}}) {
    v4[20] = v6[56] = c.high;
    v4[21] = v6[57] = c.low;
    const KernelVerdict four = kernel.parse(v4);
    EXPECT_EQ(!four.counted, c.up4) << int{c.high} << " " << int{c.low};
    EXPECT_EQ(four.totals.handed_up_by[WT_UP_FRAGMENT], c.up4 ? 1u : 0u);
    const KernelVerdict six = kernel.parse(v6);
    EXPECT_EQ(!six.counted, c.up6) << int{c.high} << " " << int{c.low};
    EXPECT_EQ(six.totals.handed_up_by[WT_UP_FRAGMENT], c.up6 ? 1u : 0u);
  }
}

TEST(KernelProgram, sees_the_whole_length_of_a_frame_in_pieces) {
  if (const std::string why = KernelParser::why_not_here(); !why.empty()) {
    GTEST_SKIP() << "this process may not load BPF programs: " << why;
  }
  if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_xdp_get_buff_len, nullptr) != 1) {
    GTEST_SKIP() << "before Linux 5.18 no frame is in pieces";
  }
  XdpLoaderOptions options;
  options.map_entries = 64;
  KernelParser kernel(options);
  Octets frame(9000, 0);
  const std::array<std::uint8_t, 12> head = {8, 0, 0x45, 0, 0x23, 0x1a, 0, 0, 0, 0, 64, 17};
  std::copy(head.begin(), head.end(), frame.begin() + 12);
  const KernelVerdict verdict = kernel.parse(frame);
  ASSERT_TRUE(verdict.counted);
  EXPECT_EQ(verdict.counted->count.l2_octets, 9000u);
  EXPECT_EQ(verdict.counted->count.octets, 0x231au);
}

// 2500 octets in ten segments of 240 and one of 100, each with 66 octets of headers.
TEST(KernelProgram, counts_the_segments_that_a_frame_is_cut_into) {
  if (const std::string why = KernelParser::why_not_here(); !why.empty()) {
    GTEST_SKIP() << "this process may not load BPF programs: " << why;
  }
  constexpr std::uint32_t kPayload = 2500, kHeaders = 14 + 20 + 32;
  XdpLoaderOptions options;
  options.map_entries = 64;
  options.sent = true;
  KernelParser kernel(options, true);
  Octets frame(kHeaders + kPayload, 0);
  const std::array<std::uint8_t, 12> head = {8, 0, 0x45, 0, 0x09, 0xf8, 0, 0, 0, 0, 64, 6};
  std::copy(head.begin(), head.end(), frame.begin() + 12);
  frame[46] = 0x80;  // a TCP header of 32 octets
  frame[47] = 0x18;
  for (const std::uint32_t told : {11u, 0u}) {  // by the kernel, or to be found out
    const std::uint32_t wire = kPayload + 11 * kHeaders;
    const KernelVerdict verdict = kernel.parse_uncut(frame, 240, told, wire);
    ASSERT_TRUE(verdict.counted);
    EXPECT_EQ(verdict.counted->count.packets, 11u);
    EXPECT_EQ(verdict.counted->count.l2_octets, wire);
    EXPECT_EQ(verdict.counted->count.octets, wire - 11 * 14);
    EXPECT_EQ(verdict.counted->count.tcp_flags, 0x18);
    EXPECT_EQ(verdict.totals.received.packets, 11u);
    EXPECT_EQ(verdict.totals.counted[1].octets, wire - 11 * 14);
  }
}

}  // namespace
}  // namespace wiretally
