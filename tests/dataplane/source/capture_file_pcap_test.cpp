// SPDX-License-Identifier: Apache-2.0
// Classic pcap files, made octet by octet.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "config/startup_error.hpp"
#include "dataplane/source/capture_file.hpp"
#include "tests/dataplane/source/capture_bytes.hpp"

namespace wiretally::testing {
namespace {

struct Variant {
  const char* description;
  Order order;
  std::uint32_t magic;
  std::uint32_t fraction;
  TimeNs fraction_ns;
};

constexpr Variant kVariants[] = {
    {"little-endian microseconds", Order::kLittle, kMicroseconds, 123'456, 123'456'000},
    {"big-endian microseconds", Order::kBig, kMicroseconds, 123'456, 123'456'000},
    {"little-endian nanoseconds", Order::kLittle, kNanoseconds, 123'456'789, 123'456'789},
    {"big-endian nanoseconds", Order::kBig, kNanoseconds, 123'456'789, 123'456'789},
};

// Expects a StartupError and returns its text.
std::string refusal(const std::string& path, ExitCode code) {
  try {
    CaptureFile file(path, PortIndex{});
  } catch (const StartupError& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << path << " was opened";
  return "";
}

std::string refusal_of(std::string_view octets) {
  const TemporaryFile file(octets);
  std::string text = refusal(file.path(), ExitCode::kUsage);
  EXPECT_TRUE(text.starts_with(file.path() + ": ")) << text;
  return text;
}

TEST(PcapFile, reads_every_byte_order_and_resolution) {
  for (const Variant& variant : kVariants) {
    SCOPED_TRACE(variant.description);
    const TemporaryFile file(
        pcap_header(variant.order, variant.magic, 101) +
        pcap_record(variant.order, 1'700'000'000, variant.fraction, "abc", 60) +
        pcap_record(variant.order, 0xfffffffe, 0, "", 1514));
    const Recording recording = read_file(file.path());
    const std::vector<Packet> expected = {
        {"abc", 60, 1'700'000'000 * kNsPerSecond + variant.fraction_ns, LinkType::kRaw},
        {"", 1514, 0xfffffffeLL * kNsPerSecond, LinkType::kRaw}};
    EXPECT_EQ(recording.packets, expected);
    EXPECT_EQ(recording.damage, "");
  }
}

TEST(PcapFile, reads_the_longer_record_headers_of_kuznetzovs_variant) {
  for (const Order order : {Order::kLittle, Order::kBig}) {
    const std::string record = Octets(order).u32(5).u32(6).u32(3).u32(99).text() +
                               Octets(order).u32(2).u16(0x800).u8(0).u8(0).raw("xyz").text();
    const TemporaryFile file(pcap_header(order, kKuznetzov) + record + record);
    const Packet packet{"xyz", 99, 5 * kNsPerSecond + 6000, LinkType::kEthernet};
    EXPECT_EQ(read_file(file.path()).packets, (std::vector{packet, packet}));
  }
}

TEST(PcapFile, takes_the_link_type_without_the_fcs_announcement_above_it) {
  const TemporaryFile file(pcap_header(Order::kLittle, kMicroseconds, 0x24000071) +
                           pcap_record(Order::kLittle, 1, 0, "a", 1));
  EXPECT_EQ(read_file(file.path()).packets.at(0).link_type, LinkType::kLinuxSll);
}

TEST(PcapFile, knows_that_old_writers_swapped_the_lengths) {
  const std::string swapped = Octets().u32(1).u32(0).u32(60).u32(2).raw("ab").text();
  const std::string right = Octets().u32(1).u32(0).u32(2).u32(60).raw("ab").text();
  const std::vector<Packet> expected = {{"ab", 60, kNsPerSecond, LinkType::kEthernet}};
  const TemporaryFile old(pcap_header(Order::kLittle, kMicroseconds, 1, 2) + swapped);
  EXPECT_EQ(read_file(old.path()).packets, expected);
  for (const std::string& record : {swapped, right}) {
    const TemporaryFile sometimes(pcap_header(Order::kLittle, kMicroseconds, 1, 3) + record);
    EXPECT_EQ(read_file(sometimes.path()).packets, expected);
  }
}

TEST(PcapFile, with_a_header_alone_is_a_capture_of_nothing) {
  const TemporaryFile file(pcap_header(Order::kLittle, kMicroseconds));
  CaptureFile capture(file.path(), PortIndex{});
  EXPECT_FALSE(capture.exhausted());
  EXPECT_TRUE(read_all(capture).empty());
  EXPECT_EQ(capture.damage(), "");
}

TEST(PcapFile, gives_the_port_to_every_view_and_no_more_views_than_asked) {
  std::string octets = pcap_header(Order::kLittle, kMicroseconds);
  for (std::uint32_t i = 0; i < 1000; ++i)
    octets += pcap_record(Order::kLittle, i, 0, std::string(i % 7, 'x'), i);
  const TemporaryFile file(octets);
  for (const std::size_t burst : {std::size_t{1}, std::size_t{3}, kBurstMax}) {
    CaptureFile capture(file.path(), PortIndex{9});
    std::array<PacketView, kBurstMax> views;
    std::uint32_t next = 0;
    while (!capture.exhausted()) {
      const std::size_t count = capture.poll(std::span(views).first(burst));
      ASSERT_LE(count, burst);
      for (const PacketView& view : std::span(views).first(count)) {
        EXPECT_EQ(view.port, PortIndex{9});
        ASSERT_EQ(view.wire_octets, next++);
      }
    }
    EXPECT_EQ(next, 1000u);
    EXPECT_EQ(capture.packets(), 1000u);
    EXPECT_EQ(capture.progress().octets_done, octets.size());
    EXPECT_EQ(capture.progress().octets_total, octets.size());
  }
}

TEST(PcapFile, keeps_a_length_on_the_wire_that_no_capture_could_hold) {
  const TemporaryFile file(pcap_header(Order::kLittle, kMicroseconds) +
                           pcap_record(Order::kLittle, 1, 0, "ab", 0xffffffff));
  EXPECT_EQ(read_file(file.path()).packets.at(0).wire_octets, 0xffffffff);
}

TEST(PcapFile, cut_at_any_octet_gives_the_whole_packets_before_the_cut) {
  const std::string header = pcap_header(Order::kLittle, kMicroseconds);
  std::string octets = header;
  std::vector<std::size_t> ends = {octets.size()};  // where i packets end
  for (std::uint32_t i = 0; i < 9; ++i) {
    octets += pcap_record(Order::kLittle, i, i, std::string(i * 3, 'p'), 100);
    ends.push_back(octets.size());
  }
  const TemporaryFile file;
  for (std::size_t cut = header.size(); cut <= octets.size(); ++cut) {
    file.write(octets.substr(0, cut));
    const Recording recording = read_file(file.path());
    const auto after = std::upper_bound(ends.begin(), ends.end(), cut);
    const auto whole = static_cast<std::size_t>(after - ends.begin()) - 1;
    EXPECT_EQ(recording.packets.size(), whole);
    if (cut == ends[whole]) {
      EXPECT_EQ(recording.damage, "");
    } else {
      EXPECT_EQ(recording.damage, file.path() + ": cut off inside packet " +
                                      std::to_string(whole + 1) + " at octet " +
                                      std::to_string(cut) + ": counted " + std::to_string(whole) +
                                      (whole == 1 ? " packet" : " packets"));
    }
  }
}

TEST(PcapFile, stops_at_a_record_that_claims_more_than_any_packet_has) {
  const std::string good = pcap_header(Order::kBig, kNanoseconds) +
                           pcap_record(Order::kBig, 1, 0, "first", 5) +
                           pcap_record(Order::kBig, 2, 0, "second", 6);
  const std::string tail(300'000, 't');
  for (const std::uint32_t captured : {262'145u, 0x7fffffffu, 0xffffffffu}) {
    const TemporaryFile file(
        good + Octets(Order::kBig).u32(3).u32(0).u32(captured).u32(60).raw(tail).text());
    const Recording recording = read_file(file.path());
    EXPECT_EQ(recording.packets.size(), 2u);
    EXPECT_NE(recording.damage.find("damaged at octet " + std::to_string(good.size())),
              std::string::npos)
        << recording.damage;
    EXPECT_NE(recording.damage.find(std::to_string(captured)), std::string::npos);
    EXPECT_NE(recording.damage.find("2 packets before it"), std::string::npos);
  }
  const TemporaryFile largest(good + pcap_record(Order::kBig, 3, 0, std::string(262'144, 'x'), 9));
  EXPECT_EQ(read_file(largest.path()).packets.size(), 3u);
  EXPECT_EQ(read_file(largest.path()).damage, "");
}

TEST(PcapFile, refuses_what_is_no_capture_and_says_what_to_do) {
  EXPECT_NE(refusal_of("").find("is empty"), std::string::npos);
  EXPECT_NE(refusal_of("hello, world\n").find("starts with 68 65 6c 6c"), std::string::npos);
  EXPECT_NE(refusal_of("ab").find("ends inside its file header"), std::string::npos);
  EXPECT_NE(refusal_of(std::string("\x28\xb5\x2f\xfd....", 8)).find("zstd -dc"), std::string::npos);
  EXPECT_NE(refusal_of(std::string("snoop\0\0\0", 8)).find("editcap"), std::string::npos);
  EXPECT_NE(refusal_of(gzip(gzip("x"))).find("gzip'd twice"), std::string::npos);
  EXPECT_NE(refusal_of(gzip("not a capture at all, but gzip'd")).find("not a capture"),
            std::string::npos);
  EXPECT_NE(refusal_of(gzip("")).find("ends inside its file header"), std::string::npos);
  const std::string header = pcap_header(Order::kLittle, kMicroseconds);
  for (std::size_t cut = 4; cut < header.size(); ++cut) {
    EXPECT_NE(refusal_of(header.substr(0, cut)).find("ends inside its file header"),
              std::string::npos)
        << cut;
  }
  const std::string version_one = Octets().u32(kMicroseconds).u16(1).u16(0).text();
  EXPECT_NE(refusal_of(version_one + std::string(16, '\0')).find("version 1.0"), std::string::npos);
}

TEST(PcapFile, refuses_a_missing_file_a_directory_and_a_forbidden_file_each_in_its_words) {
  EXPECT_NE(refusal("/nonexistent/trace.pcap", ExitCode::kUsage).find("no such file"),
            std::string::npos);
  EXPECT_NE(refusal("/etc", ExitCode::kUsage).find("/etc/*.pcap"), std::string::npos);
  if (::geteuid() == 0) {
    const TemporaryFile file(pcap_header(Order::kLittle, kMicroseconds));
    ASSERT_EQ(::chmod(file.path().c_str(), 0600), 0);
    ASSERT_EQ(::seteuid(65534), 0);
    const std::string text = refusal(file.path(), ExitCode::kMachine);
    ASSERT_EQ(::seteuid(0), 0);
    EXPECT_NE(text.find("permission denied"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace wiretally::testing
