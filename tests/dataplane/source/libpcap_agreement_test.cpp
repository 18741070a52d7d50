// SPDX-License-Identifier: Apache-2.0
// Random recordings of every kind that libpcap can read too: both readers give the same packets.
#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include <random>

#include "tests/dataplane/source/capture_bytes.hpp"

namespace wiretally::testing {
namespace {

std::vector<Packet> read_with_libpcap(const std::string& path) {
  char message[PCAP_ERRBUF_SIZE] = "";
  pcap_t* const handle =
      ::pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, message);
  if (handle == nullptr) throw std::runtime_error(message);
  std::vector<Packet> packets;
  const auto link_type = static_cast<LinkType>(::pcap_datalink(handle));
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  while (::pcap_next_ex(handle, &header, &data) == 1) {
    packets.push_back({std::string(reinterpret_cast<const char*>(data), header->caplen),
                       header->len, header->ts.tv_sec * kNsPerSecond + header->ts.tv_usec,
                       link_type});
  }
  ::pcap_close(handle);
  return packets;
}

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}

  std::string pcap(Order order, std::uint32_t magic) {
    std::string octets = pcap_header(order, magic, 1);
    const std::uint32_t fractions = magic == kNanoseconds ? 1'000'000'000 : 1'000'000;
    for (int i = 0; i < 300; ++i) {
      const std::string data = payload();
      octets += pcap_record(order, below(0x7fffffff), below(fractions), data, wire_length(data));
    }
    return octets;
  }

  std::string pcapng(Order order) {
    // libpcap wants one link type and one snap length for all interfaces.
    std::string octets = section_header(order) + interface_block(order, 1, 65'535) +
                         interface_block(order, 1, 65'535, option(order, 9, "\x09"));
    for (int i = 0; i < 300; ++i) {
      const std::uint32_t interface = below(2);
      const std::uint64_t second = interface == 0 ? 1'000'000 : 1'000'000'000;
      const std::uint64_t stamp = below(0x7fffffff) * second + below(1'000'000);
      const std::string data = payload();
      switch (below(6)) {
        case 0:
          octets += block(order, 5, std::string(below(100), 's'));
          break;
        case 1:
          octets += simple_packet(order, data, static_cast<std::uint32_t>(data.size()));
          break;
        case 2:
          octets += obsolete_packet(order, static_cast<std::uint16_t>(interface), stamp, data,
                                    wire_length(data));
          break;
        default:
          octets += enhanced_packet(order, interface, stamp, data, wire_length(data),
                                    below(2) == 0 ? "" : option(order, 1, "comment"));
      }
    }
    return octets;
  }

 private:
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
  std::string payload() {
    std::string data(below(10) == 0 ? below(9000) : below(120), '\0');
    for (char& c : data) c = static_cast<char>(random_());
    return data;
  }
  std::uint32_t wire_length(const std::string& data) {
    return static_cast<std::uint32_t>(data.size()) + (below(2) == 0 ? 0 : below(70'000));
  }

  std::mt19937 random_;
};

void expect_agreement(const std::string& octets) {
  const TemporaryFile file(octets);
  const std::vector<Packet> expected = read_with_libpcap(file.path());
  const Recording recording = read_file(file.path());
  EXPECT_GT(expected.size(), 200u);
  EXPECT_EQ(recording.packets, expected);
  EXPECT_EQ(recording.damage, "");
}

TEST(CaptureFile, agrees_with_libpcap_on_random_recordings) {
  const auto seed = static_cast<std::uint32_t>(std::random_device{}());
  SCOPED_TRACE("seed " + std::to_string(seed));
  Generator generator(seed);
  for (const Order order : {Order::kLittle, Order::kBig}) {
    for (const std::uint32_t magic : {kMicroseconds, kNanoseconds})
      expect_agreement(generator.pcap(order, magic));
    expect_agreement(generator.pcapng(order));
  }
}

}  // namespace
}  // namespace wiretally::testing
