// SPDX-License-Identifier: Apache-2.0
// pcapng files, made block by block.
#include <gtest/gtest.h>

#include <limits>

#include "config/startup_error.hpp"
#include "dataplane/source/capture_file.hpp"
#include "dataplane/source/capture_file_pcapng.hpp"
#include "tests/dataplane/source/capture_bytes.hpp"

namespace wiretally::testing {
namespace {

constexpr Order kBothOrders[] = {Order::kLittle, Order::kBig};
constexpr std::uint16_t kResolution = 9;
constexpr std::uint16_t kOffset = 14;
constexpr std::uint64_t kStamp = 1'700'000'000'123'456;  // microseconds
constexpr TimeNs kStampNs = 1'700'000'000'123'456'000;

Recording read_octets(std::string_view octets) {
  const TemporaryFile file(octets, ".pcapng");
  Recording recording = read_file(file.path());
  if (recording.damage.starts_with(file.path())) recording.damage.erase(0, file.path().size());
  return recording;
}

TEST(PcapngFile, reads_the_three_kinds_of_packet_blocks_in_both_byte_orders) {
  for (const Order order : kBothOrders) {
    const std::string octets = section_header(order) + interface_block(order, 1, 4) +
                               enhanced_packet(order, 0, kStamp, "abcde", 60) +
                               simple_packet(order, "wxyz", 1500) + simple_packet(order, "ab", 2) +
                               obsolete_packet(order, 0, kStamp + 1, "123", 3);
    const Recording recording = read_octets(octets);
    const std::vector<Packet> expected = {{"abcde", 60, kStampNs, LinkType::kEthernet},
                                          {"wxyz", 1500, 0, LinkType::kEthernet},
                                          {"ab", 2, 0, LinkType::kEthernet},
                                          {"123", 3, kStampNs + 1000, LinkType::kEthernet}};
    EXPECT_EQ(recording.packets, expected);
    EXPECT_EQ(recording.damage, "");
  }
}

TEST(PcapngFile, gives_each_packet_the_link_type_and_clock_of_its_interface) {
  const Order order = Order::kLittle;
  const std::string nanoseconds =
      option(order, 2, "eth0") + option(order, kResolution, "\x09") + option(order, 0, "");
  const std::string offset =
      option(order, kResolution, std::string(1, '\0')) +
      option(order, kOffset, Octets(order).u64(static_cast<std::uint64_t>(-100)).text());
  const Recording recording = read_octets(
      section_header(order) + interface_block(order, 0, 0) +
      interface_block(order, 113, 0, nanoseconds) + interface_block(order, 276, 0, offset) +
      enhanced_packet(order, 2, 1100, "c", 1) + enhanced_packet(order, 0, 5, "a", 1) +
      enhanced_packet(order, 1, 7, "b", 1, option(order, 2, "flag") + option(order, 0, "")));
  const std::vector<Packet> expected = {{"c", 1, 1000 * kNsPerSecond, LinkType::kLinuxSll2},
                                        {"a", 1, 5000, LinkType::kNull},
                                        {"b", 1, 7, LinkType::kLinuxSll}};
  EXPECT_EQ(recording.packets, expected);
  EXPECT_EQ(recording.damage, "");
}

TEST(PcapngFile, forgets_the_interfaces_of_a_section_and_changes_the_byte_order_with_the_next) {
  const Recording recording = read_octets(
      section_header(Order::kBig) + interface_block(Order::kBig, 101, 0) +
      enhanced_packet(Order::kBig, 0, 1, "one", 3) + section_header(Order::kLittle) +
      interface_block(Order::kLittle, 0, 0) + enhanced_packet(Order::kLittle, 0, 2, "two", 3) +
      section_header(Order::kBig) + enhanced_packet(Order::kBig, 0, 3, "three", 5));
  const std::vector<Packet> expected = {{"one", 3, 1000, LinkType::kRaw},
                                        {"two", 3, 2000, LinkType::kNull}};
  EXPECT_EQ(recording.packets, expected);
  EXPECT_NE(recording.damage.find("interface 0 was not described before"), std::string::npos)
      << recording.damage;
}

TEST(PcapngFile, steps_over_every_other_block) {
  for (const Order order : kBothOrders) {
    std::string octets = section_header(order) + interface_block(order, 1, 0);
    std::size_t packets = 0;
    // Name resolution, statistics, journal, secrets, custom (both kinds), and one nobody knows.
    for (const std::uint32_t type : {4u, 5u, 9u, 10u, 0xbadu, 0x40000badu, 0x7fffffffu}) {
      octets += block(order, type, std::string(type % 40, 'b'));
      octets += enhanced_packet(order, 0, ++packets, "p", 1);
    }
    const Recording recording = read_octets(octets);
    EXPECT_EQ(recording.packets.size(), packets);
    EXPECT_EQ(recording.damage, "");
  }
}

TEST(PcapngFile, accepts_a_block_whose_length_leaves_out_its_padding) {
  const Order order = Order::kLittle;
  const std::string sloppy = Octets(order)
                                 .u32(6)
                                 .u32(33)
                                 .u32(0)
                                 .u32(0)
                                 .u32(9)
                                 .u32(1)
                                 .u32(1)
                                 .raw("s")
                                 .pad4()
                                 .u32(33)
                                 .text();
  const Recording recording = read_octets(section_header(order) + interface_block(order, 1, 0) +
                                          sloppy + enhanced_packet(order, 0, 10, "t", 1));
  EXPECT_EQ(recording.packets.size(), 2u);
  EXPECT_EQ(recording.damage, "");
}

TEST(PcapngFile, cut_at_any_octet_gives_the_whole_packets_before_the_cut) {
  const Order order = Order::kLittle;
  const std::string head = section_header(order) + interface_block(order, 1, 0);
  std::string octets = head;
  std::vector<std::size_t> whole_blocks = {28, head.size()};
  std::vector<std::size_t> packet_ends;
  for (std::size_t i = 0; i < 4; ++i) {
    octets += enhanced_packet(order, 0, i, std::string(i, 'e'), 9);
    packet_ends.push_back(octets.size());
    whole_blocks.push_back(octets.size());
    octets += block(order, 5, "statistics");
    whole_blocks.push_back(octets.size());
  }
  const TemporaryFile file("", ".pcapng");
  for (std::size_t cut = 28; cut <= octets.size(); ++cut) {
    file.write(octets.substr(0, cut));
    const Recording recording = read_file(file.path());
    const auto whole = std::upper_bound(packet_ends.begin(), packet_ends.end(), cut);
    EXPECT_EQ(recording.packets.size(), static_cast<std::size_t>(whole - packet_ends.begin()));
    const bool clean = std::count(whole_blocks.begin(), whole_blocks.end(), cut) > 0;
    EXPECT_EQ(recording.damage.empty(), clean) << cut << ": " << recording.damage;
    if (!clean) {
      EXPECT_NE(recording.damage.find("cut off inside a block"), std::string::npos);
    }
  }
}

TEST(PcapngFile, stops_at_nonsense_and_names_it) {
  const Order order = Order::kLittle;
  const std::string good = section_header(order) + interface_block(order, 1, 0) +
                           enhanced_packet(order, 0, 1, "good", 4);
  const auto packet_claiming = [](std::uint32_t captured) {
    return block(Order::kLittle, 6,
                 Octets().u32(0).u32(0).u32(0).u32(captured).u32(captured).raw("abcd").text());
  };
  const struct {
    const char* description;
    std::string octets;
    const char* words;
    std::size_t octets_before = 0;  // of a block that is stepped over, until its second length
  } cases[] = {
      {"block shorter than its frame", Octets().u32(6).u32(8).u32(8).text(), "cannot be 8 octets"},
      {"block of length 0", std::string(64, '\0'), "cannot be 0 octets"},
      {"packet block shorter than its fields", block(order, 6, "short"), "cannot be 20 octets"},
      {"simple packet block without length", block(order, 3, ""), "cannot be 12 octets"},
      {"interface block too short", block(order, 1, "link"), "cannot be 16 octets"},
      {"packet block of 4 GiB", Octets().u32(6).u32(0xfffffff0).u32(0).u32(0).text(),
       "cannot be 4294967280 octets"},
      {"lengths differ", Octets().u32(5).u32(12).u32(16).text(), "ends with length 16", 8},
      {"lengths of a packet differ",
       enhanced_packet(order, 0, 1, "", 0).substr(0, 28) + Octets().u32(36).text(),
       "ends with length 36"},
      {"captured more than the block holds", packet_claiming(5), "a packet of 5 captured octets"},
      {"captured 4 GiB", packet_claiming(0xffffffff), "4294967295 captured octets"},
      {"simple packet shorter than its length", simple_packet(order, "abcd", 5), "5 captured"},
      {"unknown interface", enhanced_packet(order, 1, 1, "", 0), "interface 1 was not described"},
      {"version", section_header(order, 9), "version 9"},
      {"no byte-order magic", block(order, 0x0a0d0d0a, std::string(16, 'x')), "byte-order magic"},
  };
  for (const auto& each : cases) {
    SCOPED_TRACE(each.description);
    const Recording recording = read_octets(good + each.octets);
    EXPECT_EQ(recording.packets.size(), 1u);
    EXPECT_NE(recording.damage.find(each.words), std::string::npos) << recording.damage;
    const std::string place = "at octet " + std::to_string(good.size() + each.octets_before) + ":";
    EXPECT_NE(recording.damage.find(place), std::string::npos) << recording.damage;
  }
}

TEST(PcapngFile, bounds_the_interfaces_of_a_section) {
  std::string octets = section_header(Order::kLittle);
  const std::string one = interface_block(Order::kLittle, 1, 0);
  for (std::size_t i = 0; i < PcapngFormat::kInterfacesMax; ++i) octets += one;
  const std::string packet = enhanced_packet(Order::kLittle, 65535, 1, "last", 4);
  EXPECT_EQ(read_octets(octets + packet).packets.size(), 1u);
  EXPECT_NE(read_octets(octets + one + packet).damage.find("more than 65536 interfaces"),
            std::string::npos);
}

TEST(PcapngFile, refuses_a_section_header_that_is_cut_off) {
  const std::string header = section_header(Order::kBig);
  for (std::size_t cut = 4; cut < header.size(); ++cut) {
    const TemporaryFile file(header.substr(0, cut), ".pcapng");
    EXPECT_THROW(CaptureFile(file.path(), PortIndex{}), StartupError) << cut;
  }
}

TEST(PcapngFile, survives_any_option_list) {
  const Order order = Order::kLittle;
  const std::string all = option(order, kResolution, "\x09") +
                          option(order, kOffset, std::string(8, '\x01')) + option(order, 99, "xyz");
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    const Recording recording =
        read_octets(section_header(order) + interface_block(order, 1, 0, all.substr(0, cut)) +
                    enhanced_packet(order, 0, 1, "p", 1));
    EXPECT_EQ(recording.packets.size(), 1u) << cut;
    EXPECT_EQ(recording.damage, "");
  }
}

TEST(PcapngClock, converts_every_resolution_and_saturates) {
  const struct {
    const char* description;
    std::uint8_t resolution;
    std::int64_t offset_s;
    std::uint64_t stamp;
    TimeNs expected;
  } cases[] = {
      {"seconds", 0, 0, 7, 7 * kNsPerSecond},
      {"milliseconds", 3, 0, 7, 7'000'000},
      {"microseconds", 6, 0, kStamp, kStampNs},
      {"nanoseconds", 9, 0, 123, 123},
      {"picoseconds, rounded down", 12, 0, 123'999, 123},
      {"10^-20 s", 20, 0, ~std::uint64_t{0}, 184'467'440},
      {"10^-127 s", 127, 0, ~std::uint64_t{0}, 0},
      {"2^0 s", 0x80, 0, 3, 3 * kNsPerSecond},
      {"2^-10 s", 0x8a, 0, 1024 + 512, 1'500'000'000},
      {"2^-32 s (NTP)", 0xa0, 0, (std::uint64_t{5} << 32) + (1u << 31), 5'500'000'000},
      {"2^-127 s", 0xff, 0, ~std::uint64_t{0}, 0},
      {"microseconds and an offset", 6, 1'700'000'000, 1, 1'700'000'000'000'001'000},
      {"before the epoch", 6, -10, 1'000'000, -9 * kNsPerSecond},
      {"beyond all time", 0, 0, ~std::uint64_t{0}, std::numeric_limits<TimeNs>::max()},
      {"nanoseconds beyond 2262", 9, 0, ~std::uint64_t{0}, std::numeric_limits<TimeNs>::max()},
      {"offset beyond all time", 6, std::numeric_limits<std::int64_t>::max(), 0,
       std::numeric_limits<TimeNs>::max()},
      {"offset before all time", 6, std::numeric_limits<std::int64_t>::min(), 0,
       std::numeric_limits<TimeNs>::min()},
  };
  for (const auto& each : cases) {
    PcapngClock clock;
    clock.set_offset_s(each.offset_s);
    clock.set_resolution(each.resolution);
    EXPECT_EQ(clock.to_ns(each.stamp), each.expected) << each.description;
    PcapngClock other_order;
    other_order.set_resolution(each.resolution);
    other_order.set_offset_s(each.offset_s);
    EXPECT_EQ(other_order.to_ns(each.stamp), each.expected) << each.description;
  }
}

}  // namespace
}  // namespace wiretally::testing
