// SPDX-License-Identifier: Apache-2.0
// The spool against a plain queue: order, bound, what a restart and a cut-off entry leave.
#include "control/export/spool.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <random>

#include "tests/control/export/sample_records.hpp"

namespace wiretally::test {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kLarge = 64ull << 20;

class SpoolTest : public testing::Test {
 protected:
  void SetUp() override { fs::remove_all(folder); }
  void TearDown() override { fs::remove_all(folder); }

  // Records that are told apart by their packets.
  std::vector<FlowRecord> numbered(std::uint64_t from, std::uint64_t count) const {
    std::vector<FlowRecord> records(count, tcp_ipv4());
    for (FlowRecord& record : records) {
      record.packets = from++;
      if (record.packets % 3 == 0) record.attributes = &attributes;
    }
    return records;
  }
  static void expect_numbers(Spool& spool, std::uint64_t from, std::uint64_t to) {
    while (from < to) {
      const RecordBatchPtr batch = spool.read(to - from);
      ASSERT_NE(batch, nullptr) << spool.trouble();
      for (const FlowRecord& record : *batch) {
        ASSERT_EQ(record.packets, from);
        ASSERT_EQ(record.attributes != nullptr, from % 3 == 0);
        if (record.attributes != nullptr) {
          ASSERT_EQ(record.attributes->ttl_min, 33);
        }
        ASSERT_EQ(record.key, tcp_ipv4().key);
        ++from;
      }
    }
  }
  std::size_t segments() const {
    return static_cast<std::size_t>(
        std::count_if(fs::directory_iterator(folder), {},
                      [](const auto& entry) { return entry.path().extension() == ".spool"; }));
  }

  const std::string folder = testing::TempDir() + "wiretally-spool-" + std::to_string(getpid());
  const FlowAttributes attributes = [] {
    FlowAttributes a;
    a.ttl_min = 33;
    return a;
  }();
};

TEST_F(SpoolTest, gives_back_in_order_what_it_was_given) {
  Spool spool(folder, kLarge);
  ASSERT_TRUE(spool.open()) << spool.trouble();
  EXPECT_EQ(spool.stored(), 0u);
  EXPECT_EQ(spool.append(numbered(0, 50'000)), 50'000u);
  EXPECT_GT(segments(), 1u);
  expect_numbers(spool, 0, 20'000);
  spool.settle(15'000);
  EXPECT_EQ(spool.handed_out(), 5000u);
  spool.rewind();
  expect_numbers(spool, 15'000, 50'000);
  EXPECT_EQ(spool.read(1), nullptr);
  spool.settle(35'000);
  EXPECT_EQ(spool.stored(), 0u);
  EXPECT_EQ(spool.octets(), 0u);
  EXPECT_EQ(segments(), 0u);
  EXPECT_EQ(spool.append(numbered(7, 3)), 3u);
  expect_numbers(spool, 7, 10);
}

TEST_F(SpoolTest, takes_no_more_than_its_bound_and_goes_on_when_there_is_room) {
  Spool spool(folder, 1 << 20);
  ASSERT_TRUE(spool.open());
  const std::size_t taken = spool.append(numbered(0, 20'000));
  EXPECT_TRUE(spool.is_full());
  EXPECT_LT(taken, 20'000u);
  EXPECT_GT(taken, 4000u);
  EXPECT_LE(spool.octets(), 1u << 20);
  EXPECT_EQ(spool.append(numbered(0, 1)), 0u);
  expect_numbers(spool, 0, taken / 2);
  spool.settle(taken / 2);
  const std::size_t more = spool.append(numbered(taken, 1000));
  EXPECT_GT(more, 0u);
  expect_numbers(spool, taken / 2, taken + more);
}

TEST_F(SpoolTest, survives_a_restart_without_what_was_settled) {
  {
    Spool spool(folder, kLarge);
    ASSERT_TRUE(spool.open());
    spool.append(numbered(0, 30'000));
    expect_numbers(spool, 0, 12'000);
    spool.settle(11'000);
    Spool second(folder, kLarge);
    EXPECT_FALSE(second.open());
    EXPECT_NE(second.trouble().find("is in use"), std::string::npos) << second.trouble();
  }
  Spool spool(folder, kLarge);
  ASSERT_TRUE(spool.open());
  EXPECT_EQ(spool.stored(), 19'000u);
  EXPECT_EQ(spool.append(numbered(30'000, 100)), 100u);
  expect_numbers(spool, 11'000, 30'100);
}

TEST_F(SpoolTest, leaves_out_an_entry_that_was_cut_off_or_damaged) {
  {
    Spool spool(folder, kLarge);
    ASSERT_TRUE(spool.open());
    spool.append(numbered(0, 100));
  }
  const std::string segment = folder + "/00000001.spool";
  fs::resize_file(segment, fs::file_size(segment) - 1);
  {
    Spool spool(folder, kLarge);
    ASSERT_TRUE(spool.open());
    EXPECT_LT(spool.stored(), 100u);
    expect_numbers(spool, 0, spool.stored());
  }
  std::fstream(segment, std::ios::in | std::ios::out | std::ios::binary).seekp(200).put('x');
  Spool spool(folder, kLarge);
  ASSERT_TRUE(spool.open());
  EXPECT_LT(spool.stored(), 3u);
}

TEST_F(SpoolTest, counts_what_is_behind_damage_and_keeps_the_file) {
  {
    Spool spool(folder, kLarge);
    ASSERT_TRUE(spool.open());
    ASSERT_EQ(spool.append(numbered(0, 100)), 100u);
  }
  const std::string segment = folder + "/00000001.spool";
  const auto middle = static_cast<std::streamoff>(fs::file_size(segment) / 2);
  std::fstream(segment, std::ios::in | std::ios::out | std::ios::binary).seekp(middle).put('x');
  Spool spool(folder, kLarge);
  ASSERT_TRUE(spool.open());
  EXPECT_GT(spool.stored(), 40u);
  EXPECT_GT(spool.lost(), 40u);
  EXPECT_EQ(spool.stored() + spool.lost(), 100u);
  EXPECT_NE(spool.trouble().find("00000001.spool is damaged"), std::string::npos);
  expect_numbers(spool, 0, spool.stored());
  EXPECT_TRUE(fs::exists(segment + ".unreadable"));
}

TEST_F(SpoolTest, sends_again_rather_than_believe_a_damaged_position) {
  for (const char octet : {'\x07', '\xff'}) {
    fs::remove_all(folder);
    {
      Spool spool(folder, kLarge);
      ASSERT_TRUE(spool.open());
      ASSERT_EQ(spool.append(numbered(0, 100)), 100u);
    }
    std::ofstream(folder + "/position", std::ios::binary) << std::string(16, octet);
    Spool spool(folder, kLarge);
    ASSERT_TRUE(spool.open());
    EXPECT_NE(spool.trouble().find("`position` is damaged"), std::string::npos);
    expect_numbers(spool, 0, 100);
  }
}

TEST_F(SpoolTest, sets_aside_what_it_cannot_read) {
  fs::create_directories(folder);
  std::ofstream(folder + "/00000007.spool") << "something else";
  Spool spool(folder, kLarge);
  ASSERT_TRUE(spool.open());
  EXPECT_NE(spool.trouble().find("00000007.spool.unreadable"), std::string::npos);
  EXPECT_EQ(spool.stored(), 0u);
  EXPECT_TRUE(fs::exists(folder + "/00000007.spool.unreadable"));
  spool.append(numbered(0, 10));
  EXPECT_TRUE(fs::exists(folder + "/00000008.spool"));
}

TEST_F(SpoolTest, says_why_a_folder_cannot_be_had) {
  Spool spool(folder + "/no/such", kLarge);
  EXPECT_FALSE(spool.open());
  EXPECT_NE(spool.trouble().find("No such file"), std::string::npos) << spool.trouble();
}

TEST_F(SpoolTest, agrees_with_a_queue_under_random_use) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  auto spool = std::make_unique<Spool>(folder, 1 << 20);
  ASSERT_TRUE(spool->open());
  std::deque<std::uint64_t> stored;  // not settled
  std::size_t read = 0;
  std::uint64_t next = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::size_t count = random() % 300;
    switch (random() % 8) {
      case 0:
      case 1:
      case 2: {
        const std::size_t taken = spool->append(numbered(next, count));
        for (std::size_t n = 0; n < taken; ++n) stored.push_back(next++);
        break;
      }
      case 3:
      case 4: {
        const RecordBatchPtr batch = spool->read(count);
        ASSERT_EQ(batch == nullptr, count == 0 || read == stored.size());
        for (std::size_t n = 0; batch != nullptr && n < batch->size(); ++n) {
          ASSERT_EQ((*batch)[n].packets, stored.at(read++));
        }
        break;
      }
      case 5:
      case 6: {
        const std::size_t settled = std::min(count, read);
        spool->settle(settled);
        stored.erase(stored.begin(), stored.begin() + static_cast<std::ptrdiff_t>(settled));
        read -= settled;
        break;
      }
      default:
        if (random() % 4 == 0) {
          spool = nullptr;
          spool = std::make_unique<Spool>(folder, 1 << 20);
          ASSERT_TRUE(spool->open());
        } else {
          spool->rewind();
        }
        read = 0;
    }
    ASSERT_EQ(spool->stored(), stored.size());
    ASSERT_EQ(spool->handed_out(), read);
    RecordSum unread;
    for (std::size_t n = read; n < stored.size(); ++n) {
      unread += {1, stored[n], tcp_ipv4().octets};
    }
    ASSERT_EQ(spool->unread_sum(), unread);
  }
}

}  // namespace
}  // namespace wiretally::test
