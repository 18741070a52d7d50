// SPDX-License-Identifier: Apache-2.0
// Several recordings as one source.
#include <gtest/gtest.h>

#include "config/startup_error.hpp"
#include "dataplane/source/pcap_file_source.hpp"
#include "tests/dataplane/source/capture_bytes.hpp"

namespace wiretally::testing {
namespace {

std::string capture_of(std::uint32_t packets, std::uint32_t link_type = 1) {
  std::string octets = pcap_header(Order::kLittle, kMicroseconds, link_type);
  for (std::uint32_t i = 0; i < packets; ++i)
    octets += pcap_record(Order::kLittle, i, 0, "data", packets);
  return octets;
}

TEST(PcapFileSource, reads_its_files_in_order_as_one) {
  const TemporaryFile first(capture_of(100)), empty(capture_of(0)), packed(gzip(capture_of(7, 0)));
  PcapFileSource source({first.path(), empty.path(), packed.path()}, PortIndex{});
  const std::vector<Packet> packets = read_all(source);
  ASSERT_EQ(packets.size(), 107u);
  EXPECT_EQ(packets[99].link_type, LinkType::kEthernet);
  EXPECT_EQ(packets[100].link_type, LinkType::kNull);
  EXPECT_EQ(packets[100].wire_octets, 7u);
  EXPECT_TRUE(source.damages().empty());
  EXPECT_EQ(source.progress().octets_done, source.progress().octets_total);
  EXPECT_EQ(source.progress().octets_total,
            capture_of(100).size() + capture_of(0).size() + gzip(capture_of(7, 0)).size());
}

TEST(PcapFileSource, refuses_at_the_start_whichever_file_is_bad) {
  const TemporaryFile good(capture_of(1)), text("this is not a capture, surely");
  for (const std::string& bad :
       {std::string("/nonexistent.pcap"), std::string("/etc"), text.path()}) {
    try {
      PcapFileSource source({good.path(), good.path(), bad}, PortIndex{});
      ADD_FAILURE() << bad << " was accepted";
    } catch (const StartupError& error) {
      EXPECT_EQ(error.code(), ExitCode::kUsage);
      EXPECT_TRUE(std::string(error.what()).starts_with(bad + ": ")) << error.what();
    }
  }
  EXPECT_THROW(PcapFileSource({}, PortIndex{}), StartupError);
}

TEST(PcapFileSource, goes_on_behind_a_damaged_file_and_one_that_vanished) {
  const TemporaryFile first(capture_of(1)), cut(capture_of(3).substr(0, 70));
  auto vanishing = std::make_unique<TemporaryFile>(capture_of(5));
  const TemporaryFile last(capture_of(9));
  PcapFileSource source({first.path(), cut.path(), vanishing->path(), last.path()}, PortIndex{});
  const std::string vanished = vanishing->path();
  vanishing.reset();
  EXPECT_EQ(read_all(source).size(), 1u + 2u + 9u);
  ASSERT_EQ(source.damages().size(), 2u);
  EXPECT_EQ(source.damages()[0],
            cut.path() + ": cut off inside packet 3 at octet 70: counted 2 packets");
  EXPECT_TRUE(source.damages()[1].starts_with(vanished + ": no such file"));
}

TEST(PcapFilePort, misses_nothing) {
  PcapFilePort port(7);
  EXPECT_EQ(port.name(), "file");
  EXPECT_EQ(port.ifindex(), 7u);
  EXPECT_TRUE(port.missed().empty());
}

}  // namespace
}  // namespace wiretally::testing
