// SPDX-License-Identifier: Apache-2.0
// Capture files for tests, in a directory that goes away.
#pragma once

#include <gtest/gtest.h>
#include <pcap/pcap.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace wiretally {

struct Recorded {
  std::int64_t time_us = 0;
  std::vector<std::uint8_t> octets;
};

// A test with a directory of its own.
class RecordingDirectory : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "wiretally-recording-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::vector<Recorded>& packets,
                    int link_type = DLT_EN10MB, int snapshot = 262144) {
    const std::string path = directory_ / name;
    pcap_t* dead = ::pcap_open_dead(link_type, snapshot);
    pcap_dumper_t* dumper = ::pcap_dump_open(dead, path.c_str());
    for (const Recorded& packet : packets) {
      pcap_pkthdr header{};
      header.ts.tv_sec = packet.time_us / 1'000'000;
      header.ts.tv_usec = packet.time_us % 1'000'000;
      header.caplen = header.len = static_cast<bpf_u_int32>(packet.octets.size());
      ::pcap_dump(reinterpret_cast<unsigned char*>(dumper), &header, packet.octets.data());
    }
    ::pcap_dump_close(dumper);
    ::pcap_close(dead);
    return path;
  }

  std::filesystem::path directory_;
};

}  // namespace wiretally
