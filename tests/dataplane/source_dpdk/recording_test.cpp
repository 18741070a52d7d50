// SPDX-License-Identifier: Apache-2.0
// Capture files through net_pcap: every octet that fits the first buffer, every stamp, and the end.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "eal_environment.hpp"
#include "recording_file.hpp"

namespace wiretally {
namespace {

namespace fs = std::filesystem;

class RecordingPort : public RecordingDirectory {
 protected:
  // Sizes from runt to several buffers, stamps that repeat and go back.
  static std::vector<Recorded> sample(std::size_t packets) {
    static constexpr std::size_t kSizes[] = {14, 60, 64, 1514, 2048, 2049, 9014, 65000};
    std::vector<Recorded> all;
    for (std::size_t i = 0; i < packets; ++i) {
      Recorded one;
      one.time_us =
          1'700'000'000'123'456 + static_cast<std::int64_t>(i / 3 * 17) - (i % 7 == 6 ? 900 : 0);
      one.octets.resize(kSizes[i % std::size(kSizes)]);
      for (std::size_t k = 0; k < one.octets.size(); ++k) {
        one.octets[k] = static_cast<std::uint8_t>(k * 7 + i);
      }
      all.push_back(std::move(one));
    }
    return all;
  }

  static DpdkSourceOptions recorded_time() {
    return {TimeBase::kPackets,
            rte_mbuf_dynfield_lookup(RTE_MBUF_DYNFIELD_TIMESTAMP_NAME, nullptr)};
  }

  std::array<PacketView, kBurstMax> views_;
};

TEST_F(RecordingPort, replays_every_packet_with_its_length_content_and_time_then_ends) {
  const std::vector<Recorded> packets = sample(1000);
  const auto port = open_port("net_pcap0,rx_pcap=" + write("all.pcap", packets));
  EXPECT_TRUE(port->recording());
  port->start();
  const std::size_t free_before = port->free_buffers();
  DpdkSource source(port->queues(), recorded_time());
  std::size_t seen = 0;
  while (!source.exhausted()) {
    const std::size_t polled = source.poll(views_);
    for (std::size_t i = 0; i < polled; ++i, ++seen) {
      const Recorded& expected = packets.at(seen);
      EXPECT_EQ(views_[i].wire_octets, expected.octets.size());
      EXPECT_EQ(views_[i].captured, std::min<std::size_t>(expected.octets.size(), 2048));
      EXPECT_EQ(views_[i].time, expected.time_us * 1000);
      EXPECT_TRUE(
          std::equal(views_[i].data, views_[i].data + views_[i].captured, expected.octets.begin()));
    }
    source.release();
  }
  EXPECT_EQ(seen, packets.size());
  EXPECT_EQ(port->received(), packets.size());
  EXPECT_EQ(missed_in_all(*port), 0u);
  EXPECT_EQ(port->free_buffers(), free_before);
}

TEST_F(RecordingPort, an_empty_capture_ends_at_once) {
  const auto port = open_port("net_pcap0,rx_pcap=" + write("none.pcap", {}));
  port->start();
  DpdkSource source(port->queues(), recorded_time());
  EXPECT_EQ(source.poll(views_), 0u);
  EXPECT_TRUE(source.exhausted());
}

TEST_F(RecordingPort, a_file_per_queue_and_the_end_only_when_both_have_ended) {
  const std::string device = "net_pcap0,rx_pcap=" + write("a.pcap", sample(500)) +
                             ",rx_pcap=" + write("b.pcap", sample(10), DLT_RAW);
  const auto port = open_port(device, 2);
  port->start();
  DpdkSource source(port->queues(), recorded_time());
  std::size_t ethernet = 0, raw = 0;
  while (!source.exhausted()) {
    const std::size_t polled = source.poll(views_);
    for (std::size_t i = 0; i < polled; ++i) {
      (views_[i].link_type == LinkType::kRaw ? raw : ethernet) += 1;
    }
    source.release();
  }
  EXPECT_EQ(ethernet, 500u);
  EXPECT_EQ(raw, 10u) << "the link type is the file's, not the driver's";
}

TEST_F(RecordingPort, nanosecond_captures_come_in_whole_microseconds) {
  const fs::path path = directory_ / "nano.pcap";
  pcap_t* dead =
      ::pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 262144, PCAP_TSTAMP_PRECISION_NANO);
  pcap_dumper_t* dumper = ::pcap_dump_open(dead, path.c_str());
  pcap_pkthdr header{};
  header.ts.tv_sec = 1'700'000'000;
  header.ts.tv_usec = 123'456'789;  // nanoseconds
  header.caplen = header.len = 60;
  const std::array<std::uint8_t, 60> octets{};
  ::pcap_dump(reinterpret_cast<unsigned char*>(dumper), &header, octets.data());
  ::pcap_dump_close(dumper);
  ::pcap_close(dead);
  const auto port = open_port("net_pcap0,rx_pcap=" + path.string());
  port->start();
  DpdkSource source(port->queues(), recorded_time());
  ASSERT_EQ(source.poll(views_), 1u);
  EXPECT_EQ(views_[0].time, 1'700'000'000'123'456'000);
}

TEST_F(RecordingPort, an_endless_repetition_is_not_a_recording_and_has_buffers_for_its_packets) {
  std::vector<Recorded> packets(6000);
  for (Recorded& packet : packets) packet.octets.assign(60, 1);
  const auto port =
      open_port("net_pcap0,rx_pcap=" + write("loop.pcap", packets) + ",infinite_rx=1");
  EXPECT_FALSE(port->recording());
  port->start();
  DpdkSource source(port->queues(), {});
  std::size_t seen = 0;
  while (seen < 20'000) {
    const std::size_t polled = source.poll(views_);
    ASSERT_NE(polled, 0u);
    EXPECT_EQ(views_[0].time, 0);
    seen += polled;
    source.release();
  }
  EXPECT_FALSE(source.exhausted());
}

TEST_F(RecordingPort, a_capture_with_a_short_snapshot_is_remarked) {
  const auto port = open_port("net_pcap0,rx_pcap=" + write("cut.pcap", sample(1), DLT_EN10MB, 96));
  ASSERT_EQ(port->remarks().size(), 1u);
  EXPECT_NE(port->remarks()[0].find("96 octets a packet"), std::string::npos);
}

TEST_F(RecordingPort, a_missing_file_a_directory_and_a_text_file_are_refused_by_name) {
  std::ofstream(directory_ / "text.pcap") << "this is not a capture at all, only text\n";
  for (const fs::path& path : {directory_ / "missing.pcap", directory_, directory_ / "text.pcap"}) {
    const std::string text = refusal_of_port("net_pcap0,rx_pcap=" + path.string());
    EXPECT_NE(text.find("capture.dpdk.ports[0].device: rx_pcap=" + path.string()),
              std::string::npos)
        << text;
  }
}

}  // namespace
}  // namespace wiretally
