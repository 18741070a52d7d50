// SPDX-License-Identifier: Apache-2.0
// IPFIX files, read back by the tests' own decoder: each whole in itself, together every record.
#include "control/export/file_link.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/control/export/decoder.hpp"
#include "tests/control/export/sample_records.hpp"

namespace wiretally::test {
namespace {

namespace fs = std::filesystem;
constexpr TimeNs kAfternoon = (1'700'000'000 - 1'700'000'000 % 86'400 + 12 * 3600) * kNsPerSecond;

class FileLinkTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder);
    fs::create_directories(folder);
    config.address = folder + "/flows.ipfix";
    config.version = NetflowVersion::kIpfix;
    config.transport = Transport::kFile;
    config.rate = 0;
    exporter = sample_exporter();
    exporter.clock = [this] { return now.load(); };
    exporter.lossless = true;
  }
  void TearDown() override { fs::remove_all(folder); }

  // Names in order, each with its flows; every message is checked by the decoder.
  std::map<std::string, std::uint64_t> read_all() const {
    std::map<std::string, std::uint64_t> flows;
    for (const auto& entry : fs::directory_iterator(folder)) {
      std::ifstream in(entry.path(), std::ios::binary);
      const Octets octets(std::istreambuf_iterator<char>(in), {});
      Decoder decoder;  // a new one: a file must not need another
      std::uint64_t count = 0;
      for (std::size_t at = 0; at + 4 <= octets.size();) {
        const std::size_t length = octets[at + 2] * 256u + octets[at + 3];
        EXPECT_GE(length, 16u);
        EXPECT_LE(at + length, octets.size());
        if (length < 16 || at + length > octets.size()) break;
        count += decoder.decode(std::span(octets).subspan(at, length)).flows().size();
        at += length;
      }
      EXPECT_TRUE(decoder.errors().empty()) << decoder.errors().front();
      flows[entry.path().filename()] = count;
    }
    return flows;
  }
  static std::uint64_t sum(const std::map<std::string, std::uint64_t>& flows) {
    std::uint64_t all = 0;
    for (const auto& [name, count] : flows) all += count;
    return all;
  }
  static void expect_balance(const SinkAccount& account) {
    std::uint64_t all = account.delivered + account.queued;
    for (const DroppedCount& count : account.dropped) all += count.records;
    EXPECT_EQ(account.offered, all);
  }

  const std::string folder = testing::TempDir() + "wiretally-files-" + std::to_string(getpid());
  std::atomic<TimeNs> now{kAfternoon};
  CollectorConfig config;
  ExporterInfo exporter;
};

TEST_F(FileLinkTest, writes_every_record_into_a_file_that_is_renamed_when_it_is_whole) {
  const auto link = make_collector_link(config, exporter, nullptr);
  link->offer(make_batch(std::vector<FlowRecord>(5000, tcp_ipv4())));
  link->offer(make_batch(std::vector<FlowRecord>(5000, udp_ipv6())));
  link->finish(10);
  const auto files = read_all();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files.begin()->first, "flows-20231114T120000Z.ipfix");
  EXPECT_EQ(files.begin()->second, 10'000u);
  EXPECT_EQ(link->account().delivered, 10'000u);
  expect_balance(link->account());
}

TEST_F(FileLinkTest, begins_another_file_when_one_has_its_size) {
  config.rotate.size = 100'000;
  const auto link = make_collector_link(config, exporter, nullptr);
  for (int i = 0; i < 20; ++i) link->offer(make_batch(std::vector<FlowRecord>(1000, tcp_ipv4())));
  link->finish(10);
  const auto files = read_all();
  EXPECT_GT(files.size(), 5u);
  EXPECT_EQ(sum(files), 20'000u);
  for (const auto& [name, flows] : files) {
    EXPECT_EQ(name.find(".part"), std::string::npos) << name;
    EXPECT_LT(fs::file_size(folder + "/" + name), 200'000u);
  }
  EXPECT_EQ(files.count("flows-20231114T120000Z-1.ipfix"), 1u);
}

TEST_F(FileLinkTest, ends_a_file_with_its_time_even_without_records) {
  config.rotate.interval = std::chrono::hours(1);
  config.address = folder + "/%H%M.ipfix";
  const auto link = make_collector_link(config, exporter, nullptr);
  link->offer(make_batch(std::vector<FlowRecord>(100, tcp_ipv4())));
  const auto wait_for = [&](const std::string& name) {
    for (int i = 0; i < 1000 && !fs::exists(folder + "/" + name); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(fs::exists(folder + "/" + name)) << name;
  };
  wait_for("1200.ipfix.part");
  now = kAfternoon + 3600 * kNsPerSecond;
  wait_for("1200.ipfix");
  link->offer(make_batch(std::vector<FlowRecord>(50, tcp_ipv4())));
  wait_for("1300.ipfix.part");
  link->finish(10);
  const std::map<std::string, std::uint64_t> wanted = {{"1200.ipfix", 100}, {"1300.ipfix", 50}};
  EXPECT_EQ(read_all(), wanted);
}

TEST_F(FileLinkTest, keeps_records_while_the_disk_refuses) {
  fs::remove_all(folder);
  exporter.lossless = false;
  const auto link = make_collector_link(config, exporter, nullptr);
  link->offer(make_batch(std::vector<FlowRecord>(100, tcp_ipv4())));
  for (int i = 0; i < 1000 && !link->account().state.starts_with("disk"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(link->account().state.starts_with("disk since")) << link->account().state;
  EXPECT_EQ(link->account().queued, 100u);
  fs::create_directories(folder);
  for (int i = 0; i < 1000 && link->account().state != "up"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(link->account().state, "up");
  link->finish(10);
  EXPECT_EQ(sum(read_all()), 100u);
  EXPECT_EQ(link->account().delivered, 100u);
  expect_balance(link->account());
}

TEST(FileName, has_the_time_it_was_begun_and_never_another_files) {
  EXPECT_EQ(file_name("/d.x/flows", kAfternoon, 0), "/d.x/flows-20231114T120000Z");
  EXPECT_EQ(file_name("/d/flows.ipfix", kAfternoon, 2), "/d/flows-20231114T120000Z-2.ipfix");
  EXPECT_EQ(file_name("/d/%Y/a-%j.ipfix", kAfternoon, 3), "/d/2023/a-318-3.ipfix");
}

}  // namespace
}  // namespace wiretally::test
